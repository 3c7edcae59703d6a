"""Judgements about exports. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from server.telemetry.store import Window
from server.telemetry.windows import edge_before

Resolution = Literal["raw", "5min", "1h", "1d"]
State = Literal["waiting", "running", "done", "failed"]

KEPT = timedelta(days=1)
"""How long an export stays after it was asked for."""
MOST_UNFINISHED = 10
MOST_ATTEMPTS = 3
LONGEST = timedelta(days=366 * 20)

SILENT = timedelta(seconds=60)
"""A worker that has not said anything for so long is gone: another one begins anew."""
REST = timedelta(seconds=30)
"""Between two attempts, so that what was away may come back."""

_WIDTH_S = {"5min": 300, "1h": 3600}
_READ = {"5min": timedelta(days=1), "1h": timedelta(days=30)}
"""How much is read at once."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an export holds: start <= time < end. `excel` puts a byte order mark first, by which Excel knows UTF-8."""

    rooms: tuple[str, ...]
    metrics: tuple[str, ...]
    start: datetime
    end: datetime
    resolution: Resolution
    excel: bool = False


def windows(wanted: Wanted, zone: ZoneInfo, finest_s: Callable[[datetime], int]) -> Iterator[Window]:
    """The buckets of an export that is not raw, a piece for each read; wider ones where no finer rows are left.

    Buckets are of UTC's hours and 5 minutes; a day is the library's own, of 23 to 25 hours. The first one is that in
    which the export begins.
    """
    if wanted.resolution == "1d":
        yield from _days(wanted.start, wanted.end, zone)
        return
    wanted_s = _WIDTH_S[wanted.resolution]
    at = wanted.start
    while at < wanted.end:
        width_s = max(wanted_s, finest_s(at))
        at = edge_before(at, width_s)
        end = min(at + _READ[wanted.resolution], wanted.end)
        yield Window(at, end, width_s)
        at = end


def _days(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[Window]:
    day = start.astimezone(zone).date()
    at = _midnight(day, zone)
    while at < end:
        day += timedelta(days=1)
        following = _midnight(day, zone)
        yield Window(at, min(following, end), round((following - at).total_seconds()))
        at = following


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)
