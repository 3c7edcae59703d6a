"""What every telemetry back-end can do. The default one is in the server's own database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from carrel.contracts.telemetry import Quantity, TelemetryPoint

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Source:
    """One quantity of one device in one zone."""

    device: str
    zone: str
    quantity: Quantity


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` up to but without `end`, in buckets of `bucket_s` seconds counted from `start`."""

    start: datetime
    end: datetime
    bucket_s: int


class Bucket(NamedTuple):
    """What was measured in one bucket, over all sources asked for; `ts` is its beginning in ms since 1970 UTC.

    The mean is of the values that came, each counting once; the last bucket holds what came before the window's end.
    A tuple, since a chart has thousands of them.
    """

    ts: int
    minimum: float
    mean: float
    maximum: float
    count: int  # type: ignore[assignment]  # hides tuple's own method, which nobody wants of a bucket

    @property
    def start(self) -> datetime:
        """Its beginning."""
        return EPOCH + timedelta(milliseconds=self.ts)


@dataclass(frozen=True, slots=True)
class Value:
    """One raw value."""

    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Kept:
    """How long raw values and the rollups of 5 minutes are kept; those of an hour are kept for ever."""

    raw: timedelta = timedelta(days=7)
    five_minutes: timedelta = timedelta(days=90)


class TelemetryStore(Protocol):
    """Calls block; each is one transaction. A back-end that cannot be asked raises HistoryUnavailableError."""

    def append(self, points: Sequence[TelemetryPoint]) -> None:
        """Durable when it returns; a point of the same source and millisecond changes nothing."""

    def latest(self, zone: str) -> list[TelemetryPoint]:
        """The newest point of each source of a zone."""

    def sources(self, device: str) -> list[Source]:
        """What this device has ever measured and where."""

    def sources_in(self, zone: str) -> list[Source]:
        """What has ever been measured in this zone and by which device, whatever became of it since."""

    def aggregate(self, sources: Sequence[Source], window: Window) -> list[Bucket]:
        """Buckets that hold anything, oldest first: exactly what the raw values give, whatever rows they are made of.

        Where only coarser rows are left than fit the window, a row counts in the bucket in which it begins; a window
        from `windows.fit(..., finest_s=store.finest_s(start))` has no such rows but perhaps the last.
        """

    def finest_s(self, start: datetime) -> int:
        """How fine the rows are that are left from `start` on: 0 is raw values, else seconds (300 or 3600)."""

    def values(self, source: Source, start: datetime, end: datetime, *, limit: int) -> list[Value]:
        """The first `limit` raw values of start <= at < end, oldest first."""

    def before(self, source: Source, at: datetime) -> Value | None:
        """The last value before `at`; where raw values have gone, the mean and beginning of the last rollup."""

    def trim(self, now: datetime, kept: Kept, limit: int) -> int:
        """Delete at most `limit` rows that are older than they are kept; returns how many went."""

    def close(self) -> None:
        """Give connections back, when the server ends."""
