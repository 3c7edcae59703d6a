"""What was measured in rooms and what devices did, over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from carrel.contracts.telemetry import UNITS, Quantity
from environment.preservation.moisture import absolute_humidity, dew_point
from server.rooms.errors import BadRangeError, UnknownDeviceError, UnknownRoomError
from server.rooms.picture import Picture
from server.rooms.plan import Plans, RoomPlan
from server.telemetry.store import Bucket, Source, TelemetryStore, Value, Window
from server.telemetry.windows import fit

Metric = Literal["temp", "rh", "lux", "co2", "occupancy", "dew_point", "abs_humidity"]
"""What a room's history can be asked for."""

LONGEST = timedelta(days=400)
MOST_BUCKETS = 1000

DERIVED: Mapping[str, Callable[[float, float], float]] = {"dew_point": dew_point, "abs_humidity": absolute_humidity}
"""Of temperature in °C and relative humidity in %."""


@dataclass(frozen=True, slots=True)
class Course:
    """How something went: buckets that hold anything, oldest first; `before` is the last value ahead of the window."""

    window: Window
    buckets: Sequence[Bucket]
    before: Value | None = None


def unit_of(metric: str) -> str:
    """Its unit; empty for what has none."""
    return {"dew_point": "°C", "abs_humidity": "g/m³"}.get(metric) or UNITS[Quantity(metric)]


class History:
    """Of one server process; `app.state.rooms.past`. Raises HistoryUnavailableError while its store is away."""

    def __init__(self, plan: Plans, picture: Picture, store: TelemetryStore) -> None:
        self.store = store
        self._plan = plan
        self._picture = picture

    def room(self, room: str, metric: str, *, start: datetime, end: datetime, buckets: int) -> Course:
        """About `buckets` (1..1000) buckets over all sensors of a room; raises UnknownRoomError, BadRangeError."""
        plan = self._room(room)
        window = self._window(start, end, buckets)
        return Course(window, self._measured(plan, metric, window))

    def measured(self, room: str, metric: str, window: Window) -> list[Bucket]:
        """Exactly these buckets; raises UnknownRoomError."""
        return self._measured(self._room(room), metric, window)

    def sensors(self, room: str, metric: str) -> list[Source]:
        """What measures a metric in a room, or both that it is derived from; raises UnknownRoomError."""
        plan = self._room(room)
        parts = (Quantity.TEMP, Quantity.RH) if metric in DERIVED else (Quantity(metric),)
        return [source for quantity in parts for source in _sources(plan, quantity)]

    def device(self, device: str, quantity: Quantity, *, start: datetime, end: datetime, buckets: int) -> Course:
        """What a device did, wherever it stood; raises UnknownDeviceError, BadRangeError."""
        stored = self.store.sources(device)
        if not stored and not self._picture.has_device(device):
            raise UnknownDeviceError
        window = self._window(start, end, buckets)
        sources = [source for source in stored if source.quantity is quantity]
        before = [value for source in sources if (value := self.store.before(source, window.start))]
        newest = max(before, key=lambda value: value.at, default=None)
        return Course(window, self.store.aggregate(sources, window), newest)

    def _window(self, start: datetime, end: datetime, buckets: int) -> Window:
        if not start < end or end - start > LONGEST:
            raise BadRangeError
        try:
            return fit(start, end, buckets, finest_s=self.store.finest_s(start), most=MOST_BUCKETS)
        except OverflowError:  # at the very beginning of time no edge lies before it
            raise BadRangeError from None

    def _measured(self, plan: RoomPlan, metric: str, window: Window) -> list[Bucket]:
        if metric not in DERIVED:
            return self.store.aggregate(_sources(plan, Quantity(metric)), window)
        temps = self.store.aggregate(_sources(plan, Quantity.TEMP), window)
        humidities = {bucket.start: bucket for bucket in self.store.aggregate(_sources(plan, Quantity.RH), window)}
        pairs = [(temp, humidities[temp.start]) for temp in temps if temp.start in humidities]
        derived = (_derived(DERIVED[metric], temp, rh) for temp, rh in pairs)
        return [bucket for bucket in derived if bucket is not None]

    def _room(self, room: str) -> RoomPlan:
        plan = self._plan.rooms.get(room)
        if plan is None:
            raise UnknownRoomError(rooms=", ".join(self._plan.rooms))
        return plan


def _sources(plan: RoomPlan, quantity: Quantity) -> list[Source]:
    return [Source(device, plan.config.id, quantity) for device in sorted(plan.sensors.get(quantity, ()))]


def _derived(formula: Callable[[float, float], float], temp: Bucket, rh: Bucket) -> Bucket | None:
    """From the means of a bucket, so it has one value; None where sensors told what air cannot be."""
    try:
        value = formula(temp.mean, rh.mean)
    except ValueError:
        return None
    return Bucket(temp.start, value, value, value, min(temp.count, rh.count))
