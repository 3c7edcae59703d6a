"""The telemetry store beside bare sqlite3: taking values in, and answering the history API's two usual questions."""

from __future__ import annotations

import http.client
import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

from sqlalchemy.engine import make_url

from carrel.contracts.telemetry import Quantity, TelemetryPoint
from server.db import Database
from server.telemetry.database import DatabaseStore
from tests.bench import store_year
from tests.bench.figures import Figure, quantile
from tests.bench.processes import BenchError, free_ports, listens, program, wait_until
from tests.bench.store_year import HOUR, RAW, SERIES, Grain

T = TypeVar("T")

SLOWER_MOST = 2.0
"""Half of sqlite3's values a second."""
QUERY_MOST = 3.0
BATCHES = (200, 500)
ROUNDS, WARM_UP = 300, 20
QUESTIONS, BUCKETS = 100, 1000
START_LIMIT_S = 60.0
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)

_RAW_SQL = (
    "SELECT (ts - :start) / :width AS number, COUNT(*), MIN(value), MAX(value), SUM(value) / COUNT(*) "
    "FROM telemetry_point WHERE series = :series AND ts >= :start AND ts < :end GROUP BY number ORDER BY number"
)
_HOUR_SQL = (
    "SELECT (ts - :start) / :width AS number, SUM(n), MIN(low), MAX(high), SUM(total) / SUM(n) "
    "FROM telemetry_hour WHERE series = :series AND ts >= :start AND ts < :end GROUP BY number ORDER BY number"
)


def measure(folder: Path) -> list[Figure]:
    """All figures of the store; raises BenchError."""
    folder.mkdir(parents=True, exist_ok=True)
    return [*(_insert(folder, size) for size in BATCHES), *_queries(folder)]


def _insert(folder: Path, size: int) -> Figure:
    """Milliseconds per thousand values, in turns: the store's append, and executemany of the raw rows alone."""
    ours, bare = folder / f"store-{size}.db", folder / f"bare-{size}.db"
    for file in (ours, bare):
        store_year.make_tables(file)
    database = Database(make_url(f"sqlite:///{ours}"))
    store = DatabaseStore(database)
    times: dict[str, list[float]] = {"ours": [], "bare": []}
    with closing(sqlite3.connect(bare, isolation_level=None)) as connection:
        for pragma in ("journal_mode = WAL", "synchronous = FULL"):
            connection.execute(f"PRAGMA {pragma}")
        connection.executemany("INSERT INTO telemetry_series VALUES (?, 'z', 'temp', ?)", _names())
        for number in range(-WARM_UP, ROUNDS):
            points = [_point((number + WARM_UP) * size + n) for n in range(size)]
            rows = [(int(p.device[2:]) + 1, round(p.ts.timestamp() * 1000), p.value) for p in points]
            sides = {"ours": lambda p=points: store.append(p), "bare": lambda r=rows: _executemany(connection, r)}
            for name in sorted(sides, reverse=number % 2 == 0):
                _, took_s = _clocked(sides[name])
                if number >= 0:
                    times[name].append(took_s)
    database.close()
    ours_ms, bare_ms = (1000 * sum(times[name]) / (ROUNDS * size / 1000) for name in ("ours", "bare"))
    return Figure(f"store 1,000 values, {size} a transaction", ours_ms, "ms", bare_ms, SLOWER_MOST)


def _executemany(connection: sqlite3.Connection, rows: list[tuple[int, int, float]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT INTO telemetry_point VALUES (?, ?, ?)", rows)
    connection.execute("COMMIT")


def _names() -> list[tuple[int, str]]:
    return [(n + 1, f"d-{n}") for n in range(SERIES)]


def _point(n: int) -> TelemetryPoint:
    """The n-th of 200 sensors that report every 10 s."""
    at = BEGIN + timedelta(milliseconds=n // SERIES * 10_000 + n % SERIES)
    return TelemetryPoint(ts=at, device=f"d-{n % SERIES}", zone="z", quantity=Quantity.TEMP, value=20 + n % 77 / 10)


def _queries(folder: Path) -> list[Figure]:
    site = folder / "year"
    site.mkdir()
    end_ms = int(time.time() * 1000) // store_year.HOUR_MS * store_year.HOUR_MS
    began_s = time.monotonic()
    data = site / "server.db"
    rows = store_year.fill(data, end_ms)
    filled_s = time.monotonic() - began_s
    port = free_ports(1)[0]
    config, log = store_year.site(site, port), site / "server.log"
    with program("carrel.cli", "server", "--config", str(config), env={}, log=log, output=site / "server.out"):
        wait_until("the server", lambda: listens(port), limit_s=START_LIMIT_S, log=log)
        with closing(http.client.HTTPConnection("127.0.0.1", port)) as api, closing(sqlite3.connect(data)) as bare:
            figures = [
                *_question("24 h raw", RAW, _RAW_SQL, api=api, bare=bare, end_ms=end_ms),
                *_question("one year hourly", HOUR, _HOUR_SQL, api=api, bare=bare, end_ms=end_ms),
            ]
    return [Figure(f"filling a year of {SERIES} sensors, {rows:,} rows", filled_s, "s"), *figures]


def _question(
    name: str, grain: Grain, sql: str, *, api: http.client.HTTPConnection, bare: sqlite3.Connection, end_ms: int
) -> list[Figure]:
    """One sensor's course in a thousand buckets, in turns over HTTP and from a connection that is open already."""
    start_ms = end_ms - grain.days * store_year.DAY_MS
    times: dict[str, list[float]] = {"api": [], "bare": []}
    for number in range(-5, QUESTIONS):
        room = number % store_year.ROOMS
        query = {"metric": "temp", "from": _iso(start_ms), "to": _iso(end_ms), "buckets": BUCKETS}
        address = f"/api/v1/rooms/room-{room}/history?{urlencode(query)}"
        answer, api_s = _clocked(lambda address=address: _get(api, address))
        told = json.loads(answer)
        words = {"start": start_ms, "end": end_ms, "width": told["bucket_s"] * 1000, "series": 1 + room * 4}
        rows, bare_s = _clocked(lambda words=words: bare.execute(sql, words).fetchall())
        if [row[1] for row in rows] != told["n"] or [round(row[4], 3) for row in rows] != told["mean"]:
            raise BenchError(f"{name}: the API does not answer what sqlite3 answers")
        if number >= 0:
            times["api"].append(1000 * api_s)
            times["bare"].append(1000 * bare_s)
    return [
        Figure(f"{name} p50", quantile(times["api"], 0.5), "ms", quantile(times["bare"], 0.5), QUERY_MOST),
        Figure(f"{name} p95", quantile(times["api"], 0.95), "ms", quantile(times["bare"], 0.95)),
    ]


def _get(api: http.client.HTTPConnection, address: str) -> bytes:
    api.request("GET", address)
    answer = api.getresponse()
    body = answer.read()
    if answer.status != http.client.OK:
        raise BenchError(f"{address}: {answer.status} {body[:200]!r}")
    return body


def _clocked(work: Callable[[], T]) -> tuple[T, float]:
    began_s = time.perf_counter()
    found = work()
    return found, time.perf_counter() - began_s


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat()
