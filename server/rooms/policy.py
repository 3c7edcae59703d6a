"""Judgements about rooms. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from statistics import median
from typing import Any, Literal

from environment.preservation import moisture

End = Literal["cancelled", "expired", "replaced", "ended"]
Stage = Literal["queued", "sent", "unanswered", "refused", "held", "moving", "unconfirmed", "confirmed"]
"""How far a person's wish has come. queued: written down. sent: on its way to the gateway. unanswered: sent, and no
word from the gateway in CONFIRM_WITHIN. held: taken, but something stands above it for now. moving: the device was
told. unconfirmed: it has not reported the value in CONFIRM_WITHIN. confirmed: it has."""

CONFIRM_WITHIN = timedelta(seconds=10)
ANYTHING = (-inf, inf)


@dataclass(frozen=True, slots=True)
class Sample:
    """The last value of one sensor and when it was reported; not `heard` while its gateway is away."""

    value: float
    at: datetime
    heard: bool = True


@dataclass(frozen=True, slots=True)
class RoomValue:
    """A room's value; None is unknown. `at` is the newest report, also when it is too old to count.

    Not `heard` while every gateway that it came from is away: it was so, and may be otherwise now.
    """

    value: float | None = None
    at: datetime | None = None
    heard: bool = True


def room_value(
    samples: Sequence[Sample], now: datetime, stale_after: timedelta, *, plausible: tuple[float, float] = ANYTHING
) -> RoomValue:
    """The median of the sensors that reported lately; what cannot be true counts no more than for the rules."""
    low, high = plausible
    fresh = [sample for sample in samples if now - sample.at <= stale_after and low <= sample.value <= high]
    newest = max((sample.at for sample in samples), default=None)
    if not fresh:
        return RoomValue(None, newest)
    return RoomValue(median(s.value for s in fresh), newest, heard=any(s.heard for s in fresh))


@dataclass(frozen=True, slots=True)
class Doing:
    """What an actuator was told and reports, and since when each is so; None is unknown."""

    commanded: float | None = None
    reported: float | None = None
    commanded_at: datetime | None = None
    reported_at: datetime | None = None
    tolerance: float = 0.0


def stage_of_order(asked_at: datetime, now: datetime, *, sent: bool) -> Stage:
    """Of a wish that the gateway has not answered."""
    if not sent:
        return "queued"
    return "unanswered" if now - asked_at > CONFIRM_WITHIN else "sent"


def stage_of_override(value: float, doing: Doing, now: datetime) -> Stage:
    """Of a wish that the gateway has taken: only the device's own report confirms it."""
    if doing.commanded is None or round(doing.commanded) != round(value):
        return "held"
    if doing.reported is not None and abs(doing.reported - value) <= doing.tolerance:
        return "confirmed"
    changes = [at for at in (doing.commanded_at, doing.reported_at) if at is not None]
    return "moving" if changes and now - max(changes) <= CONFIRM_WITHIN else "unconfirmed"


def dew_point(temp: RoomValue, rh: RoomValue) -> RoomValue:
    """Of a room's air in °C; unknown while temperature or humidity is; as old as the older of them."""
    at = min(temp.at, rh.at) if temp.at and rh.at else None
    if temp.value is None or rh.value is None or rh.value <= 0:
        return RoomValue(None, at)
    return RoomValue(moisture.dew_point(temp.value, rh.value), at, heard=temp.heard and rh.heard)


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
