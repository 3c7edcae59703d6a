"""A library with one single and two coincidence areas, and a driver for its fire panel."""

from datetime import UTC, datetime, timedelta

from security.config import SecurityConfig
from security.fire import FirePanel
from security.fire_state import Alarm, AlarmChanged, FireEffect, FireEvent, FireState, Logged, Refused, ZonesRead

T0 = datetime(2026, 1, 5, 4, 0, tzinfo=UTC)
CONFIG = SecurityConfig.model_validate(
    {
        "area": [
            {"id": "hall"},
            {"id": "stacks", "mode": "coincidence"},
            {"id": "attic", "mode": "coincidence"},
        ],
        "fire_zone": [
            {"id": "hall-1", "area": "hall", "module": "io-1", "input": "h1"},
            {"id": "hall-2", "area": "hall", "module": "io-1", "input": "h2", "kind": "flame"},
            {"id": "stacks-1", "area": "stacks", "module": "io-1", "input": "s1"},
            {"id": "stacks-2", "area": "stacks", "module": "io-1", "input": "s2"},
            {"id": "stacks-button", "area": "stacks", "module": "io-1", "input": "b", "kind": "call_point"},
            {"id": "attic-1", "area": "attic", "module": "io-1", "input": "a1"},
            {"id": "attic-2", "area": "attic", "module": "io-1", "input": "a2"},
            {"id": "attic-3", "area": "attic", "module": "io-1", "input": "a3"},
        ],
        "outputs": {
            "lamp": ["io-1.lamp"],
            "siren": ["io-1.siren"],
            "buzzer": ["io-1.buzzer"],
            "door_release": ["io-1.door-release"],
            "ventilation_stop": ["vent", "ac"],
        },
    }
)
ZONES = tuple(zone.id for zone in CONFIG.fire_zone)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def opened(*zones: str) -> ZonesRead:
    return ZonesRead(dict.fromkeys(zones, "open"))


def cleared(*zones: str) -> ZonesRead:
    return ZonesRead(dict.fromkeys(zones, "closed"))


def faulty(*zones: str) -> ZonesRead:
    return ZonesRead(dict.fromkeys(zones, "fault"))


class Watch:
    """Plays events to a panel whose zones were all read closed at 0; `last` holds the effects of the last event."""

    def __init__(self, state: FireState | None = None) -> None:
        self.panel = FirePanel(CONFIG)
        self.state = self.panel.step(FireState(), cleared(*ZONES), T0).state if state is None else state
        self.last: tuple[FireEffect, ...] = ()

    def at(self, seconds: float, event: FireEvent) -> "Watch":
        step = self.panel.step(self.state, event, at(seconds))
        self.state, self.last = step.state, step.effects
        return self

    @property
    def alarm(self) -> Alarm:
        assert self.state.alarm is not None
        return self.state.alarm

    def codes(self) -> list[str]:
        return [effect.code for effect in self.last if isinstance(effect, Logged)]

    def refusal(self) -> tuple[str, tuple[str, ...]]:
        (effect,) = [effect for effect in self.last if isinstance(effect, Refused)]
        return effect.code, effect.zones

    def shown(self) -> list[tuple[str, str]]:
        return [(effect.alarm.id, effect.alarm.state) for effect in self.last if isinstance(effect, AlarmChanged)]
