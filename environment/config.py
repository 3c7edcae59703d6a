"""The `[environment]` section: sensors, actuators, rules, interlocks and exclusive groups, cross-checked."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator

from environment.schedule import DAYS

Metric = Literal["temp", "rh", "lux", "co2", "occupancy", "flag"]
ActuatorType = Literal["switch", "level"]
OnUnknown = Literal["release", "hold", "failsafe"]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

DERIVED_METRICS: dict[str, tuple[Metric, Metric]] = {"dew_point": ("temp", "rh"), "abs_humidity": ("temp", "rh")}

TRIAL: Final = {"trial": True}
"""Validation context of a dry run: names never reach a topic, so they may be any word; an absent sensor is unknown."""
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]*")
_WORD: Final = re.compile(r"\S+")


def _id(text: str, info: ValidationInfo) -> str:
    if info.context == TRIAL:
        if not _WORD.fullmatch(text):
            raise ValueError("write a name without spaces")
    elif not _NAME.fullmatch(text):
        raise ValueError("use lowercase letters, digits and hyphens")
    return text


def _zone_metric(text: str, info: ValidationInfo) -> str:
    zone, _, metric = text.rpartition(".")
    if not re.fullmatch(_METRIC, metric) or not zone:
        raise ValueError("write zone.metric, such as out.dew_point")
    _id(zone, info)
    return text


def _worded(pattern: str, sentence: str) -> Callable[[Any], Any]:
    """Says in words what the pattern of the same field would refuse with a regular expression."""

    def check(value: Any) -> Any:
        if isinstance(value, str) and not re.fullmatch(pattern, value):
            raise ValueError(sentence)
        return value

    return check


_METRIC = r"(temp|rh|lux|co2|occupancy|flag|dew_point|abs_humidity)"
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
_UNTIL = r"(([01]\d|2[0-3]):[0-5]\d|24:00)"
Id = Annotated[str, Field(max_length=64), AfterValidator(_id)]
MetricName = Annotated[
    str,
    BeforeValidator(_worded(_METRIC, f"there are {_METRIC.strip('()').replace('|', ', ')}")),
    Field(pattern=rf"^{_METRIC}$"),
]
ZoneMetric = Annotated[str, AfterValidator(_zone_metric)]
StartTime = Annotated[
    str, BeforeValidator(_worded(_CLOCK, "write a time such as 08:00")), Field(pattern=rf"^{_CLOCK}$")
]
EndTime = Annotated[
    str, BeforeValidator(_worded(_UNTIL, "write a time such as 22:00, at most 24:00")), Field(pattern=rf"^{_UNTIL}$")
]
Output = Annotated[int, Field(ge=0, le=100)]
Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
"""No more than can be taken off any date; a time that means "never" may be written as a very long one."""
Finite = Annotated[float, Field(allow_inf_nan=False)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class SensorConfig(_Model):
    """One measured metric of one device, placed in a zone (a room's id, or `out` for the outdoor station)."""

    id: Id
    zone: Id
    metric: Metric
    device: str


class ConditionConfig(_Model):
    """A metric of the rule's zone, less another zone's metric if `minus` is given, against one limit."""

    metric: MetricName
    minus: ZoneMetric | None = None
    above: Finite | None = None
    below: Finite | None = None
    equals: Finite | None = None
    hysteresis: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        if sum(limit is not None for limit in (self.above, self.below, self.equals)) != 1:
            raise ValueError("give exactly one of above, below, equals")
        if self.equals is not None and self.hysteresis:
            raise ValueError("equals takes no hysteresis")
        return self


class WindowConfig(_Model):
    """[from, to) in local time on the given days; from later than to crosses midnight."""

    start: StartTime = Field(alias="from")
    end: EndTime = Field(alias="to")
    days: Annotated[tuple[Day, ...], Field(min_length=1)] = DAYS

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.start == self.end:
            raise ValueError('from and to are equal: for the whole day write from = "00:00", to = "24:00"')
        return self


class ShiftConfig(WindowConfig):
    """A window during which the rule's limit is moved by `add`."""

    add: Finite


class RuleConfig(_Model):
    """When a zone's metric crosses a limit, set actuators to a value."""

    id: Id
    zone: Id
    priority: int = 50
    when: ConditionConfig
    for_s: Seconds = 0.0
    release_for_s: Seconds = 0.0
    guard: tuple[ConditionConfig, ...] = ()
    schedule: tuple[WindowConfig, ...] = ()
    shift: tuple[ShiftConfig, ...] = ()
    actuators: Annotated[tuple[Id, ...], Field(min_length=1)]
    set_value: Output = Field(alias="set")
    on_unknown: OnUnknown = "release"


class ActuatorConfig(_Model):
    """An output: a switch (0 or 1) or a level (0..100; a curtain's 100 is closed), with its protections.

    `power_w` is what it takes at full output; reports estimate energy from it.
    """

    id: Id
    type: ActuatorType
    zone: Id
    device: str
    power_w: Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)] | None = None
    default: Output = 0
    failsafe: Output = 0
    min_on_s: Seconds = 0.0
    min_off_s: Seconds = 0.0
    max_starts_per_h: Annotated[int, Field(ge=1)] | None = None
    deadband: Output = 0
    min_move_interval_s: Seconds = 0.0

    def accepts(self, value: int) -> bool:
        """Whether the output can take this value."""
        return 0 <= value <= (1 if self.type == "switch" else 100)

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        for name in ("default", "failsafe"):
            if not self.accepts(getattr(self, name)):
                raise ValueError(f"{name} of a switch is 0 or 1")
        alien = _LEVEL_KEYS if self.type == "switch" else _SWITCH_KEYS
        used = [name for name in alien if getattr(self, name)]
        if used:
            raise ValueError(f"{', '.join(used)} does not belong to a {self.type}")
        return self


class InterlockConfig(_Model):
    """While the condition holds, these outputs are forced, above people and rules."""

    zone: Id
    when: ConditionConfig
    force: Annotated[dict[Id, Output], Field(min_length=1)]


class ExclusiveConfig(_Model):
    """Groups of actuators of which at most one may leave its default."""

    groups: tuple[Annotated[tuple[Id, ...], Field(min_length=2)], ...] = ()


class EnvironmentConfig(_Model):
    """The whole section. Names used by rules, interlocks and groups must exist; messages say what does."""

    tick_s: Annotated[float, Field(ge=0.001, le=86_400, allow_inf_nan=False)] = 10.0
    stale_after_s: Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)] = 300.0
    sensor: tuple[SensorConfig, ...] = ()
    actuator: tuple[ActuatorConfig, ...] = ()
    rule: tuple[RuleConfig, ...] = ()
    interlock: tuple[InterlockConfig, ...] = ()
    exclusive: ExclusiveConfig = ExclusiveConfig()

    @model_validator(mode="after")
    def _names_exist(self, info: ValidationInfo) -> Self:
        _refuse_twice("sensor id", (sensor.id for sensor in self.sensor))
        _refuse_twice("sensor device and metric", (f"{sensor.device} {sensor.metric}" for sensor in self.sensor))
        _refuse_twice("actuator id", (actuator.id for actuator in self.actuator))
        _refuse_twice("rule id", (rule.id for rule in self.rule))
        outputs = {actuator.id: actuator for actuator in self.actuator}
        for rule in self.rule:
            _check_outputs(f"rule {rule.id}", outputs, dict.fromkeys(rule.actuators, rule.set_value))
        for number, interlock in enumerate(self.interlock, start=1):
            _check_outputs(f"interlock {number}", outputs, interlock.force)
        for group in self.exclusive.groups:
            _check_outputs("exclusive group", outputs, dict.fromkeys(group, 0))
            _refuse_twice("member of an exclusive group", group)
        if info.context != TRIAL:
            for sentence in unmeasured(self):
                raise ValueError(sentence)
        return self


_SWITCH_KEYS = ("min_on_s", "min_off_s", "max_starts_per_h")
_LEVEL_KEYS = ("deadband", "min_move_interval_s")


def _refuse_twice(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{what} '{name}' is used twice")
        seen.add(name)


def _metrics_by_zone(sensors: tuple[SensorConfig, ...]) -> dict[str, set[str]]:
    zones: dict[str, set[str]] = {}
    for sensor in sensors:
        zones.setdefault(sensor.zone, set()).add(sensor.metric)
    for metrics in zones.values():
        metrics.update([name for name, needs in DERIVED_METRICS.items() if metrics.issuperset(needs)])
    return zones


def _check_outputs(where: str, outputs: dict[str, ActuatorConfig], values: dict[str, int]) -> None:
    for name, value in values.items():
        if name not in outputs:
            raise ValueError(f"{where}: unknown actuator '{name}' (there are: {_listed(outputs)})")
        if not outputs[name].accepts(value):
            raise ValueError(f"{where}: {name} is a switch and takes 0 or 1, not {value}")


def unmeasured(config: EnvironmentConfig) -> Iterator[str]:
    """A sentence for every condition on a metric that no sensor of its zone measures."""
    zones = _metrics_by_zone(config.sensor)
    for rule in config.rule:
        for condition in (rule.when, *rule.guard):
            yield from _unmeasured(f"rule {rule.id}", zones, rule.zone, condition)
    for number, interlock in enumerate(config.interlock, start=1):
        yield from _unmeasured(f"interlock {number}", zones, interlock.zone, interlock.when)


def _unmeasured(where: str, zones: dict[str, set[str]], zone: str, condition: ConditionConfig) -> Iterator[str]:
    wanted = [(zone, condition.metric)]
    if condition.minus is not None:
        other, _, metric = condition.minus.rpartition(".")
        wanted.append((other, metric))
    for name, metric in wanted:
        if name not in zones:
            yield f"{where}: no sensor in zone '{name}' (zones with sensors: {_listed(zones)})"
        elif metric not in zones[name]:
            yield f"{where}: zone '{name}' measures no {metric} (it has: {_listed(zones[name])})"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
