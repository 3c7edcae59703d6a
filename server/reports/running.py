"""How an actuator ran, from what its device reported. Pure; every figure is an estimate from buckets of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from server.reports.policy import HOUR
from server.telemetry.store import Bucket, Value, Window

HELD: Final = timedelta(hours=2)
"""A device that has said nothing for longer is not assumed to be as it was: it reports at least hourly."""
SAME: Final = 0.01
"""Of full output: what differs by less is no move."""


@dataclass(frozen=True, slots=True)
class Running:
    """Hours known, hours at full output (half output counts half), and how often it was switched or moved at least."""

    known_h: float
    full_h: float
    changes: int


class _Tally:
    """What has come up to `at`; `level` (0..1) is where the device was when last seen at one level only."""

    def __init__(self, window: Window, before: Value | None, scale: float) -> None:
        self.window = window
        self.scale = scale
        self.known = self.full = timedelta()
        self.changes = 0
        self.mixed = 0
        self.at = before.at if before else window.start
        self.level = self.share(before.value) if before else None

    def share(self, value: float) -> float:
        """A reported value as a share of full output."""
        return min(max(value / self.scale, 0.0), 1.0)

    def silent(self, until: datetime, level: float | None) -> None:
        """Nothing was reported up to `until`: the device stayed as it was, unless it was silent too long."""
        if level is not None and until - self.at <= HELD:
            self._count(until - max(self.at, self.window.start), level)
        self.at = until

    def take(self, bucket: Bucket, *, switch: bool) -> None:
        """Something was reported in a bucket."""
        share = self.share(bucket.mean)
        end = min(bucket.start + timedelta(seconds=self.window.bucket_s), self.window.end)
        self._count(end - bucket.start, share)
        self.at = end
        if self.share(bucket.maximum) - self.share(bucket.minimum) > SAME:
            self.mixed += 1
            return
        moved = self.level is not None and abs(share - self.level) > SAME
        least = max(self.mixed, int(moved))
        if switch and self.level is not None and least % 2 != int(moved):
            least += 1  # a switch that ends where it began was switched an even number of times
        self.changes += least
        self.level, self.mixed = share, 0

    def _count(self, span: timedelta, level: float) -> None:
        self.known += span
        self.full += span * level


def running(buckets: Sequence[Bucket], window: Window, before: Value | None, *, scale: float, switch: bool) -> Running:
    """Of a device that reports 0 up to `scale`; `before` is its last report before the window."""
    tally = _Tally(window, before, scale)
    for bucket in buckets:
        tally.silent(bucket.start, tally.share(bucket.mean) if tally.mixed else tally.level)
        tally.take(bucket, switch=switch)
    tally.silent(window.end, None if tally.mixed else tally.level)
    return Running(tally.known / HOUR, tally.full / HOUR, tally.changes + tally.mixed)
