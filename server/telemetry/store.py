"""What every telemetry back-end can do. The default one is in the server's own database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from carrel.contracts.telemetry import Quantity, TelemetryPoint


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


@dataclass(frozen=True, slots=True)
class Bucket:
    """What was measured in one bucket, over all sources asked for; `start` is its beginning."""

    start: datetime
    minimum: float
    mean: float
    maximum: float
    count: int


class TelemetryStore(Protocol):
    """Calls block; each is one transaction."""

    def append(self, points: Sequence[TelemetryPoint]) -> None:
        """Durable when it returns; a point of the same source and millisecond changes nothing."""

    def latest(self, zone: str) -> list[TelemetryPoint]:
        """The newest point of each source of a zone."""

    def aggregate(self, sources: Sequence[Source], window: Window) -> list[Bucket]:
        """Buckets that hold anything, oldest first."""

    def trim(self, before: datetime, limit: int) -> int:
        """Delete at most `limit` points older than `before`; returns how many went."""
