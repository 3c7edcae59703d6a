"""Time as an argument: the Clock protocol and helpers for the library's own day. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Where the time comes from; tests pass one they can turn."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""


def local_date(at: datetime, zone: ZoneInfo) -> date:
    """The library's calendar day at an instant."""
    return at.astimezone(zone).date()


@lru_cache(1000)
def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The last second of a library's day, as an aware instant in that zone; the later one where clocks repeat it, the
    last before where they leave it out."""
    ends = (datetime.combine(day, time(23, 59, 59, fold=fold), zone) for fold in (0, 1))
    return max(ends, key=lambda end: (local_date(end.astimezone(UTC), zone) == day, end.timestamp()))
