"""Deadband (S3) and minimum dwell (S4, S5): the memory that keeps a rule from flapping."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

Side = Literal["above", "below", "equals"]


@dataclass(frozen=True, slots=True)
class Threshold:
    """A limit with a one-sided deadband: `above` goes true at the limit and false at limit - hysteresis."""

    side: Side
    limit: float
    hysteresis: float = 0.0

    def latch(self, value: float, was: bool, shift: float = 0.0) -> bool:
        """The condition's truth after `value`; inside the deadband it stays what it was. `equals` has no memory."""
        if self.side == "equals":
            return value == self.limit
        limit = self.limit + shift
        if self.side == "above":
            return value >= limit or (was and value > limit - self.hysteresis)
        return value <= limit or (was and value < limit + self.hysteresis)


@dataclass(frozen=True, slots=True)
class Dwell:
    """A latch, since when it holds, and the rule activity that follows it after the dwell times."""

    latch: bool = False
    since: datetime | None = None
    active: bool = False
    paused_at: datetime | None = None

    def advance(self, latch: bool, now: datetime, *, hold: timedelta, release: timedelta) -> "Dwell":
        """Follow the latch: active after `hold` of unbroken truth, inactive after `release` of unbroken untruth."""
        since = self._resumed_since(now) if latch == self.latch else now
        active = self.active
        if latch != active:
            assert since is not None  # a latch that moved once has a time
            wait = hold if latch else release
            active = latch if now - since >= wait else active
        if latch == self.latch and since == self.since and active == self.active:
            return self if self.paused_at is None else replace(self, paused_at=None)
        return Dwell(latch, since, active)

    def pause(self, now: datetime) -> "Dwell":
        """Freeze latch, activity and the running timer until the next advance."""
        return self if self.paused_at is not None else replace(self, paused_at=now)

    def _resumed_since(self, now: datetime) -> datetime | None:
        if self.paused_at is None or self.since is None:
            return self.since
        return self.since + (now - self.paused_at)


NEVER: Final = Dwell()
