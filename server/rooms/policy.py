"""Judgements about rooms. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Literal

End = Literal["cancelled", "expired", "replaced", "ended"]


@dataclass(frozen=True, slots=True)
class Sample:
    """The last value of one sensor and when it was reported."""

    value: float
    at: datetime


@dataclass(frozen=True, slots=True)
class RoomValue:
    """A room's value; None is unknown. `at` is the newest report, also when it is too old to count."""

    value: float | None = None
    at: datetime | None = None


def room_value(samples: Sequence[Sample], now: datetime, stale_after: timedelta) -> RoomValue:
    """The median of the sensors that reported lately."""
    fresh = [sample.value for sample in samples if now - sample.at <= stale_after]
    newest = max((sample.at for sample in samples), default=None)
    return RoomValue(median(fresh) if fresh else None, newest)


def how_ended(*, until: datetime, cancelled: bool, replaced: bool, at: datetime) -> End:
    """Why an override that the gateway no longer lists is over; `at` is the time of its list."""
    if cancelled:
        return "cancelled"
    if at >= until:
        return "expired"
    return "replaced" if replaced else "ended"


def digest(facts: Any) -> str:
    """A short text that differs when the facts (of plain values) differ; the same in every process."""
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:12]
