"""Which samples count (S1) and what a zone's value is (S2)."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from math import isfinite
from statistics import median
from typing import Final

from environment.config import DERIVED_METRICS, SensorConfig
from environment.preservation.moisture import absolute_humidity, dew_point
from environment.state import Accepted, DropCode, Sample

ZoneMetric = tuple[str, str]

PLAUSIBLE: Final[Mapping[str, tuple[float, float]]] = {
    "temp": (-40.0, 85.0),
    "rh": (0.0, 100.0),
    "lux": (0.0, 200_000.0),
    "co2": (0.0, 20_000.0),
    "occupancy": (0.0, 100_000.0),
    "flag": (0.0, 1.0),
}
_DERIVE: Final[Mapping[str, Callable[[float, float], float]]] = {
    "dew_point": dew_point,
    "abs_humidity": absolute_humidity,
}


def judge(sample: Sample, metric: str | None, newest: Accepted | None) -> Accepted | DropCode:
    """Accept a sample of a sensor with this metric (None: no such sensor), or say why it is dropped."""
    if metric is None:
        return "unknown_sensor"
    value = sample.value
    if value is None or not isfinite(value):
        return "not_a_number"
    low, high = PLAUSIBLE[metric]
    if not low <= value <= high:
        return "out_of_range"
    time = sample.sample_time or sample.arrival
    if newest is not None and time < newest.time:
        return "older_than_newest"
    return Accepted(float(value), sample.arrival, time)


def sensors_by_zone(sensors: tuple[SensorConfig, ...]) -> dict[ZoneMetric, tuple[str, ...]]:
    """Sensor ids per zone and metric."""
    table: dict[ZoneMetric, tuple[str, ...]] = {}
    for sensor in sensors:
        key = (sensor.zone, sensor.metric)
        table[key] = (*table.get(key, ()), sensor.id)
    return table


def sources(key: ZoneMetric) -> set[ZoneMetric]:
    """A metric itself and what it is derived from."""
    return {key, *((key[0], metric) for metric in ("temp", "rh") if key[1] in DERIVED_METRICS)}


class ZoneValues:
    """Zone values at one instant: medians of fresh sensors, computed when first asked for."""

    __slots__ = ("_first_stale", "_known", "_now", "_oldest", "_samples", "_sensors")

    def __init__(
        self,
        sensors: Mapping[ZoneMetric, tuple[str, ...]],
        samples: Mapping[str, Accepted],
        now: datetime,
        stale_after: timedelta,
    ) -> None:
        self._sensors = sensors
        self._samples = samples
        self._now = now
        self._oldest = now - stale_after
        self._first_stale = now  # the oldest arrival that counts in a known value
        self._known: dict[ZoneMetric, float | None] = {}

    def take_over(self, before: "ZoneValues", changed: Collection[ZoneMetric]) -> bool:
        """Take known values of an instant since which only samples of `changed` have come; as if computed anew.

        False when other samples count now.
        """
        if self._now < before._now or before._first_stale < self._oldest:
            return False
        zones = {zone for zone, _ in changed}
        self._first_stale = before._first_stale
        self._known = {
            key: value
            for key, value in before._known.items()
            if key not in changed and not (key[1] in DERIVED_METRICS and key[0] in zones)
        }
        return True

    def of(self, samples: Mapping[str, Accepted]) -> bool:
        """Whether these are the values of just these samples."""
        return self._samples is samples

    def get(self, key: ZoneMetric) -> float | None:
        """The value of a (zone, metric), or None when unknown."""
        if key not in self._known:
            self._known[key] = self._derived(key) if key[1] in DERIVED_METRICS else self._median(key)
        return self._known[key]

    def _median(self, key: ZoneMetric) -> float | None:
        fresh = list[float]()
        for sensor in self._sensors.get(key, ()):
            kept = self._samples.get(sensor)
            if kept is not None and kept.arrival >= self._oldest:
                fresh.append(kept.value)
                self._first_stale = min(self._first_stale, kept.arrival)
        return median(fresh) if fresh else None

    def _derived(self, key: ZoneMetric) -> float | None:
        zone, metric = key
        temp, rh = self.get((zone, "temp")), self.get((zone, "rh"))
        if temp is None or rh is None or rh <= 0.0:
            return None
        return _DERIVE[metric](temp, rh)
