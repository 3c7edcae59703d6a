"""A stand-in for the write API of InfluxDB 2 and 3, which no package offers here, made from its public documentation.

POST /api/v2/write (org, bucket, precision, token, gzip; 204, 400, 401, 404, 413, 422), /ping and /health. The line
protocol is read by a parser of its own, strictly: https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/
"""

from __future__ import annotations

import gzip
import json
import re
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from carrel.sections import InfluxConfig
from tests.support.ports import free_port

NANOSECONDS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
ORG, BUCKET, TOKEN = "library", "carrel", "secret-token"

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_WHOLE = re.compile(r"-?\d+")

Series = tuple[str, tuple[tuple[str, str], ...]]
"""Measurement and sorted tags."""


@dataclass(frozen=True, slots=True)
class Point:
    """One line, understood; time in nanoseconds."""

    series: Series
    fields: dict[str, float | int | bool | str]
    at_ns: int


class LineError(ValueError):
    """A line that InfluxDB would refuse."""


def parse_line(text: str, precision: str, now_ns: int) -> Point:
    """Read one line of line protocol; raises LineError."""
    head, rest = _split_once(text, " ")
    names = _split(head, ",")
    measurement = _unescape(names[0])
    if not measurement or rest is None:
        raise LineError("missing fields" if measurement else "missing measurement")
    tags = dict(_pair(part, "tag") for part in names[1:])
    if len(tags) != len(names) - 1:
        raise LineError("duplicate tags")
    fields_text, at = _split_once(rest, " ")
    fields = {key: _field_value(value) for key, value in (_pair(part, "field") for part in _split(fields_text, ","))}
    if at is None:
        return Point((measurement, tuple(sorted(tags.items()))), fields, now_ns)
    if not _WHOLE.fullmatch(at):
        raise LineError("bad timestamp")
    return Point((measurement, tuple(sorted(tags.items()))), fields, int(at) * NANOSECONDS[precision])


def _pair(text: str, what: str) -> tuple[str, str]:
    key, value = _split_once(text, "=")
    if not key or not value:
        raise LineError(f"missing {what} value" if key else f"missing {what} key")
    return _unescape(key), _unescape(value) if what == "tag" else value


def _field_value(text: str) -> float | int | bool | str:
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        return text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    if text in ("t", "T", "true", "True", "TRUE", "f", "F", "false", "False", "FALSE"):
        return text[0] in "tT"
    if text.endswith(("i", "u")) and _WHOLE.fullmatch(text[:-1]):
        return int(text[:-1])
    if _NUMBER.fullmatch(text):
        return float(text)
    raise LineError("invalid number" if text[:1] in "-+.0123456789Nn" else "invalid boolean")


def _split(text: str, mark: str) -> list[str]:
    """At each mark that no backslash and no double quote protects."""
    parts, start, quoted, n = [], 0, False, 0
    while n < len(text):
        if text[n] == "\\":
            n += 1
        elif text[n] == '"':
            quoted = not quoted
        elif text[n] == mark and not quoted:
            parts.append(text[start:n])
            start = n + 1
        n += 1
    return [*parts, text[start:]]


def _split_once(text: str, mark: str) -> tuple[str, str | None]:
    first = _split(text, mark)[0]
    return (first, None) if first == text else (first, text[len(first) + 1 :])


def _unescape(text: str) -> str:
    return re.sub(r"\\([,= ])", r"\1", text)


@dataclass(frozen=True, slots=True)
class Fault:
    """How the next request is answered instead: with a status and body, by `hang` until the server ends, or `cut`."""

    status: int = 503
    body: bytes = b'{"code":"unavailable","message":"service unavailable"}'
    headers: dict[str, str] = field(default_factory=dict)
    kind: Literal["answer", "hang", "cut", "cut after writing"] = "answer"


class InfluxFake:
    """What was written, by series, time and field; and what goes wrong next."""

    def __init__(self) -> None:
        self.values: dict[Series, dict[int, dict[str, float | int | bool | str]]] = {}
        self.requests: list[tuple[str, int, int]] = []
        """Path, status and lines of each request that was answered."""
        self.faults: deque[Fault] = deque()
        self.refuse: Callable[[Point], str] = lambda _: ""
        """Why a well-formed point is not taken (422, the others of the request are), or an empty text."""
        self.away = False
        """Answer 503 to everything."""
        self.max_bytes = 50_000_000
        self.lock = threading.Lock()
        self.ending = threading.Event()

    def config(self, port: int, **changes: Any) -> InfluxConfig:
        """`[telemetry.influx]` for it."""
        right = {"url": f"http://127.0.0.1:{port}", "org": ORG, "bucket": BUCKET, "token": TOKEN}
        return InfluxConfig.model_validate(right | changes)

    def count(self) -> int:
        """Points kept: the same series and time count once."""
        with self.lock:
            return sum(len(times) for times in self.values.values())

    def series(self, measurement: str, **tags: str) -> dict[int, float]:
        """Time in milliseconds -> `value`, of the series with exactly these tags."""
        with self.lock:
            times = self.values.get((measurement, tuple(sorted(tags.items()))), {})
            return {at // 1_000_000: float(fields["value"]) for at, fields in times.items()}

    def write(self, query: dict[str, str], token: str | None, body: bytes) -> tuple[int, dict[str, str]]:
        """Status and JSON of a write request."""
        refusal = self._not_for_us(query, token, body)
        if refusal:
            return refusal
        points, fault = [], None
        for number, line in enumerate(body.decode().split("\n"), 1):
            if line and not line.startswith("#"):
                try:
                    points.append(parse_line(line, query.get("precision", "ns"), time.time_ns()))
                except LineError as error:
                    fault = fault or f"unable to parse '{line}': {error} (line {number})"
        if fault or not points:
            return 400, {"code": "invalid", "message": fault or "writing requires points"}
        return self._keep(points)

    def _not_for_us(self, query: dict[str, str], token: str | None, body: bytes) -> tuple[int, dict[str, str]] | None:
        if token != TOKEN:
            return 401, {"code": "unauthorized", "message": "unauthorized access"}
        if query.get("org") != ORG:
            return 404, {"code": "not found", "message": f'organization name "{query.get("org", "")}" not found'}
        if query.get("bucket") != BUCKET:
            return 404, {"code": "not found", "message": f'bucket "{query.get("bucket", "")}" not found'}
        if query.get("precision", "ns") not in NANOSECONDS:
            return 400, {"code": "invalid", "message": "invalid precision; valid precision units are ns, us, ms, and s"}
        if len(body) > self.max_bytes:
            return 413, {"code": "request too large", "message": "request entity too large"}
        return None

    def _keep(self, points: list[Point]) -> tuple[int, dict[str, str]]:
        reasons = [reason for point in points if (reason := self.refuse(point))]
        with self.lock:
            for point in points:
                if not self.refuse(point):
                    self.values.setdefault(point.series, {}).setdefault(point.at_ns, {}).update(point.fields)
        if reasons:
            return 422, {"code": "unprocessable entity", "message": f"{reasons[0]} dropped={len(reasons)}"}
        return 204, {}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    fake: InfluxFake

    def do_GET(self) -> None:
        if self.path == "/ping":
            self._answer(204, {})
        elif self.path == "/health":
            self._answer(200, {"name": "influxdb", "message": "ready for queries and writes", "status": "pass"})
        else:
            self._answer(404, {"code": "not found", "message": "path not found"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        lines = body.count(b"\n") + 1
        fault = self.fake.faults.popleft() if self.fake.faults else Fault() if self.fake.away else None
        if fault is not None:
            self._go_wrong(fault, body, lines)
        elif urlsplit(self.path).path != "/api/v2/write":
            self._answer(404, {"code": "not found", "message": "path not found"}, lines)
        else:
            self._answer(*self._write(body), lines)

    def _write(self, body: bytes) -> tuple[int, dict[str, str]]:
        query = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        return self.fake.write(query, token if scheme in ("Token", "Bearer") else None, body)

    def _go_wrong(self, fault: Fault, body: bytes, lines: int) -> None:
        if fault.kind == "hang":
            self.fake.ending.wait(60)
        if fault.kind == "cut after writing":
            self._write(body)
        if fault.kind == "answer":
            self.fake.requests.append((self.path, fault.status, lines))
            self._send(fault.status, fault.body, fault.headers)
        else:
            self.close_connection = True

    def _answer(self, status: int, message: dict[str, str], lines: int = 0) -> None:
        self.fake.requests.append((self.path, status, lines))
        self._send(status, json.dumps(message).encode() if message else b"", {})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Tests look at `requests`."""


class _Server(ThreadingHTTPServer):
    """Its end cuts the connections that clients keep open, as the end of a process would."""

    daemon_threads = True

    def __init__(self, port: int, handler: type[_Handler]) -> None:
        super().__init__(("127.0.0.1", port), handler)
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def cut(self) -> None:
        for connection in tuple(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def running_fake(fake: InfluxFake, port: int | None = None) -> Iterator[int]:
    """Serve it (again) on a port, which is yielded; at the end it refuses connections."""
    handler = type("Handler", (_Handler,), {"fake": fake})
    fake.ending.clear()
    server = _Server(port or free_port(), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        fake.ending.set()
        server.shutdown()
        server.server_close()
        server.cut()
        thread.join(10)
