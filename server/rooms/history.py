"""What was measured in rooms and what devices did, over time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from carrel.contracts.telemetry import UNITS, Quantity
from environment.preservation.moisture import absolute_humidity, dew_point
from server.devices.names import Span
from server.rooms.errors import BadRangeError, UnknownDeviceError, UnknownRoomError
from server.rooms.picture import Picture
from server.rooms.plan import Plans, RoomPlan
from server.telemetry.store import Bucket, Source, TelemetryStore, Value, Window
from server.telemetry.windows import fit, to_ms

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


Spans = Callable[[str], Sequence[Span]]
"""Under which names, and when, what a device measured is stored."""


def own_name(device: str) -> Sequence[Span]:
    """Where nothing is known of earlier names."""
    return (Span(device),)


class History:
    """Of one server process; `app.state.rooms.past`. Raises HistoryUnavailableError while its store is away.

    A reading belongs to the room in which it was measured, under whatever name; a device's history is that of the
    device, wherever it stood and whatever it was called.
    """

    def __init__(self, plan: Plans, picture: Picture, store: TelemetryStore, *, names: Spans = own_name) -> None:
        self.store = store
        self._plan = plan
        self._picture = picture
        self._names = names

    def room(self, room: str, metric: str, *, start: datetime, end: datetime, buckets: int) -> Course:
        """About `buckets` (1..1000) buckets over all sensors of a room; raises UnknownRoomError, BadRangeError."""
        self._room(room)
        window = self._window(start, end, buckets)
        return Course(window, self.measured(room, metric, window))

    def measured(self, room: str, metric: str, window: Window) -> list[Bucket]:
        """Exactly these buckets; raises UnknownRoomError."""
        if metric not in DERIVED:
            return self.store.aggregate(self.sensors(room, metric), window)
        sources = self.sensors(room, metric)
        temps, humidities = (
            self.store.aggregate([source for source in sources if source.quantity is quantity], window)
            for quantity in (Quantity.TEMP, Quantity.RH)
        )
        beside = {bucket.ts: bucket for bucket in humidities}
        pairs = [(temp, beside[temp.ts]) for temp in temps if temp.ts in beside]
        derived = (_derived(DERIVED[metric], temp, rh) for temp, rh in pairs)
        return [bucket for bucket in derived if bucket is not None]

    def sensors(self, room: str, metric: str) -> list[Source]:
        """What has measured a metric in a room, or both that it is derived from; raises UnknownRoomError."""
        parts = (Quantity.TEMP, Quantity.RH) if metric in DERIVED else (Quantity(metric),)
        now = self._room(room).sensors
        stored = self.store.sources_in(room)
        found = []
        for quantity in parts:  # a store that was filled by others may know more of the sensors of now than it tells
            past = {source.device for source in self._plan.measured(stored, quantity)}
            found += [Source(device, room, quantity) for device in sorted(past | now.get(quantity, frozenset()))]
        return found

    def device(self, device: str, quantity: Quantity, *, start: datetime, end: datetime, buckets: int) -> Course:
        """What a device did, wherever it stood; raises UnknownDeviceError, BadRangeError."""
        stored = [(span, source) for span in self._names(device) for source in self.store.sources(span.name)]
        if not stored and not self._picture.has_device(device):
            raise UnknownDeviceError
        window = self._window(start, end, buckets)
        told: dict[Span, list[Source]] = {}
        for span, source in stored:
            if source.quantity is quantity:
                told.setdefault(span, []).append(source)
        before = [value for span, sources in told.items() if (value := self._before(span, sources, window.start))]
        newest = max(before, key=lambda value: value.at, default=None)
        pieces = (self._within(span, sources, window) for span, sources in told.items())
        return Course(window, joined(pieces), newest)

    def _within(self, span: Span, sources: Sequence[Source], window: Window) -> list[Bucket]:
        """Buckets of the window, of what was told in a span of time."""
        end = window.end if span.until is None else min(span.until, window.end)
        if span.since is None or span.since <= window.start:
            return self.store.aggregate(sources, replace(window, end=end)) if end > window.start else []
        width = timedelta(seconds=window.bucket_s)
        cut = window.start + (span.since - window.start) // width * width  # of this bucket the first part is not ours
        found = []
        if span.since < end:
            first = self.store.aggregate(sources, Window(span.since, min(cut + width, end), window.bucket_s))
            found += [bucket._replace(ts=to_ms(cut)) for bucket in first]
        if cut + width < end:
            found += self.store.aggregate(sources, Window(cut + width, end, window.bucket_s))
        return found

    def _before(self, span: Span, sources: Sequence[Source], at: datetime) -> Value | None:
        last = at if span.until is None else min(span.until, at)
        values = [value for source in sources if (value := self.store.before(source, last))]
        return max(
            (value for value in values if span.since is None or value.at >= span.since),
            key=lambda value: value.at,
            default=None,
        )

    def _window(self, start: datetime, end: datetime, buckets: int) -> Window:
        if not start < end or end - start > LONGEST:
            raise BadRangeError
        try:
            return fit(start, end, buckets, finest_s=self.store.finest_s(start), most=MOST_BUCKETS)
        except OverflowError:  # at the very beginning of time no edge lies before it
            raise BadRangeError from None

    def _room(self, room: str) -> RoomPlan:
        plan = self._plan.rooms.get(room)
        if plan is None:
            raise UnknownRoomError(rooms=", ".join(self._plan.rooms))
        return plan


def joined(pieces: Iterable[Sequence[Bucket]]) -> Sequence[Bucket]:
    """Buckets of several sources as if they were one, oldest first."""
    given = [piece for piece in pieces if piece]
    if len(given) == 1:
        return given[0]
    found: dict[int, Bucket] = {}
    for bucket in (bucket for piece in given for bucket in piece):
        other = found.get(bucket.ts)
        found[bucket.ts] = bucket if other is None else _both(other, bucket)
    return [found[ts] for ts in sorted(found)]


def _both(one: Bucket, other: Bucket) -> Bucket:
    count = one.count + other.count
    mean = (one.mean * one.count + other.mean * other.count) / count
    return Bucket(one.ts, min(one.minimum, other.minimum), mean, max(one.maximum, other.maximum), count)


def _derived(formula: Callable[[float, float], float], temp: Bucket, rh: Bucket) -> Bucket | None:
    """From the means of a bucket, so it has one value; None where sensors told what air cannot be."""
    try:
        value = formula(temp.mean, rh.mean)
    except ValueError:
        return None
    return Bucket(temp.ts, value, value, value, min(temp.count, rh.count))
