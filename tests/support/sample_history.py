"""A year of made-up history, computed when it is asked for: seasons, days, an outage of an hour and one of two days."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from carrel.contracts.telemetry import Quantity, TelemetryPoint
from server.telemetry.store import Bucket, Kept, Source, Value, Window
from server.telemetry.windows import to_ms

DAY_S = 86_400
OUTAGES = ((5.0, 6.0), (20 * 24.0, 22 * 24.0))
"""Hours before now in which nothing was measured."""


class SampleHistory:
    """Satisfies server.telemetry.store.TelemetryStore for reading."""

    def __init__(self) -> None:
        self.started = datetime.now(UTC)

    def append(self, points: Sequence[TelemetryPoint]) -> None:
        raise AssertionError("made-up history cannot be added to")

    def latest(self, zone: str) -> list[TelemetryPoint]:
        return []

    def sources(self, device: str) -> list[Source]:
        quantity = {"curtain": Quantity.POSITION, "ac": Quantity.ON, "vent": Quantity.LEVEL}[device.rsplit("-", 1)[-1]]
        return [Source(device, "reading-room", quantity)]

    def sources_in(self, zone: str) -> list[Source]:
        indoors = () if zone == "out" else (Quantity.LUX, Quantity.CO2)
        return [Source(f"{zone}-sensor", zone, quantity) for quantity in (Quantity.TEMP, Quantity.RH, *indoors)]

    def aggregate(self, sources: Sequence[Source], window: Window) -> list[Bucket]:
        source = sources[0] if sources else None
        found = []
        start = window.start
        while source is not None and start < min(window.end, self.started):
            if not self._out(start):
                found.append(_bucket(source, start, window.bucket_s))
            start += timedelta(seconds=window.bucket_s)
        return found

    def finest_s(self, start: datetime) -> int:
        return 0

    def values(self, source: Source, start: datetime, end: datetime, *, limit: int) -> list[Value]:
        window = Window(start, end, max(60, int((end - start).total_seconds()) // limit))
        return [Value(bucket.start, bucket.mean) for bucket in self.aggregate([source], window)]

    def before(self, source: Source, at: datetime) -> Value | None:
        return Value(at, _value(source, at))

    def trim(self, now: datetime, kept: Kept, limit: int) -> int:
        return 0

    def close(self) -> None:
        pass

    def _out(self, at: datetime) -> bool:
        hours = (self.started - at).total_seconds() / 3600
        return any(newer <= hours <= older for newer, older in OUTAGES)


def _bucket(source: Source, start: datetime, width_s: int) -> Bucket:
    values = [_value(source, start + timedelta(seconds=width_s * part / 8)) for part in range(8)]
    return Bucket(to_ms(start), min(values), sum(values) / len(values), max(values), len(values))


def _value(source: Source, at: datetime) -> float:
    """What was measured at a moment; the same each time that it is asked for."""
    seconds = at.timestamp()
    day = math.sin(2 * math.pi * (seconds / DAY_S - 0.2))
    season = math.cos(2 * math.pi * (seconds / (365.25 * DAY_S) - 0.55))
    noise = math.sin(seconds / 613) + math.sin(seconds / 197.3) + math.sin(seconds / 31.7)
    indoors = 0.25 if source.zone in ("reading-room", "stacks") else 1.0
    match source.quantity:
        case Quantity.TEMP:
            return 22 + indoors * (9 * season + 4 * day) + 0.15 * noise
        case Quantity.RH:
            return 54 + indoors * (14 * season - 9 * day) + 0.6 * noise
        case Quantity.LUX:
            return max(0.0, 1300 * day + 60 * noise) if day > 0 else 0.0
        case Quantity.POSITION:
            return 100.0 if day > 0.6 else 0.0
        case Quantity.ON:
            return 1.0 if day > 0.2 and math.sin(seconds / 1900) > 0 else 0.0
        case _:
            return 60.0 if noise > 1.2 else 0.0
