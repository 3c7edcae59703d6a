"""A small house and a driver that plays a list of timed events with a tick every ten seconds."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from environment.config import EnvironmentConfig
from environment.engine import Engine
from environment.state import Batch, CancelOverride, Command, Override, Sample, State, Tick

T0 = datetime(2026, 1, 5, 4, 0, tzinfo=UTC)  # Monday noon in Shanghai
ZONE = ZoneInfo("Asia/Shanghai")
SENSORS = [
    {"id": f"{zone}-{metric}", "zone": zone, "metric": metric, "device": f"{zone}-{metric}"}
    for zone in ("in", "out")
    for metric in ("temp", "rh", "lux", "flag")
]
AC = {"id": "ac", "type": "switch", "zone": "in", "device": "ac-1"}
FAN = {"id": "fan", "type": "switch", "zone": "in", "device": "fan-1"}
VENT = {"id": "vent", "type": "level", "zone": "in", "device": "vent-1"}
CURTAIN = {"id": "curtain", "type": "level", "zone": "in", "device": "curtain-1", "failsafe": 100}
HOT = {"id": "hot", "zone": "in", "when": {"metric": "temp", "above": 26.0, "hysteresis": 1.0}, "actuators": ["ac"]}
HOT["set"] = 1


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def house(**parts) -> Engine:
    base = {"sensor": SENSORS, "actuator": [AC, FAN, VENT, CURTAIN], "rule": [HOT]}
    return Engine(EnvironmentConfig.model_validate(base | parts), ZONE)


def sample(seconds: float, sensor: str, value: float) -> tuple[float, Sample]:
    return seconds, Sample(at(seconds), sensor, value)


def override(actuator: str, value: int | None, duration_s: float = 7200.0, id: str = "o1") -> Override:
    return Override(actuator, value, id, "user:7", duration_s)


def temps(*readings: tuple[float, float]) -> list[tuple[float, Sample]]:
    return [sample(seconds, "in-temp", value) for seconds, value in readings]


def purge(**parts) -> dict:
    base = {"id": "purge", "zone": "in", "when": {"metric": "rh", "above": 58.0, "hysteresis": 4.0}}
    return base | {"actuators": ["vent"], "set": 60} | parts


def window_contact(**force: int) -> dict:
    return {"zone": "in", "when": {"metric": "flag", "equals": 1}, "force": force}


class Player:
    """Plays events in time; keeps the state, every effect with its second, and the commands as `value@second`."""

    def __init__(self, engine: Engine, state: State | None = None) -> None:
        self.engine = engine
        self.state = state or State()
        self.effects: list[tuple[float, object]] = []

    def at(self, seconds: float, *events: object) -> "Player":
        event = events[0] if len(events) == 1 else Batch(events)
        step = self.engine.step(self.state, event, at(seconds))
        self.state = step.state
        self.effects.extend((seconds, effect) for effect in step.effects)
        return self

    def play(self, until: float, *timed: tuple[float, Sample | Override | CancelOverride]) -> "Player":
        """Tick every 10 s from 0; at each tick first what arrived since the last one at its own time."""
        for second in range(0, int(until) + 1, 10):
            for when, event in timed:
                if second - 10 < when <= second:
                    self.at(when, event)
            self.at(second, Tick())
        return self

    def commands(self, actuator: str) -> list[str]:
        return [
            f"{effect.value}@{second:g}"
            for second, effect in self.effects
            if isinstance(effect, Command) and effect.actuator == actuator
        ]

    def of(self, kind: type) -> list:
        return [effect for _, effect in self.effects if isinstance(effect, kind)]

    def decision(self, actuator: str):
        return next(row for row in self.state.decisions if row.actuator == actuator)
