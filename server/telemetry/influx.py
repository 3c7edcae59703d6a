"""The history read from InfluxDB, into which the gateway writes it itself.

What arrives by MQTT still gives each series' newest value, kept in the server's database; its rows are not stored a
second time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import httpx

from carrel.contracts.telemetry import TelemetryPoint
from carrel.sections import InfluxConfig
from server.telemetry import influxql
from server.telemetry.database import DatabaseStore
from server.telemetry.errors import HistoryUnavailableError
from server.telemetry.rollup import Tally
from server.telemetry.store import Bucket, Kept, Source, Value, Window
from server.telemetry.windows import to_ms, to_time

log = logging.getLogger(__name__)

TIMEOUT = httpx.Timeout(10.0, connect=2.0)
AGAIN_AFTER_S = 5.0
"""After no answer nobody waits for one this long: a page asks for many histories."""


class InfluxClient:
    """Asks /query; of one process, for all its threads."""

    def __init__(self, config: InfluxConfig, *, again_after_s: float = AGAIN_AFTER_S) -> None:
        headers = {"Authorization": f"Token {config.token}"} if config.api == "v2" and config.token else {}
        auth = (config.username, config.password) if config.api == "v1" and config.username else None
        self._database = config.database
        self._http = httpx.Client(base_url=config.url, headers=headers, auth=auth, timeout=TIMEOUT, trust_env=False)
        self._again_after_s = again_after_s
        self._not_before = 0.0
        self._lost = False

    def ask(self, statement: str) -> list[dict[str, Any]]:
        """The series of the answer; raises HistoryUnavailableError."""
        if time.monotonic() < self._not_before:
            raise HistoryUnavailableError
        try:
            found = _series(self._http.get("/query", params={"db": self._database, "epoch": "ms", "q": statement}))
        except (httpx.HTTPError, ValueError) as error:
            if isinstance(error, httpx.HTTPError):
                self._not_before = time.monotonic() + self._again_after_s
            self._tell(str(error) or type(error).__name__)
            raise HistoryUnavailableError from error
        self._tell("")
        return found

    def probe(self) -> str | None:
        """None when it answers, else why not."""
        try:
            self._http.get("/ping", timeout=TIMEOUT.connect).raise_for_status()
        except httpx.HTTPError as error:
            return type(error).__name__
        return None

    def close(self) -> None:
        """Give its connections back."""
        self._http.close()

    def _tell(self, trouble: str) -> None:
        if trouble and not self._lost:
            log.warning("history cannot be read from InfluxDB: %.300s", trouble)
        elif self._lost and not trouble:
            log.info("history can be read from InfluxDB again")
        self._lost = bool(trouble)


class InfluxStore:
    """Satisfies TelemetryStore. How long InfluxDB keeps its rows is its own retention policy's business."""

    def __init__(self, client: InfluxClient, branch: str, newest: DatabaseStore) -> None:
        self._client = client
        self._branch = branch
        self._newest = newest

    def append(self, points: Sequence[TelemetryPoint]) -> None:
        """The newest values are durable when it returns; the rows are the gateway's to write."""
        self._newest.note_newest(points)

    def latest(self, zone: str) -> list[TelemetryPoint]:
        """The newest point of each source of a zone."""
        return self._newest.latest(zone)

    def sources(self, device: str) -> list[Source]:
        """What this device has ever measured and where."""
        return self._newest.sources(device)

    def sources_in(self, zone: str) -> list[Source]:
        """What has ever been measured in this zone and by which device, whatever became of it since."""
        return self._newest.sources_in(zone)

    def aggregate(self, sources: Sequence[Source], window: Window) -> list[Bucket]:
        """Buckets that hold anything, oldest first, of the rows that InfluxDB still has."""
        if not sources:
            return []
        start, width = to_ms(window.start), window.bucket_s * 1000
        statement = influxql.buckets(self._branch, sources, start=start, end=to_ms(window.end), width=width)
        found: dict[int, Tally] = {}
        for row in _rows(self._client.ask(statement)):
            at, mean, low, high, n = row
            if n:
                found.setdefault(int(at), Tally()).join(Tally(int(n), low, high, mean * n))
        return [
            Bucket(at, tally.low, tally.total / tally.n, tally.high, tally.n) for at, tally in sorted(found.items())
        ]

    def finest_s(self, start: datetime) -> int:  # noqa: ARG002  # the protocol's signature
        """Raw values, however old: InfluxDB has them or has nothing."""
        return 0

    def values(self, source: Source, start: datetime, end: datetime, *, limit: int) -> list[Value]:
        """The first `limit` raw values of start <= at < end, oldest first."""
        statement = influxql.values(self._branch, source, start=to_ms(start), end=to_ms(end), limit=limit)
        return [Value(to_time(int(at)), value) for at, value in _rows(self._client.ask(statement))]

    def before(self, source: Source, at: datetime) -> Value | None:
        """The last value before `at`."""
        rows = _rows(self._client.ask(influxql.before(self._branch, source, to_ms(at))))
        return Value(to_time(int(rows[0][0])), rows[0][1]) if rows else None

    def trim(self, now: datetime, kept: Kept, limit: int) -> int:
        """Of what the server's own database holds from a time before InfluxDB."""
        return self._newest.trim(now, kept, limit)

    def close(self) -> None:
        """Give its connections back."""
        self._client.close()


def _series(answer: httpx.Response) -> list[dict[str, Any]]:
    """Raises HTTPStatusError for a server that cannot now, ValueError for any other bad answer, also of status 200."""
    if answer.is_server_error:
        answer.raise_for_status()
    if answer.status_code != httpx.codes.OK:
        raise ValueError(f"status {answer.status_code}: {answer.text.strip()}")
    body = answer.json()
    if not isinstance(body, dict) or not isinstance(body.get("results"), list):
        raise ValueError("the answer has no results")
    errors = [part["error"] for part in (body, *body["results"]) if "error" in part]
    if errors:
        raise ValueError(str(errors[0]))
    return [series for result in body["results"] for series in result.get("series", ())]


def _rows(series: list[dict[str, Any]]) -> list[list[Any]]:
    return [row for one in series for row in one.get("values", ())]
