"""What the dashboard shows, as plain values, and the building it asks for them. Names are in the visitor's language."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, Protocol

from carrel.contracts.health import LinkErrorCode
from carrel.sections import Placed
from carrel.web.i18n import Language
from server.deps import Principal
from server.rooms.picture import Standing
from server.rooms.policy import Stage

ShownQuantity = Literal["temp", "rh", "lux", "co2"]
ActuatorKind = Literal["curtain", "ac", "vent", "other"]
Cause = Literal["safety", "interlock", "override", "rule", "default", "failsafe"]
Severity = Literal["info", "warn", "alarm", "critical"]
AlarmAction = Literal["acknowledge", "silence", "reset"]
Mode = Literal["auto", "manual", "safety"]

DECIMALS = {"temp": 1, "dew_point": 1, "abs_humidity": 1}
"""With which quantities are shown; others with none."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One quantity of a room; not `heard` while every gateway that it came from is away.

    `history` is (time, value) of the last two hours, oldest first.
    """

    room: str
    quantity: ShownQuantity
    value: float | None
    at: datetime | None
    band: tuple[float, float] | None = None
    history: Sequence[tuple[datetime, float]] = ()
    heard: bool = True

    @property
    def key(self) -> str:
        """Its key on the live channel."""
        return f"{self.room}.{self.quantity}"

    @property
    def side(self) -> Literal["above", "below", ""]:
        """On which side of the target band the value lies, as people read it: 60.2 shown as 60 is not above 60."""
        if self.value is None or self.band is None:
            return ""
        shown = round(self.value, DECIMALS.get(self.quantity, 0))
        return "above" if shown > self.band[1] else "below" if shown < self.band[0] else ""


@dataclass(frozen=True, slots=True)
class OverrideView:
    """A person's wish for an actuator and how far it has come; `code` says why it was refused."""

    id: str
    by: str
    value: float
    until: datetime
    stage: Stage = "confirmed"
    code: str = ""
    asked_at: datetime | None = None

    @property
    def pending(self) -> bool:
        """The gateway has not answered yet."""
        return self.stage in ("queued", "sent", "unanswered")

    @property
    def running(self) -> bool:
        """It holds the actuator, or may soon; a refused one never will."""
        return self.stage != "refused"


@dataclass(frozen=True, slots=True)
class ActuatorView:
    """What an actuator does and why; values as in carrel.contracts.actuation.ActuatorState.

    `override` is the wish that holds it or is on its way, `refused` one that came to nothing a moment ago.
    """

    id: str
    kind: ActuatorKind
    name: str
    wanted: float | None
    commanded: float | None
    reported: float | None
    cause: Cause
    reason: str
    params: Mapping[str, float | str] = field(default_factory=dict)
    override: OverrideView | None = None
    rule: str | None = None
    refused: OverrideView | None = None

    @property
    def value(self) -> float | None:
        """What it does, as the device says; before it has said anything, what it was told."""
        return self.commanded if self.reported is None else self.reported

    @property
    def moving(self) -> bool:
        """Told, but not there yet (5 % is within a covering's own tolerance); what the fire panel holds stays there."""
        if self.cause == "safety":
            return False
        return self.reported is not None and self.commanded is not None and abs(self.reported - self.commanded) > 5


@dataclass(frozen=True, slots=True)
class RoomTile:
    """One room on the overview. `rev` is that of `{room}.actuators` on the live channel."""

    id: str
    name: str
    outdoor: bool
    measurements: Sequence[Measurement]
    actuators: Sequence[ActuatorView] = ()
    rev: str = ""

    @property
    def mode(self) -> Mode:
        """Who has the say: the fire panel, a person, or the rules."""
        if any(a.cause == "safety" for a in self.actuators):
            return "safety"
        return "manual" if any(a.override for a in self.actuators) else "auto"


@dataclass(frozen=True, slots=True)
class CauseView:
    """A detector that takes part in an alarm; `name` is empty when its kind says it all.

    `hangs` is the id of a room or of a floor's place, empty where nobody has told.
    """

    name: str
    kind: Literal["smoke", "flame", "call_point"]
    active: bool
    hangs: str = ""


@dataclass(frozen=True, slots=True)
class AlarmView:
    """One alarm as the panel has it; not `recorded` while the database has not taken this state of it.

    `place_id` is its own place, by the id of a room, of a floor's place or of an area.
    """

    id: str
    kind: Literal["fire", "fault"]
    severity: Severity
    place: str
    state: Literal["verify", "alarm", "fault", "tamper", "reset"]
    raised_at: datetime
    causes: Sequence[CauseView]
    silenced: bool = False
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    reset_at: datetime | None = None
    reset_by: str | None = None
    recorded: bool = True
    place_id: str = ""

    @property
    def places(self) -> set[str]:
        """Where it is and where its detectors hang."""
        return {self.place_id, *(cause.hangs for cause in self.causes)}

    @property
    def is_fire(self) -> bool:
        """Shown as the full-width panel."""
        return self.kind == "fire" and self.state == "alarm"

    @property
    def loud(self) -> bool:
        """The siren sounds."""
        return self.is_fire and not self.silenced

    @property
    def causes_active(self) -> bool:
        """A detector still sees something: a reset would be refused."""
        return any(cause.active for cause in self.causes)


@dataclass(frozen=True, slots=True)
class Unwatched:
    """Why an alarm would not be seen here: the broker is away, or these gateways are, or there is none yet."""

    why: Literal["broker", "gateways", "nobody"]
    gateways: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class AlarmsView:
    """Alarms that are not over, most urgent first; `quiet_since` when there is none.

    All is quiet only where nothing is `unwatched`; `unwritten` while the database takes nothing.
    """

    open: Sequence[AlarmView]
    quiet_since: datetime | None
    rev: str = ""
    unwatched: Unwatched | None = None
    unwritten: bool = False


@dataclass(frozen=True, slots=True)
class LinkView:
    """One port or socket of a gateway; `code` is the kind of its last error."""

    id: str
    kind: str
    state: Literal["connecting", "up", "degraded", "down"]
    since: datetime
    last_error: str = ""
    code: LinkErrorCode | None = None


@dataclass(frozen=True, slots=True)
class GatewayView:
    """One gateway and its links; `seen` when it ever told its state, `offline_at` if it was heard to go."""

    id: str
    standing: Standing
    seen: bool
    offline_at: datetime | None
    links: Sequence[LinkView] = ()

    @property
    def online(self) -> bool:
        """It is there now, for all that is known."""
        return self.standing == "online"


@dataclass(frozen=True, slots=True)
class TerminalView:
    """A self-service terminal that has spoken to this server; `since` is when it came into its state."""

    id: str
    place: str
    online: bool
    state: Literal["ok", "paper_out", "shutting_down", "unknown"]
    since: datetime | None


@dataclass(frozen=True, slots=True)
class HealthView:
    """All gateways, and the terminals that were heard."""

    gateways: Sequence[GatewayView]
    rev: str = ""
    terminals: Sequence[TerminalView] = ()


@dataclass(frozen=True, slots=True)
class PlaceView:
    """A place on a floor's plan; without sensors it has no room. `fire` is the alarm that a detector there raised."""

    at: Placed
    name: str
    room: RoomTile | None
    fire: AlarmView | None = None


@dataclass(frozen=True, slots=True)
class FloorView:
    """A floor's plan."""

    name: str
    places: Sequence[PlaceView]


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything of the overview page."""

    rooms: Sequence[RoomTile]
    alarms: AlarmsView
    health: HealthView
    floors: Sequence[FloorView] = ()

    @property
    def off_plan(self) -> list[AlarmView]:
        """The fires with those of their detectors that no floor shows; none where a fire's own place is shown."""
        shown = {place.at.id for floor in self.floors for place in floor.places}
        found = [
            replace(alarm, causes=[cause for cause in alarm.causes if cause.hangs not in shown])
            for alarm in self.alarms.open
            if alarm.kind == "fire" and alarm.place_id not in shown
        ]
        return [alarm for alarm in found if alarm.causes]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants of an actuator. A repeat with the same `key` is one wish; `wait` for the gateway's answer."""

    value: float
    duration_s: int
    key: str | None = None
    wait: bool = True


@dataclass(frozen=True, slots=True)
class Choice:
    """How long manual control may last, in minutes, and a key for the form that asks: pressed twice, it is one wish."""

    minutes: Sequence[int] = (10, 30, 60, 120, 240, 480)
    default: int = 120

    @property
    def key(self) -> str:
        """Another one each time that a form is made."""
        return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something asked for on a page was not done: a stable code, worded by the page."""

    code: str
    params: Mapping[str, str | int] = field(default_factory=dict)


class Building(Protocol):
    """What the dashboard needs of the server's domains; each call is one transaction of its own."""

    def overview(self, language: Language) -> Overview:
        """Everything of the overview page."""

    def room(self, room: str, language: Language) -> RoomTile | None:
        """One room; None if there is none of that id."""

    def alarms(self, language: Language) -> AlarmsView:
        """Alarms that are not over."""

    def alarm_log(self, language: Language, limit: int) -> Sequence[AlarmView]:
        """The newest alarms, over or not, newest first."""

    def health(self) -> HealthView:
        """Gateways and links."""

    def take_control(self, room: str, actuator: str, wish: Wish, *, by: Principal) -> Refusal | None:
        """Put a person's wish above the rules; None when it was accepted and is on its way to the edge."""

    def give_back(self, override: str, *, by: Principal) -> Refusal | None:
        """End a person's wish before its time."""

    def answer_alarm(self, alarm: str, action: AlarmAction, *, by: Principal) -> Refusal | None:
        """Acknowledge, silence or reset."""

    def retire_gateway(self, gateway: str, *, by: Principal) -> Refusal | None:
        """Forget one that will not come back."""
