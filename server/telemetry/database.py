"""The default telemetry store: tables in the server's own database."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection

from carrel.contracts.telemetry import Quantity, TelemetryPoint
from server.db import Database
from server.telemetry import repository
from server.telemetry.heads import Heads
from server.telemetry.repository import SeriesKey
from server.telemetry.rollup import UNDER_WAY, Head, Row, roll
from server.telemetry.store import EPOCH, Bucket, Kept, Source, Value, Window
from server.telemetry.windows import FIVE_MINUTES, HOUR, MILLISECOND, RAW, Slice, cut, to_ms, to_time

EMPTY_PAGES = 10_000
"""40 MB: what lies empty on SQLite before any of it is given back to the file system."""
PAGES_AT_ONCE = 1000

GONE_KNOWN_S = 60.0
"""So long it is not asked again which rows have gone, unless they went here: a chart that is a little too fine for what
is left shows each coarse row in the bucket in which it begins."""
SERIES_KNOWN_S = 10.0
"""So long after it a series that another process made may be missing from its zone."""

_MOMENT = itemgetter(0, 1)
_NUMBER = itemgetter(0)

Tallied = Sequence[Any]
"""Number of the bucket, number of values, least, greatest and sum."""


class DatabaseStore:
    """Satisfies TelemetryStore. The rollups are written in the transaction of the raw values."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._heads = Heads(database)
        self._ids: dict[SeriesKey, int] = {}
        self._gone: tuple[float, dict[int, int]] = (-GONE_KNOWN_S, {})
        self._in_zone: dict[str, tuple[float, list[Source]]] = {}

    def append(self, points: Sequence[TelemetryPoint]) -> None:
        """Durable when it returns; a point of the same source and millisecond changes nothing."""
        rows = self._rows(points)
        if not rows:
            return
        with self._heads.changing({series for series, _, _ in rows}) as (connection, heads):
            new = [row for row in rows if row[1] > heads[row[0]][0]]
            repository.add_points(connection, new)
            if len(new) < len(rows):  # late, or a repeat: only these have to be looked up
                late = [row for row in rows if row[1] <= heads[row[0]][0]]
                new += repository.add_missing_points(connection, late)
            for grain, closed in roll(heads, new).items():
                repository.add_rollups(connection, grain, closed)

    def note_newest(self, points: Sequence[TelemetryPoint]) -> None:
        """Keep nothing of them but each series' newest value; for where another store has the rows."""
        rows = self._rows(points)
        if not rows:
            return
        with self._heads.changing({series for series, _, _ in rows}) as (_, heads):
            for series, ts, value in rows:
                if ts >= heads[series][0]:
                    heads[series][0:2] = ts, value

    def latest(self, zone: str) -> list[TelemetryPoint]:
        """The newest point of each source of a zone."""
        with self._reading() as connection:
            rows = repository.latest(connection, zone)
        return [
            TelemetryPoint(ts=to_time(ts), device=device, zone=zone, quantity=Quantity(quantity), value=value)
            for device, quantity, ts, value in rows
        ]

    def sources(self, device: str) -> list[Source]:
        """What this device has ever measured and where."""
        with self._reading() as connection:
            keys = repository.keys_of(connection, device)
        return [Source(device, zone, Quantity(quantity)) for zone, quantity, _ in keys]

    def sources_in(self, zone: str) -> list[Source]:
        """What has ever been measured in this zone and by which device, whatever became of it since."""
        known = self._in_zone.get(zone)
        if known is None or time.monotonic() - known[0] > SERIES_KNOWN_S:
            with self._reading() as connection:
                keys = repository.keys_in(connection, zone)
            known = time.monotonic(), [Source(device, zone, Quantity(quantity)) for _, quantity, device in keys]
            if keys:  # made-up zones must not fill the memory
                self._in_zone[zone] = known
        return known[1]

    def aggregate(self, sources: Sequence[Source], window: Window) -> list[Bucket]:
        """Buckets that hold anything, oldest first; from the coarsest rows that give what the raw values give."""
        origin, width = to_ms(window.start), window.bucket_s * 1000
        with self._reading() as connection:
            series = list(self._known(connection, sources).values())
            if not series:
                return []
            parts = cut(window, repository.gone(connection))
            rows: list[Tallied] = [
                row
                for part in parts
                for row in repository.tallies(connection, series, part, origin=origin, width=width)
            ]
            heads = repository.heads_of(connection, series).values() if any(part.grain > RAW for part in parts) else ()
        rows += [((ts - origin) // width, *figures) for ts, figures in _under_way(parts, heads)]
        rows.sort(key=_NUMBER)
        return [
            Bucket(origin + number * width, low, total / n, high, n) for number, n, low, high, total in _merged(rows)
        ]

    def finest_s(self, start: datetime) -> int:
        """How fine the rows are that are left from `start` on: 0 is raw values, else seconds (300 or 3600)."""
        known_s, gone = self._gone
        if time.monotonic() - known_s > GONE_KNOWN_S:
            with self._reading() as connection:
                gone = repository.gone(connection)
            self._gone = time.monotonic(), gone
        at = to_ms(start)
        left = next(grain for grain in (RAW, FIVE_MINUTES, HOUR) if at >= gone.get(grain, at))
        return left // 1000

    def values(self, source: Source, start: datetime, end: datetime, *, limit: int) -> list[Value]:
        """The first `limit` raw values of start <= at < end, oldest first."""
        with self._reading() as connection:
            found: list[Value] = []
            for series in self._known(connection, [source]).values():
                rows = repository.values(connection, series, start=to_ms(start), end=to_ms(end), limit=limit)
                found += [Value(to_time(ts), value) for ts, value in rows]
        return found

    def before(self, source: Source, at: datetime) -> Value | None:
        """The last value before `at`; where raw values have gone, the mean and beginning of the last rollup."""
        with self._reading() as connection:
            for series in self._known(connection, [source]).values():
                row = repository.before(connection, series, to_ms(at))
                return Value(to_time(row[0]), row[1]) if row else None
        return None

    def trim(self, now: datetime, kept: Kept, limit: int) -> int:
        """Delete at most `limit` rows that are older than they are kept; returns how many went."""
        went = 0
        self._gone = -GONE_KNOWN_S, {}
        with self._database.connection() as connection:
            for grain, age in ((RAW, kept.raw), (FIVE_MINUTES, kept.five_minutes)):
                before = to_ms(now - age)
                before -= before % FIVE_MINUTES
                repository.note_gone(connection, grain, before)
                for series in repository.all_series(connection):
                    went += repository.trim(connection, grain, series, before=before, limit=limit - went)
                    if went >= limit:
                        return went
        with self._database.connection() as connection:
            repository.give_back_pages(connection, above=EMPTY_PAGES, at_once=PAGES_AT_ONCE)
        return went

    def close(self) -> None:
        """Nothing of its own: the database is the server's."""

    def _rows(self, points: Sequence[TelemetryPoint]) -> list[Row]:
        """Each moment of a series once, the first that came, in order; series are made where missing."""
        try:
            rows = self._numbered(points)
        except KeyError:
            self._make_series({(point.zone, point.quantity.value, point.device) for point in points})
            rows = self._numbered(points)
        rows.sort(key=_MOMENT)
        return [row for row, last in zip(rows, [None, *rows], strict=False) if not last or row[:2] != last[:2]]

    def _numbered(self, points: Sequence[TelemetryPoint]) -> list[Row]:
        ids = self._ids
        return [(ids[p.zone, p.quantity.value, p.device], (p.ts - EPOCH) // MILLISECOND, p.value) for p in points]

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """One snapshot for all statements of a question: a bucket may be moved from its head between two of them."""
        with self._database.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    def _known(self, connection: Connection, sources: Sequence[Source]) -> dict[SeriesKey, int]:
        """Ids of those of these sources that exist; series are never deleted, so they may be remembered."""
        keys = [(source.zone, source.quantity.value, source.device) for source in sources]
        missing = [key for key in keys if key not in self._ids]
        if missing:
            self._ids.update(repository.series_ids(connection, missing))
        return {key: self._ids[key] for key in keys if key in self._ids}

    def _make_series(self, keys: set[SeriesKey]) -> None:
        """In a transaction of its own: only what is committed may be remembered."""
        missing = sorted(keys - self._ids.keys())
        if not missing:  # another thread has
            return
        with self._database.connection() as connection:
            ids = repository.add_series(connection, missing)
        self._ids.update(ids)
        self._in_zone.clear()


def _merged(rows: Sequence[Tallied]) -> Iterable[Tallied]:
    """One row for each bucket, of rows in their order; mostly they are so already."""
    if all(row[0] != following[0] for row, following in pairwise(rows)):
        return rows
    found: dict[int, Tallied] = {}
    for row in rows:
        other = found.get(row[0])
        found[row[0]] = row if other is None else _together(other, row)
    return found.values()


def _together(one: Tallied, other: Tallied) -> Tallied:
    return [one[0], one[1] + other[1], min(one[2], other[2]), max(one[3], other[3]), one[4] + other[4]]


def _under_way(parts: Sequence[Slice], heads: Iterable[Head]) -> Iterator[tuple[int, Sequence[Any]]]:
    """What the buckets under way hold that a question asks for, each with its beginning."""
    for part in parts:
        if part.grain in UNDER_WAY:
            at = UNDER_WAY[part.grain]
            for ts, n, *rest in (head[at : at + 5] for head in heads):
                if n and part.start <= ts < part.end:
                    yield ts, [n, *rest]
