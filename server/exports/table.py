"""The rows of an export as CSV (RFC 4180), read from the history in small pieces.

Raw: a row for each value of each sensor. Otherwise a row for each bucket of a room, with the mean, least and greatest
value and the number of values of each metric; empty fields where nothing was measured.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TextIO
from zoneinfo import ZoneInfo

from carrel.contracts.telemetry import UNITS
from server.exports.policy import Wanted, windows
from server.rooms.history import History, unit_of
from server.telemetry.store import Bucket, Source, TelemetryStore
from server.telemetry.windows import to_time

READ = 5000
"""Raw values read at once."""
MILLISECOND = timedelta(milliseconds=1)
DECIMALS = 6

Write = Callable[[list[object]], object]


@dataclass(frozen=True, slots=True)
class Progress:
    """After a read: rows written so far, and which part of the work is done (0 to 1)."""

    rows: int
    done: float


def write(file: TextIO, wanted: Wanted, history: History, zone: ZoneInfo) -> Iterator[Progress]:
    """Write everything; each step is one read. The file was opened with newline=""."""
    writer = csv.writer(file)
    writer.writerow(_header(wanted, zone))
    pieces = _raw(writer.writerow, wanted, history, zone) if wanted.resolution == "raw" else None
    for rows, done in pieces or _bucketed(writer.writerow, wanted, history, zone):
        yield Progress(rows, done)


def _header(wanted: Wanted, zone: ZoneInfo) -> list[str]:
    times = [f"time [{zone.key}]", "time [UTC]", "room"]
    if wanted.resolution == "raw":
        return [*times, "device", "metric", "value", "unit"]
    columns = [*times, "bucket [s]"]
    for metric in wanted.metrics:
        unit = f" [{unit_of(metric)}]" if unit_of(metric) else ""
        columns += [f"{metric} {figure}{unit}" for figure in ("mean", "min", "max")] + [f"{metric} values"]
    return columns


def _raw(put: Write, wanted: Wanted, history: History, zone: ZoneInfo) -> Iterator[tuple[int, float]]:
    sources = [source for room in wanted.rooms for metric in wanted.metrics for source in history.sensors(room, metric)]
    rows = 0
    for number, source in enumerate(sources):
        for at, count in _values(put, wanted, history.store, source=source, zone=zone):
            rows += count
            yield rows, (number + _part(wanted, at)) / len(sources)


def _values(
    put: Write, wanted: Wanted, store: TelemetryStore, *, source: Source, zone: ZoneInfo
) -> Iterator[tuple[datetime, int]]:
    """Up to when one source is written, and how many rows that step made."""
    at, metric, unit = wanted.start, source.quantity.value, UNITS[source.quantity]
    while at < wanted.end:
        found = store.values(source, at, wanted.end, limit=READ)
        for value in found:
            put([*_times(value.at, zone, "milliseconds"), source.zone, source.device, metric, value.value, unit])
        at = found[-1].at + MILLISECOND if len(found) == READ else wanted.end
        yield at, len(found)


def _bucketed(put: Write, wanted: Wanted, history: History, zone: ZoneInfo) -> Iterator[tuple[int, float]]:
    rows = 0
    for number, room in enumerate(wanted.rooms):
        for window in windows(wanted, zone, history.store.finest_s):
            found = [
                {bucket.ts: bucket for bucket in history.measured(room, metric, window)} for metric in wanted.metrics
            ]
            for at in sorted(set[int]().union(*found)):
                figures = _figures([one.get(at) for one in found])
                put([*_times(to_time(at), zone, "seconds"), room, window.bucket_s, *figures])
                rows += 1
            yield rows, (number + _part(wanted, window.end)) / len(wanted.rooms)


def _figures(buckets: list[Bucket | None]) -> Iterator[object]:
    for bucket in buckets:
        if bucket is None:
            yield from ("", "", "", 0)
        else:
            yield from (round(value, DECIMALS) for value in (bucket.mean, bucket.minimum, bucket.maximum))
            yield bucket.count


def _times(at: datetime, zone: ZoneInfo, fineness: str) -> tuple[str, str]:
    """ISO 8601: the library's own time with its offset, and UTC."""
    utc = at.astimezone(UTC)
    return utc.astimezone(zone).isoformat(timespec=fineness), utc.isoformat(timespec=fineness).replace("+00:00", "Z")


def _part(wanted: Wanted, at: datetime) -> float:
    return min(1.0, (at - wanted.start) / (wanted.end - wanted.start))
