"""A dry run's file: a configuration, timed samples and overrides, and the end. Mistakes become one sentence."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Annotated, Any, Final, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from environment.config import TRIAL, EnvironmentConfig, unmeasured
from environment.engine import MAX_OVERRIDE_S, Engine
from environment.rulebook.dry_run import Input, Move, Span, moves, simulate
from environment.state import Override, Sample

KEYS: Final = ("config", "start", "timezone", "samples", "overrides", "end_s")
MONDAY: Final = datetime(2026, 1, 5)  # noqa: DTZ001  # local time; the zone is the case's
DEFAULT_OVERRIDE_S: Final = 7200.0
LONGEST_S: Final = 10 * 366 * 86_400.0
MICROSECOND: Final = timedelta(microseconds=1)
YEARS: Final = range(1970, 2201)
"""Of a start: whatever comes before and after it is still a date."""
LOCAL_TIME: Final = 'write a local time such as "2026-01-05T07:59"'
ROW: Final = "write [arrival_s, sensor, value] or [arrival_s, sensor, value, sample_time_s]"

Zones = Callable[[str], ZoneInfo]
"""Finds a time zone by its name; raises ValueError or KeyError."""


class CaseError(ValueError):
    """One sentence for the person who wrote the file: the key, and what to do."""


@dataclass(frozen=True, slots=True)
class TimedSample:
    """A sample; times are seconds after the start. Value None is one that is dropped."""

    arrival_s: float
    sensor: str
    value: float | None
    sample_time_s: float | None


def _row(value: Any) -> TimedSample:
    if not isinstance(value, list | tuple) or len(value) not in (3, 4):
        raise ValueError(ROW)
    arrival, sensor, measured, *rest = value
    if not isinstance(sensor, str):
        raise ValueError(f"the sensor is its id, a text: {ROW}")
    taken = None if not rest or rest[0] is None else _second(rest[0], "sample_time_s")
    return TimedSample(_second(arrival, "arrival_s"), sensor, _measured(measured), taken)


def _second(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LONGEST_S:
        raise ValueError(f"{name} is a number of seconds after the start")
    return float(value)


def _measured(value: Any) -> float | None:
    """A number; null, NaN and infinities stand for what a broken sensor sends."""
    if value is None:
        return None
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            number = 0.0
        if isfinite(number):
            raise ValueError("the value is a number or null, not a text")
        return None
    if not isinstance(value, int | float):
        raise ValueError("the value is a number or null")
    try:
        return float(value)
    except OverflowError:
        raise ValueError("the value is larger than any number measured: write a smaller one, or null") from None


def _local(value: Any) -> datetime:
    """Local time as written, with its UTC offset if it has one, so that it can be told that this is not used."""
    if not isinstance(value, str):
        raise ValueError(LOCAL_TIME)
    try:
        start = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(LOCAL_TIME) from None
    if start.year not in YEARS:
        raise ValueError(f"write a year from {YEARS[0]} to {YEARS[-1]}")
    return start


class TimedOverride(BaseModel):
    """A person's wish `t` seconds after the start; value None cancels."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    t: Annotated[float, Field(ge=-LONGEST_S, le=LONGEST_S, allow_inf_nan=False)]
    actuator: str
    value: Annotated[int, Field(ge=0, le=100)] | None
    duration_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None


class Case(BaseModel):
    """One run. Without `timezone` the clock knows no summer time; without `start` it begins on a Monday at 0:00."""

    model_config = ConfigDict(frozen=True)

    config: EnvironmentConfig
    start: Annotated[datetime, BeforeValidator(_local)] = MONDAY
    timezone: str | None = None
    samples: tuple[Annotated[TimedSample, BeforeValidator(_row)], ...] = ()
    overrides: tuple[TimedOverride, ...] = ()
    end_s: Annotated[float, Field(ge=0, le=LONGEST_S, allow_inf_nan=False)]

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        sensors = {sensor.id for sensor in self.config.sensor}
        for number, sample in enumerate(self.samples):
            if sample.sensor not in sensors:
                raise ValueError(f"samples.{number}: unknown sensor '{sample.sensor}' ({_there_are(sensors)})")
        actuators = {actuator.id: actuator for actuator in self.config.actuator}
        for number, wish in enumerate(self.overrides):
            if wish.actuator not in actuators:
                raise ValueError(f"overrides.{number}: unknown actuator '{wish.actuator}' ({_there_are(actuators)})")
            if wish.value is not None and not actuators[wish.actuator].accepts(wish.value):
                raise ValueError(f"overrides.{number}: {wish.actuator} is a switch and takes 0 or 1, not {wish.value}")
        return self


def read_case(data: Any) -> tuple[Case, list[str]]:
    """A case and what a person should know of it; raises CaseError."""
    if not isinstance(data, Mapping):
        raise CaseError('a case is an object: {"config": {...}, "samples": [...], "end_s": 600}')
    notes = [_unused(str(key)) for key in data if key not in KEYS]
    known = {key: _with_places(value) if key == "config" else value for key, value in data.items() if key in KEYS}
    try:
        case = Case.model_validate(known, context=TRIAL)
    except ValidationError as error:
        raise CaseError(sentence_of(error)) from None
    if case.start.tzinfo is not None:
        notes.append(
            "start: it is local time in the case's timezone; its UTC offset means nothing here and is left out"
        )
    notes += [f"{sentence}; it counts as unknown" for sentence in unmeasured(case.config)]
    for number, wish in enumerate(case.overrides):
        if wish.duration_s is not None and wish.duration_s > MAX_OVERRIDE_S:
            notes.append(f"overrides.{number}.duration_s: an override lasts {MAX_OVERRIDE_S:g} s at most; shortened")
    return case, notes


def read_config(config: Any) -> EnvironmentConfig:
    """Rules without samples, where a sensor that is not there is a mistake; raises CaseError."""
    found = read_case({"config": config, "end_s": 0})[0].config
    for sentence in unmeasured(found):
        raise CaseError(sentence)
    return found


def run_case(case: Case, zones: Zones) -> list[list[Any]]:
    """`[time_s, actuator, value, reason]` of every command, in order; raises CaseError for an unknown time zone."""
    start, zone = _start(case, zones)
    span = Span(start, start + timedelta(seconds=case.end_s), timedelta(seconds=case.config.tick_s))
    steps = simulate(Engine(case.config, zone), _inputs(case, start), span)
    return [_shown(move, start) for move in moves(steps)]


def _shown(move: Move, start: datetime) -> list[Any]:
    micros = (move.at - start) // MICROSECOND
    seconds = micros // 1_000_000 if micros % 1_000_000 == 0 else micros / 1_000_000
    return [seconds, move.actuator, move.value, move.reason]


def _start(case: Case, zones: Zones) -> tuple[datetime, ZoneInfo]:
    try:
        zone = zones(case.timezone or "UTC")
    except (ValueError, KeyError, OSError):
        raise CaseError(
            f"'timezone' = {case.timezone!r}: no such time zone; use a name such as Asia/Shanghai"
        ) from None
    return case.start.replace(tzinfo=zone).astimezone(UTC), zone


def _inputs(case: Case, start: datetime) -> list[Input]:
    """In order of time; those of one time in the order of the file."""
    inputs = [
        Input(at, Sample(at, sample.sensor, sample.value, _after(start, sample.sample_time_s)))
        for sample in case.samples
        for at in (start + timedelta(seconds=sample.arrival_s),)
    ]
    for number, wish in enumerate(case.overrides, start=1):
        lasts = min(wish.duration_s or DEFAULT_OVERRIDE_S, MAX_OVERRIDE_S)
        at = start + timedelta(seconds=wish.t)
        inputs.append(Input(at, Override(wish.actuator, wish.value, f"override-{number}", "dry-run", lasts)))
    inputs.sort(key=lambda entry: entry.at)
    return inputs


def _after(start: datetime, seconds: float | None) -> datetime | None:
    return None if seconds is None else start + timedelta(seconds=seconds)


def _with_places(config: Any) -> Any:
    """A dry run moves no device, so its name, and the zone of an actuator, may be left out."""
    if not isinstance(config, Mapping):
        return config
    filled = dict(config)
    for key, names in (("sensor", ("device",)), ("actuator", ("device", "zone"))):
        entries = config.get(key)
        if isinstance(entries, list):
            filled[key] = [_filled(entry, names) for entry in entries]
    return filled


def _filled(entry: Any, names: tuple[str, ...]) -> Any:
    if not isinstance(entry, Mapping) or "id" not in entry:
        return entry
    return dict.fromkeys(names, entry["id"]) | dict(entry)


def _unused(key: str) -> str:
    """A misspelt key would silently leave out what it holds; anything else is the writer's own note."""
    near = difflib.get_close_matches(key, KEYS, n=1)
    if near:
        raise CaseError(f"unknown key '{key}': did you mean '{near[0]}'?")
    return f"the key '{key}' means nothing here and is left out"


def sentence_of(error: ValidationError) -> str:
    """The first mistake in one sentence that names its key."""
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ").replace("a valid tuple", "a list")
    message = message[:1].lower() + message[1:]
    if not key:
        return message
    if first["type"] == "extra_forbidden":
        return f"unknown key '{key}': remove it or correct its spelling"
    if first["type"] == "missing":
        return f"'{key}' is missing: add it"
    shown = f" = {first['input']!r}" if isinstance(first["input"], str | int | float) else ""
    return f"'{key}'{shown}: {message}"


def _there_are(names: Any) -> str:
    return f"there are: {', '.join(sorted(names)) or 'none'}"
