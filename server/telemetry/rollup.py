"""How new values change the rollups. Pure; times are integer milliseconds since 1970 UTC.

The bucket under way of each series lies in one small row, its head, and moves to the rollup's table when a later one
begins: else each value would rewrite a page of every table. What a bucket holds is the sum of both places, so a late
value is simply added to the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from server.telemetry.windows import FIVE_MINUTES, HOUR

NEVER = -(2**62)
"""The time of what nothing has come to yet."""

Row = tuple[int, int, float]
"""Series, ts, value."""

Head = list[Any]
"""ts and value of the newest, then ts, n, low, high and total of the 5 minutes under way, then of the hour.

A list as it comes from its row, since every batch takes up hundreds. Without values (n = 0) low and high mean nothing.
"""
UNDER_WAY = {FIVE_MINUTES: 2, HOUR: 7}
"""Where in a head the bucket of a grain begins; five places each."""


@dataclass(slots=True)
class Tally:
    """What came in a bucket; without values (n = 0) the other figures mean nothing."""

    n: int = 0
    low: float = 0.0
    high: float = 0.0
    total: float = 0.0

    def join(self, other: Tally) -> None:
        """What else came in the same bucket."""
        if other.n:
            self.low = min(self.low, other.low) if self.n else other.low
            self.high = max(self.high, other.high) if self.n else other.high
            self.n += other.n
            self.total += other.total


Closed = dict[tuple[int, int], Tally]
"""What to add to a rollup's table, by series and beginning of the bucket."""


def roll(heads: Mapping[int, Head], rows: Iterable[Row]) -> dict[int, Closed]:
    """Take new values up into the heads of their series; returns what to add to each grain's table."""
    closed: dict[int, Closed] = {grain: {} for grain in UNDER_WAY}
    for series, ts, value in rows:
        head = heads[series]
        if ts >= head[0]:
            head[0:2] = ts, value
        for grain, at in UNDER_WAY.items():
            start = ts - ts % grain
            if start == head[at]:
                head[at + 1] += 1
                head[at + 4] += value
                if value < head[at + 2]:
                    head[at + 2] = value
                elif value > head[at + 3]:
                    head[at + 3] = value
            elif start < head[at]:
                _add(closed[grain], (series, start), Tally(1, value, value, value))
            else:
                _add(closed[grain], (series, head[at]), Tally(*head[at + 1 : at + 5]))
                head[at : at + 5] = start, 1, value, value, value
    return closed


def _add(closed: Closed, bucket: tuple[int, int], tally: Tally) -> None:
    if tally.n:
        closed.setdefault(bucket, Tally()).join(tally)
