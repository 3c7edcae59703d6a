"""Energy from what a device's own meter told. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.reports.policy import HOUR
from server.reports.running import HELD
from server.telemetry.store import Bucket, Value, Window


@dataclass(frozen=True, slots=True)
class Metered:
    """Energy, and the hours in which it was used."""

    kwh: float
    known_h: float


def by_counter(buckets: Sequence[Bucket], window: Window, before: Value | None) -> Metered:
    """Of a meter's readings in kWh, the last one before the window among them when it is not old.

    A gap is bridged: the meter went on meanwhile. One that falls back began anew and is followed from there.
    """
    if not buckets:
        return Metered(0.0, 0.0)
    fresh = before is not None and window.start - before.at <= HELD
    last = before.value if before is not None and fresh else buckets[0].minimum
    kwh = 0.0
    for bucket in buckets:
        kwh += max(0.0, bucket.maximum - last)
        last = bucket.minimum if bucket.minimum < last else bucket.maximum
    return Metered(kwh, (_end(buckets[-1], window) - (window.start if fresh else buckets[0].start)) / HOUR)


def by_power(buckets: Sequence[Bucket], window: Window, before: Value | None) -> Metered:
    """Of reports of power in W, each of which holds until the next one, unless that is long after."""
    joules = 0.0
    known = timedelta()
    at, watt = (before.at, before.value) if before else (window.start, None)

    def count(since: datetime, until: datetime, power: float) -> None:
        nonlocal joules, known
        known += until - since
        joules += power * (until - since).total_seconds()

    for bucket in buckets:
        if watt is not None and bucket.start - at <= HELD:
            count(max(at, window.start), bucket.start, watt)
        at, watt = _end(bucket, window), bucket.mean
        count(bucket.start, at, watt)
    if watt is not None and window.end - at <= HELD:
        count(max(at, window.start), window.end, watt)
    return Metered(joules / 3.6e6, known / HOUR)


def _end(bucket: Bucket, window: Window) -> datetime:
    return min(bucket.start + timedelta(seconds=window.bucket_s), window.end)
