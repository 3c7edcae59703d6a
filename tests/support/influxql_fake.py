"""A stand-in for GET /query of InfluxDB 2 and 3, which no package here offers, made from its public documentation.

It knows the few InfluxQL statements that ask for buckets or values of one field, the token, the database that is mapped
to a bucket, and the documented refusals. https://docs.influxdata.com/influxdb/v2/api-guide/influxdb-1x/query/
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from carrel.sections import InfluxConfig
from tests.support.ports import free_port

DATABASE, TOKEN = "carrel-history", "secret-token"

_QUOTED = r"'((?:[^'\\]|\\.)*)'"
_NAME = r'"((?:[^"\\]|\\.)*)"'
_TIME = re.compile(r"time >= (-?\d+)ms AND time < (-?\d+)ms")
_GROUP = re.compile(r"GROUP BY time\((\d+)ms, (\d+)ms\) fill\(none\)$")
_ORDER = re.compile(r"ORDER BY time (ASC|DESC) LIMIT (\d+)$")
_TAG = re.compile(rf"{_NAME} = {_QUOTED}")
_PLACE = re.compile(rf'\("zone" = {_QUOTED} AND "device" = {_QUOTED}\)')


@dataclass(frozen=True, slots=True)
class Stored:
    """One row; time in milliseconds."""

    measurement: str
    tags: dict[str, str]
    at: int
    value: float


@dataclass(slots=True)
class QueryFake:
    """What is stored, what was asked, and what goes wrong next."""

    rows: list[Stored] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    answer_instead: tuple[int, bytes] | None = None

    def config(self, port: int, **changes: Any) -> InfluxConfig:
        """`[telemetry.influx]` for it."""
        right = {"url": f"http://127.0.0.1:{port}", "api": "v2", "database": DATABASE, "token": TOKEN}
        return InfluxConfig.model_validate(right | changes)

    def answer(self, query: dict[str, str], token: str) -> tuple[int, Any]:
        """Status and JSON."""
        if token != f"Token {TOKEN}":
            return 401, {"code": "unauthorized", "message": "Unauthorized"}
        if query.get("db") != DATABASE:
            return 404, {"code": "not found", "message": "no dbrp mapping found for query"}
        if query.get("epoch") != "ms":
            return 400, {"code": "invalid", "message": "this stand-in tells times in ms only"}
        self.asked.append(query["q"])
        series = [{"name": name, **found} for name, found in self._select(query["q"])]
        return 200, {"results": [{"statement_id": 0, **({"series": series} if series else {})}]}

    def _select(self, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
        names = [_plain(name) for name in re.findall(_NAME, text.partition("FROM ")[2].partition(" WHERE")[0])]
        start, end = (int(number) for number in _TIME.search(text).groups())  # type: ignore[union-attr]
        branch = next(_plain(value) for name, value in _TAG.findall(text) if name == "branch")
        places = {(_plain(zone), _plain(device)) for zone, device in _PLACE.findall(text)}
        for name in names:
            rows = [
                (row.at, row.value)
                for row in self.rows
                if row.measurement == name
                and row.tags["branch"] == branch
                and (row.tags["zone"], row.tags["device"]) in places
                and start <= row.at < end
            ]
            if rows:
                yield name, _buckets(rows, _GROUP.search(text)) or _values(rows, _ORDER.search(text))


def _buckets(rows: list[tuple[int, float]], group: re.Match[str] | None) -> dict[str, Any] | None:
    if group is None:
        return None
    width, offset = int(group[1]), int(group[2])
    found: dict[int, list[float]] = {}
    for at, value in rows:
        found.setdefault((at - offset) // width * width + offset, []).append(value)
    values = [[at, sum(v) / len(v), min(v), max(v), len(v)] for at, v in sorted(found.items())]
    return {"columns": ["time", "mean", "min", "max", "count"], "values": values}


def _values(rows: list[tuple[int, float]], order: re.Match[str] | None) -> dict[str, Any]:
    assert order is not None
    rows = sorted(rows, reverse=order[1] == "DESC")[: int(order[2])]
    return {"columns": ["time", "value"], "values": [list(row) for row in rows]}


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: QueryFake

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if self.fake.answer_instead is not None:
            self._send(*self.fake.answer_instead)
        elif address.path == "/ping":
            self._send(204, b"")
        elif address.path == "/query":
            query = {key: values[0] for key, values in parse_qs(address.query).items()}
            status, body = self.fake.answer(query, self.headers.get("Authorization", ""))
            self._send(status, json.dumps(body).encode())
        else:
            self._send(404, b'{"code":"not found","message":"path not found"}')

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Tests look at `asked`."""


@contextmanager
def running_query_fake(fake: QueryFake, port: int | None = None) -> Iterator[int]:
    """Serve it (again) on a port, which is yielded."""
    handler = type("Handler", (_Handler,), {"fake": fake})
    server = ThreadingHTTPServer(("127.0.0.1", port or free_port()), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
