"""Which rows answer a question about a span of time. Pure; times are integer milliseconds since 1970 UTC.

Three grains of row: raw values, and rollups of 5 minutes and of an hour whose edges are multiples of that in UTC.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.telemetry.store import EPOCH, Window

RAW, FIVE_MINUTES, HOUR = 1, 300_000, 3_600_000
"""The grains, in ms: a raw value stands for its own millisecond."""
GRAINS = (HOUR, FIVE_MINUTES, RAW)

MILLISECOND = timedelta(milliseconds=1)


def to_ms(at: datetime) -> int:
    """Of an aware instant; what is finer than a millisecond is cut off."""
    return (at - EPOCH) // MILLISECOND


def to_time(ms: int) -> datetime:
    """The other way."""
    return EPOCH + timedelta(milliseconds=ms)


def edge_before(at: datetime, width_s: int) -> datetime:
    """The edge of UTC's whole `width_s` at or before."""
    return to_time(_floor(to_ms(at), width_s * 1000))


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows of one grain that begin in start <= ts < end."""

    grain: int
    start: int
    end: int


def fit(start: datetime, end: datetime, buckets: int, *, finest_s: int, most: int = 1000) -> Window:
    """A window over `start < end` of at most `buckets` buckets that stored rows answer exactly.

    Buckets under 5 minutes are of whole seconds from `start` on, read from raw values. Wider ones, and all where
    no raw values are left (`finest_s`), are of whole 5 minutes or hours; then the window begins at the edge at or
    before `start`, and for the bucket thus begun there may be one more than asked, but never more than `most`.
    """
    width_s = max(1, math.ceil((end - start) / timedelta(seconds=buckets)))
    grain_s = max(finest_s, next((g for g in (3600, 300) if width_s >= g), 0))
    if not grain_s:
        return Window(start, end, width_s)
    first = edge_before(start, grain_s)
    width_s = math.ceil(width_s / grain_s) * grain_s
    while math.ceil((end - first) / timedelta(seconds=width_s)) > most:
        width_s += grain_s
    return Window(first, end, width_s)


def cut(window: Window, gone: Mapping[int, int]) -> list[Slice]:
    """The rows that answer a window, coarse ones first; `gone[grain]` is from when on rows of a grain are complete.

    Rows as coarse as the buckets allow, finer ones for what is left at the end, as far as such are kept.
    """
    start, end, width = to_ms(window.start), to_ms(window.end), window.bucket_s * 1000
    exact = next(grain for grain in GRAINS if width % grain == 0 and start % grain == 0)
    left = next(grain for grain in reversed(GRAINS) if start >= gone.get(grain, start))
    found: list[Slice] = []
    at = start
    for grain, finer in zip(GRAINS, (*GRAINS[1:], 0), strict=True):
        if grain > max(exact, left):
            continue
        edge = _floor(end, grain)
        if not finer or edge < gone.get(finer, edge):
            edge = end
        if edge > at:
            found.append(Slice(grain, at, edge))
            at = edge
        if at >= end:
            break
    return found


def _floor(ms: int, grain: int) -> int:
    return ms - ms % grain
