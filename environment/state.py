"""What the engine takes in (events), hands out (effects) and remembers (state). Aware UTC datetimes throughout."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from environment.hysteresis import NEVER, Dwell, Side

Authority = Literal["interlock", "override", "rule", "default"]
ReasonCode = Literal["interlock", "override", "rule", "sensor_unknown", "exclusive", "default"]
HoldCode = Literal["min_on", "min_off", "max_starts", "min_move_interval", "deadband"]
DropCode = Literal["unknown_sensor", "not_a_number", "out_of_range", "older_than_newest"]
EndCode = Literal["expired", "cancelled", "replaced", "config_changed"]
WhyNot = Literal[
    "sensor_unknown", "condition_false", "waiting", "guard_closed", "outside_schedule", "outranked", "protected"
]
RefusalCode = Literal["unknown_actuator", "value_out_of_range", "duration_out_of_range", "unknown_override"]


# ---------------------------------------------------------------- events
@dataclass(frozen=True, slots=True)
class Sample:
    """A sensor's value; `sample_time` is the device's own time where it has one."""

    arrival: datetime
    sensor: str
    value: float | None
    sample_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """A person's wish for an actuator until `duration_s` from now; value None cancels the one in force."""

    actuator: str
    value: int | None
    id: str
    by: str
    duration_s: float = 7200.0


@dataclass(frozen=True, slots=True)
class CancelOverride:
    """End the override with this id."""

    id: str
    by: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passes."""


@dataclass(frozen=True, slots=True)
class ConfigChanged:
    """The engine was replaced by one with another configuration."""


SingleEvent = Sample | Override | CancelOverride | Tick | ConfigChanged


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one instant: samples are taken first, then the rest in order, then the rules are evaluated once."""

    events: tuple[SingleEvent, ...]


Event = SingleEvent | Batch


# ---------------------------------------------------------------- effects
@dataclass(frozen=True, slots=True)
class Reason:
    """Why an actuator is wanted where it is: a stable code and what a page needs to say it in words."""

    code: ReasonCode
    source: str | None = None  # rule id, override id, "interlock-1" ...
    zone: str | None = None
    metric: str | None = None
    minus: str | None = None  # "zone.metric" taken off before comparing
    side: Side | None = None
    value: float | None = None
    threshold: float | None = None
    by: str | None = None  # person of an override
    yielded_to: str | None = None  # winner of the exclusive group


@dataclass(frozen=True, slots=True)
class Command:
    """Move an actuator now."""

    actuator: str
    value: int
    authority: Authority
    reason: Reason


@dataclass(frozen=True, slots=True)
class ManualOverride:
    """An override in force while `now < end`."""

    id: str
    actuator: str
    value: int
    by: str
    since: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class OverrideStarted:
    """An override is in force."""

    override: ManualOverride


@dataclass(frozen=True, slots=True)
class OverrideEnded:
    """An override is no longer in force; `by` names the person who ended it, if one did."""

    override: ManualOverride
    code: EndCode
    by: str | None = None


@dataclass(frozen=True, slots=True)
class OverrideRefused:
    """An Override or CancelOverride changed nothing."""

    id: str
    code: RefusalCode


@dataclass(frozen=True, slots=True)
class SampleDropped:
    """A sample that must not control anything; older ones are still worth storing."""

    sample: Sample
    code: DropCode


Effect = Command | OverrideStarted | OverrideEnded | OverrideRefused | SampleDropped


# ---------------------------------------------------------------- state
@dataclass(frozen=True, slots=True)
class Hold:
    """Why a wanted value is not commanded yet, and until when (None: until the target moves further)."""

    code: HoldCode
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Decision:
    """One row of the decision table: what an actuator is wanted to be, by whose authority, and why."""

    actuator: str
    wanted: int
    commanded: int
    authority: Authority
    reason: Reason
    override_end: datetime | None = None
    hold: Hold | None = None


@dataclass(frozen=True, slots=True)
class RuleStanding:
    """How a rule stands: what it compares now, its latch and activity, and whether its wish is carried out.

    `latched` is the condition with its dead band, `since` when it last changed; `until` is when a running `for_s` or
    `release_for_s` ends. `demanding` rules ask for something; `acting` ones get it at one actuator at least.
    """

    id: str
    value: float | None
    threshold: float
    side: Side
    latched: bool
    active: bool
    since: datetime | None
    until: datetime | None
    demanding: bool
    acting: bool
    why_not: WhyNot | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The newest accepted sample of a sensor."""

    value: float
    arrival: datetime
    time: datetime


@dataclass(frozen=True, slots=True)
class RuleState:
    """A rule's memory: its latch with timers, and one latch per guard."""

    dwell: Dwell = NEVER
    guards: tuple[bool, ...] = ()


@dataclass(frozen=True, slots=True)
class ActuatorState:
    """Last commanded value, when it changed (None: long ago) and the switch-on times of the last hour."""

    commanded: int
    changed_at: datetime | None = None
    starts: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """Everything the engine remembers. `State()` is a fresh start; absent entries mean "nothing yet"."""

    samples: Mapping[str, Accepted] = field(default_factory=dict)
    rules: Mapping[str, RuleState] = field(default_factory=dict)
    interlocks: Mapping[str, bool] = field(default_factory=dict)
    actuators: Mapping[str, ActuatorState] = field(default_factory=dict)
    overrides: Mapping[str, ManualOverride] = field(default_factory=dict)  # by actuator
    decisions: tuple[Decision, ...] = ()  # table of the last evaluation, in the order of the configuration
    evaluated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """The new state and what to do; `store` says that memory which must survive a restart has changed."""

    state: State
    effects: tuple[Effect, ...]
    store: bool
