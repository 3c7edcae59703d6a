"""What the fire panel takes in (events), hands out (effects) and remembers (state). Aware UTC datetimes throughout."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from security.zones import Condition

AlarmKind = Literal["fire", "fault"]
AlarmStage = Literal["verify", "alarm", "fault", "tamper", "normal"]
Severity = Literal["warning", "critical", "fault"]
CommandName = Literal["read", "silence", "acknowledge", "reset", "isolate", "lift"]
RefusalCode = Literal[
    "wrong_state", "detector_active", "detector_fault", "unknown_alarm", "unknown_zone", "duration_out_of_range"
]
LogCode = Literal[
    "zone_open",
    "zone_clear",
    "zone_fault",
    "zone_tamper",
    "zone_restored",
    "detector_again",
    "verify_started",
    "verify_cleared",
    "alarm_raised",
    "cause_added",
    "silenced",
    "acknowledged",
    "reset",
    "isolated",
    "isolation_lifted",
    "isolation_expired",
]
Audience = Literal["duty_staff", "administrator", "all_staff", "further_contacts"]

MAX_ISOLATION_S: Final = 28_800.0


# ---------------------------------------------------------------- events
@dataclass(frozen=True, slots=True)
class ZonesRead:
    """Conditions of zones as read at one instant; repeating an unchanged condition does nothing."""

    conditions: Mapping[str, Condition]


@dataclass(frozen=True, slots=True)
class Silence:
    """Siren off only; `alarm` None means the present one."""

    by: str
    alarm: str | None = None


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """A person has seen it: escalation stops, the siren goes on; `alarm` None means whatever is present."""

    by: str
    alarm: str | None = None


@dataclass(frozen=True, slots=True)
class Reset:
    """Back to normal, if every detector is clear or isolated; `alarm` None means the present one."""

    by: str
    alarm: str | None = None


@dataclass(frozen=True, slots=True)
class Isolate:
    """Leave a zone out, at most eight hours."""

    zone: str
    by: str
    duration_s: float = MAX_ISOLATION_S


@dataclass(frozen=True, slots=True)
class Lift:
    """End an isolation; a zone that is active at that moment counts."""

    zone: str
    by: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passes: timers due at or before now fire."""


FireCommand = Silence | Acknowledge | Reset | Isolate | Lift
FireEvent = ZonesRead | FireCommand | Tick


# ---------------------------------------------------------------- effects
@dataclass(frozen=True, slots=True)
class Alarm:
    """One occurrence, from its first sign to its reset, under one stable id. `causes` are zone ids, first first."""

    id: str
    kind: AlarmKind
    area: str
    state: AlarmStage
    severity: Severity
    causes: tuple[str, ...]
    opened_at: datetime
    alarmed_at: datetime | None = None
    silenced_by: str | None = None
    silenced_at: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    escalation: int = 0
    closed_by: str | None = None
    closed_at: datetime | None = None

    @property
    def silenced(self) -> bool:
        """Whether its siren is switched off by a person."""
        return self.silenced_at is not None

    @property
    def acknowledged(self) -> bool:
        """Whether a person has seen it."""
        return self.acknowledged_at is not None

    @property
    def open(self) -> bool:
        """Whether it still stands."""
        return self.closed_at is None


@dataclass(frozen=True, slots=True)
class AlarmChanged:
    """The alarm's present state, to be published under its id."""

    alarm: Alarm


@dataclass(frozen=True, slots=True)
class Escalated:
    """Tell these people now. Level 0 is the pre-alarm of a verification."""

    alarm: str
    level: int
    audience: tuple[Audience, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """A command changed nothing; `zones` are those in the way."""

    command: CommandName
    code: RefusalCode
    by: str | None = None
    zones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Logged:
    """A row for the append-only log."""

    code: LogCode
    at: datetime
    zone: str | None = None
    alarm: str | None = None
    by: str | None = None


FireEffect = AlarmChanged | Escalated | Refused | Logged


# ---------------------------------------------------------------- state
@dataclass(frozen=True, slots=True)
class ZoneState:
    """A zone's last condition and since when."""

    condition: Condition
    since: datetime


@dataclass(frozen=True, slots=True)
class Isolation:
    """A zone left out until `until`."""

    since: datetime
    until: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A verification in one area: waiting for a second detector until `due`. The first one is its alarm's cause."""

    alarm: Alarm
    due: datetime

    @property
    def detector(self) -> str:
        """The zone that began it."""
        return self.alarm.causes[0]


@dataclass(frozen=True, slots=True)
class FireState:
    """Everything the fire panel remembers. `FireState()` is a fresh start: zones without an entry were never read."""

    zones: Mapping[str, ZoneState] = field(default_factory=dict)
    isolations: Mapping[str, Isolation] = field(default_factory=dict)
    stages: Mapping[str, Stage] = field(default_factory=dict)  # by area; empty during an alarm
    alarm: Alarm | None = None

    @property
    def phase(self) -> Literal["normal", "verify", "alarm"]:
        """The panel's state in the table of the fire panel."""
        if self.alarm is not None:
            return "alarm"
        return "verify" if self.stages else "normal"

    def condition(self, zone: str) -> Condition | None:
        """Last condition of a zone; None when it was never read."""
        kept = self.zones.get(zone)
        return None if kept is None else kept.condition


@dataclass(frozen=True, slots=True)
class FireStep:
    """The new state, to be stored before outputs are driven, and what to do."""

    state: FireState
    effects: tuple[FireEffect, ...]


def new_alarm(area: str, zone: str, now: datetime) -> Alarm:
    """The occurrence that begins with this zone, still to be verified."""
    return Alarm(f"fire-{area}-{_millis(now)}", "fire", area, "verify", "warning", (zone,), now)


def fault_alarm(zone: str, area: str, kept: ZoneState) -> Alarm:
    """The occurrence of a zone in fault or tamper; its id follows from the zone and the time it began."""
    stage: AlarmStage = "tamper" if kept.condition == "tamper" else "fault"
    return Alarm(f"fault-{zone}-{_millis(kept.since)}", "fault", area, stage, "fault", (zone,), kept.since)


def _millis(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
