"""What the rules' page chooses from and draws, as plain values; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from environment.config import DERIVED_METRICS, EnvironmentConfig
from environment.rulebook.book import BookRule, RuleBook
from environment.rulebook.presets import Outputs, Preset, rules_of
from server.pages.dashboard.views import ActuatorKind
from server.rules.replay import Doing, Outcome

PURPOSE_OUTPUTS: Mapping[str, str] = {
    "cool": "cooler",
    "heat": "heater",
    "purge": "vent",
    "dry": "dehumidifier",
    "shade": "curtain",
}
STRIP_WIDTH = 1000.0
STRIP_HEIGHT = 18.0
MOST_PIECES = 400


@dataclass(frozen=True, slots=True)
class Output:
    """An actuator to choose: `highest` is 1 for a switch, else 100."""

    id: str
    name: str
    room: str
    kind: ActuatorKind
    highest: int


@dataclass(frozen=True, slots=True)
class Choices:
    """What rules can be made of: rooms id -> name, what each measures, and the actuators in the order of the house."""

    rooms: Mapping[str, str]
    measured: Mapping[str, Sequence[str]]
    outputs: Sequence[Output]

    def output(self, id_: str) -> Output | None:
        """One actuator."""
        return next((output for output in self.outputs if output.id == id_), None)

    def in_room(self, room: str) -> list[Output]:
        """The actuators of a room."""
        return [output for output in self.outputs if output.room == room]

    @property
    def pairs(self) -> list[str]:
        """Every `zone.metric` that can be taken off another."""
        return [f"{zone}.{metric}" for zone, metrics in self.measured.items() for metric in metrics]

    @property
    def metrics(self) -> list[str]:
        """Everything that is measured anywhere."""
        return sorted({metric for metrics in self.measured.values() for metric in metrics}, key=_ORDER.index)


_ORDER = ("temp", "rh", "lux", "co2", "dew_point", "abs_humidity", "occupancy", "flag")


def measured(config: EnvironmentConfig) -> dict[str, list[str]]:
    """Zone -> what its sensors measure, with what can be computed from it."""
    zones: dict[str, set[str]] = {}
    for sensor in config.sensor:
        zones.setdefault(sensor.zone, set()).add(sensor.metric)
    for metrics in zones.values():
        metrics.update([name for name, needs in DERIVED_METRICS.items() if metrics.issuperset(needs)])
    return {zone: sorted(metrics, key=_ORDER.index) for zone, metrics in zones.items()}


def from_preset(preset: Preset, purpose: str, output: Output, *, zone: str, book: RuleBook) -> BookRule | None:
    """A rule to begin with, under a name that is free; None where the preset has no figures for the purpose."""
    found = rules_of(preset, zone, Outputs(**{PURPOSE_OUTPUTS[purpose]: output.id}))
    if not found:
        return None
    data = found[0].model_dump(by_alias=True)
    data |= {"id": free_name(f"{zone}-{purpose}", book), "set": min(data["set"], output.highest)}
    return BookRule.model_validate(data)


def free_name(wanted: str, book: RuleBook) -> str:
    """The name itself, or with the first number that no rule has."""
    taken = {rule.id for rule in book.rule}
    names = (wanted if n == 1 else f"{wanted}-{n}" for n in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of time during which an actuator was off its default, in the drawing's units."""

    x: float
    width: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Strip:
    """An actuator's day drawn: as the rules would have had it, and as it was (None: it never reported)."""

    actuator: str
    would: Doing
    did: Doing | None
    would_pieces: Sequence[Piece]
    did_pieces: Sequence[Piece]


def strips(outcome: Outcome) -> list[Strip]:
    """One for each actuator."""
    start, end = outcome.period.start, outcome.period.end
    found = []
    for one in outcome.compared:
        highest = 1.0 if one.actuator.type == "switch" else 100.0
        would = list(_pieces(one.would, start, end, highest=highest))
        did = list(_pieces(one.did, start, end, highest=highest)) if one.did else []
        found.append(Strip(one.actuator.id, one.would, one.did, would, did))
    return found


def _pieces(doing: Doing, start: datetime, end: datetime, *, highest: float) -> Iterator[Piece]:
    whole = (end - start).total_seconds()
    ends = [at for at, _ in doing.course[1:]] + [end]
    drawn = 0
    for (at, value), until in zip(doing.course, ends, strict=True):
        if value > 0 and drawn < MOST_PIECES:
            drawn += 1
            x = (at - start).total_seconds() / whole * STRIP_WIDTH
            width = max((until - at).total_seconds() / whole * STRIP_WIDTH, 1.0)
            height = STRIP_HEIGHT * min(value / highest, 1.0)
            yield Piece(round(x, 1), round(width, 1), round(STRIP_HEIGHT - height, 1), round(height, 1))
