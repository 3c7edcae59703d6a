"""The library's own measurements as a dry run's input, a day at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from carrel.contracts.telemetry import Quantity
from environment.config import EnvironmentConfig, SensorConfig
from environment.rulebook.dry_run import Input
from environment.state import Sample
from server.telemetry.store import Source, TelemetryStore, Value, Window

DAY = timedelta(days=1)
AT_ONCE = 10_000
"""Raw values read in one transaction."""
STALE_OF_ROLLUPS = 2
"""A mean of an hour counts for two, as a raw value does for the configured time."""


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` up to `end`, aware UTC."""

    start: datetime
    end: datetime

    def days(self) -> Iterator[Period]:
        """Cut into days from the start on."""
        at = self.start
        while at < self.end:
            yield Period(at, min(at + DAY, self.end))
            at += DAY


@dataclass(frozen=True, slots=True)
class Coarse:
    """A configuration fit for the rows that are left, and how fine they are (0: raw values)."""

    config: EnvironmentConfig
    finest_s: int


def fit_to_rows(store: TelemetryStore, config: EnvironmentConfig, period: Period) -> Coarse:
    """Where only means are left, a sensor is not taken for silent between two of them."""
    finest_s = store.finest_s(period.start)
    stale_s = max(config.stale_after_s, float(finest_s * STALE_OF_ROLLUPS))
    return Coarse(config.model_copy(update={"stale_after_s": stale_s}), finest_s)


def read(
    store: TelemetryStore, config: EnvironmentConfig, period: Period, told: Callable[[Period, int], None]
) -> Iterator[Input]:
    """What the sensors of a configuration measured, in order; `told` hears of each day how many values it had."""
    sources = [(sensor.id, source) for sensor in config.sensor if (source := _source(sensor)) is not None]
    for sensor, source in sources:
        last = store.before(source, period.start)
        if last is not None:
            yield _input(sensor, last.at, last.value)
    for day in period.days():
        found = [entry for sensor, source in sources for entry in _of_day(store, sensor, source, day)]
        found.sort(key=lambda entry: entry.at)
        told(day, len(found))
        yield from found


def _of_day(store: TelemetryStore, sensor: str, source: Source, day: Period) -> Iterator[Input]:
    """Raw values; where they are gone, means, each known when its time is over."""
    finest_s = store.finest_s(day.start)
    if finest_s:
        first = datetime.fromtimestamp(day.start.timestamp() // finest_s * finest_s, tz=day.start.tzinfo)
        for bucket in store.aggregate([source], Window(first, day.end, finest_s)):
            yield _input(sensor, bucket.start + timedelta(seconds=finest_s), bucket.mean)
        return
    for value in _raw(store, source, day):
        yield _input(sensor, value.at, value.value)


def values_of(store: TelemetryStore, source: Source, period: Period) -> Iterator[Value]:
    """What one source told, in order; where raw values are gone, means."""
    finest_s = store.finest_s(period.start)
    if not finest_s:
        yield from _raw(store, source, period)
        return
    for bucket in store.aggregate([source], Window(period.start, period.end, finest_s)):
        yield Value(bucket.start, bucket.mean)


def _raw(store: TelemetryStore, source: Source, period: Period) -> Iterator[Value]:
    start = period.start
    while True:
        values = store.values(source, start, period.end, limit=AT_ONCE)
        yield from values
        if len(values) < AT_ONCE:
            return
        start = values[-1].at + timedelta(milliseconds=1)


def _input(sensor: str, at: datetime, value: float) -> Input:
    return Input(at, Sample(at, sensor, value))


def _source(sensor: SensorConfig) -> Source | None:
    """Flags are contacts; they have no history."""
    if sensor.metric == "flag":
        return None
    return Source(sensor.device, sensor.zone, Quantity(sensor.metric))
