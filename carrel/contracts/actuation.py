"""Orders to the edge and what became of them. One key for a command everywhere: `id`."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from carrel.contracts.base import Contract
from carrel.contracts.ids import ActuatorId, AlarmId, Person, RequestId, RoomId, RuleId
from carrel.contracts.network import NetworkCommand


class Priority(IntEnum):
    """Who stands above whom at one output; the highest filled slot wins."""

    COMFORT = 1
    INTRUSION = 2
    LIFE_SAFETY = 3


class SetOutput(Contract):
    """Switch a module's output."""

    output: str
    on: bool


class SetPosition(Contract):
    """Move a covering: per cent closed, 0 open .. 100 closed."""

    device: str
    closed_pct: float = Field(ge=0, le=100)


class SetLevel(Contract):
    """Run a fan or vent at a share of its full output; 0 is off."""

    device: str
    level_pct: float = Field(ge=0, le=100)


class SetSwitch(Contract):
    """Switch an air conditioner or plug."""

    device: str
    on: bool
    setpoint_c: float | None = None


DeviceOrder = SetOutput | SetPosition | SetLevel | SetSwitch


class OverrideSet(Contract):
    """A person's wish for an actuator, which always ends by itself."""

    kind: Literal["override_set"] = "override_set"
    id: RequestId
    actuator: ActuatorId
    value: float = Field(ge=0, le=100)
    duration_s: int = Field(gt=0, le=43200)
    by: Person
    expires: AwareDatetime


class OverrideCancel(Contract):
    """End the override that the command `override` began."""

    kind: Literal["override_cancel"] = "override_cancel"
    id: RequestId
    actuator: ActuatorId
    override: RequestId
    by: Person
    expires: AwareDatetime


class PanelCommand(Contract):
    """What a person tells the fire panel about an alarm."""

    kind: Literal["panel"] = "panel"
    id: RequestId
    action: Literal["acknowledge", "silence", "reset"]
    alarm: AlarmId
    by: Person
    expires: AwareDatetime


EdgeOrder = OverrideSet | OverrideCancel | PanelCommand | NetworkCommand
EDGE_COMMAND: TypeAdapter[EdgeOrder] = TypeAdapter(Annotated[EdgeOrder, Field(discriminator="kind")])


class CommandStatus(StrEnum):
    """`accepted` is on its way; `done` was seen at the device; the others are final refusals."""

    ACCEPTED = "accepted"
    DONE = "done"
    REJECTED = "rejected"
    EXPIRED = "expired"
    FAILED = "failed"


class CommandResult(Contract):
    """The answer to a command; a repeat of the command gets the first answer again."""

    id: RequestId
    status: CommandStatus
    code: str = ""
    detail: str = ""
    ts: AwareDatetime


class OverrideInForce(Contract):
    """The manual override that holds an actuator now."""

    id: RequestId
    by: Person
    value: float
    until: AwareDatetime


class ActuatorState(Contract):
    """Why an actuator does what it does. `reason` is a stable code, worded by the page.

    Values are 0/1 for a switch, per cent for a level (a curtain: per cent closed).
    """

    actuator: ActuatorId
    zone: RoomId
    type: Literal["switch", "level"]
    kind: Literal["curtain", "ac", "vent", "other"]
    wanted: float
    commanded: float | None = None
    reported: float | None = None
    cause: Literal["safety", "interlock", "override", "rule", "default", "failsafe"]
    rule: str | None = None
    reason: str
    params: dict[str, float | str] = Field(default_factory=dict)
    override: OverrideInForce | None = None


WhyNot = Literal[
    "sensor_unknown",
    "condition_false",
    "waiting",
    "guard_closed",
    "outside_schedule",
    "outranked",
    "protected",
    "safety",
]


class RuleLive(Contract):
    """How a rule stands. `value` and `threshold` are what is compared now, shifts included; without `value` the sensor
    is silent. `latched` is the condition with its dead band and `since` when that last changed; `active` follows after
    the rule's waiting times, and `until` is when one that runs ends. `acting`: its wish is carried out at one actuator
    at least; else `why_not` says why, worded by the page.
    """

    id: RuleId
    zone: RoomId
    priority: int
    metric: str
    minus: str | None = None
    side: Literal["above", "below", "equals"]
    value: float | None = None
    threshold: float
    latched: bool
    active: bool
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    set_value: int
    actuators: tuple[ActuatorId, ...]
    acting: bool
    why_not: WhyNot | None = None


class RulesState(Contract):
    """The decision table of a gateway, one row an actuator, and its rules as they stand, in the order of the file."""

    ts: AwareDatetime
    actuators: tuple[ActuatorState, ...]
    rules: tuple[RuleLive, ...] = ()
