"""The default telemetry store: tables in the server's own database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from carrel.contracts.telemetry import Quantity, TelemetryPoint
from server.db import Database
from server.telemetry import repository
from server.telemetry.repository import SeriesKey
from server.telemetry.store import Bucket, Source, Window

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


class DatabaseStore:
    """Satisfies TelemetryStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ids: dict[SeriesKey, int] = {}

    def append(self, points: Sequence[TelemetryPoint]) -> None:
        """Durable when it returns; a point of the same source and millisecond changes nothing."""
        if not points:
            return
        ids = self._series({_key(Source(p.device, p.zone, p.quantity)) for p in points})
        rows = {(ids[_key(Source(p.device, p.zone, p.quantity))], _ms(p.ts)): p.value for p in points}
        ordered = [{"series": series, "ts": ts, "value": value} for (series, ts), value in sorted(rows.items())]
        newest = list({row["series"]: row for row in ordered}.values())
        with self._database.writing() as session:
            repository.add_points(session, ordered)
            repository.set_latest(session, newest)

    def latest(self, zone: str) -> list[TelemetryPoint]:
        """The newest point of each source of a zone."""
        with self._database.reading() as session:
            rows = repository.latest(session, zone)
        return [
            TelemetryPoint(ts=_time(ts), device=device, zone=zone, quantity=Quantity(quantity), value=value)
            for device, quantity, ts, value in rows
        ]

    def aggregate(self, sources: Sequence[Source], window: Window) -> list[Bucket]:
        """Buckets that hold anything, oldest first."""
        width = window.bucket_s * 1000
        start, end = _ms(window.start), _ms(window.end)
        with self._database.reading() as session:
            series = repository.series_ids(session, [_key(source) for source in sources])
            rows = repository.aggregate(session, list(series.values()), start=start, end=end, width=width)
        return [
            Bucket(_time(start + number * width), float(low), float(mean), float(high), count)
            for number, low, mean, high, count in rows
        ]

    def trim(self, before: datetime, limit: int) -> int:
        """Delete at most `limit` points older than `before`; returns how many went."""
        gone = 0
        with self._database.writing() as session:
            for series in repository.all_series(session):
                gone += repository.trim(session, series, before=_ms(before), limit=limit - gone)
                if gone >= limit:
                    break
        return gone

    def _series(self, keys: set[SeriesKey]) -> dict[SeriesKey, int]:
        """Ids, made where missing in a transaction of their own: only what is committed may be remembered."""
        missing = sorted(keys - self._ids.keys())
        if missing:
            with self._database.writing() as session:
                repository.add_series(session, missing)
                self._ids.update(repository.series_ids(session, missing))
        return self._ids


def _key(source: Source) -> SeriesKey:
    return source.zone, source.quantity.value, source.device


def _ms(at: datetime) -> int:
    return (at - EPOCH) // MILLISECOND


def _time(ms: int) -> datetime:
    return EPOCH + ms * MILLISECOND
