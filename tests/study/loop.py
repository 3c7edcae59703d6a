"""The closed loop: virtual building, noisy Zigbee-like sensors, the rule engine as it is, and back to the plant."""

from __future__ import annotations

import copy
import random
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from environment.config import EnvironmentConfig, SensorConfig
from environment.engine import Engine
from environment.state import Batch, Command, Sample, State, Tick
from firmware_sim.building import Building, Energy, Room, lamps_on
from firmware_sim.weather import Climate
from tests.study.measures import BANDS, Figures, Tally, figures

STEP_S = 60
LOSS = 0.02  # share of reports that never arrive
MAX_SILENCE_S = 300  # a sensor reports at least this often
ZONE = ZoneInfo("Etc/GMT+5")  # local standard time of the weather file; only schedules read it
START_TEMP = {"reading-room": 23.0, "stacks": 18.0}

# One standard deviation of noise and the change that is worth a report, as fractions of the value where it says so.
NOISE = {"temp": 0.1, "rh": 1.0, "co2": 20.0}
REPORT = {"temp": 0.2, "rh": 1.0, "co2": 50.0}
LUX_NOISE, LUX_REPORT = 0.03, 0.12


@dataclass
class Sensor:
    """One measured value on its way to the gateway: noise, reporting thresholds, loss."""

    config: SensorConfig
    dice: random.Random
    told: float | None = None
    told_at_s: float = 0.0

    def report(self, room: Room, now_s: float) -> float | None:
        """What arrives this minute, if anything does."""
        value = self._measured(room)
        change = LUX_REPORT * max(1.0, self.told or 0.0) if self.config.metric == "lux" else REPORT[self.config.metric]
        if self.told is not None and abs(value - self.told) < change and now_s - self.told_at_s < MAX_SILENCE_S:
            return None
        self.told, self.told_at_s = value, now_s
        return None if self.dice.random() < LOSS else value

    def _measured(self, room: Room) -> float:
        true = float(getattr(room, self.config.metric))
        noise = LUX_NOISE * true if self.config.metric == "lux" else NOISE[self.config.metric]
        value = true + self.dice.gauss(0.0, noise)
        return min(100.0, max(0.0, value)) if self.config.metric == "rh" else value


@dataclass
class Controller:
    """A room's rules at work: one engine, its sensors and its memory."""

    config: EnvironmentConfig
    seed: int
    state: State = field(default_factory=State)
    switches: int = 0

    def __post_init__(self) -> None:
        self._engine = Engine(self.config, ZONE)
        self._sensors = [Sensor(one, random.Random(f"{self.seed} {one.id}")) for one in self.config.sensor]

    def step(self, building: Building, now_s: float) -> None:
        """One minute: hear the sensors, decide, move the plant."""
        now = building.clock.astimezone(UTC)
        heard = [(sensor.config, sensor.report(building.rooms[sensor.config.zone], now_s)) for sensor in self._sensors]
        samples = [Sample(now, config.id, value) for config, value in heard if value is not None]
        step = self._engine.step(self.state, Batch((*samples, Tick())), now)
        self.state = step.state
        for effect in step.effects:
            if isinstance(effect, Command):
                self.switches += 1
                move(building, effect.actuator, effect.value)


@dataclass(frozen=True)
class Moment:
    """One minute of a room, for the plot."""

    when: datetime
    temp: float
    rh: float
    outputs: dict[str, int]


@dataclass(frozen=True)
class Run:
    """A mode's month in one room."""

    figures: Figures
    day: list[Moment]


@dataclass
class Stay:
    """A room under its rules while it is measured."""

    room: Room
    controller: Controller
    tally: Tally = field(init=False)
    day: list[Moment] = field(default_factory=list)
    _before: Energy = field(init=False)

    def begin(self) -> None:
        """From here on everything counts."""
        self.tally = Tally(BANDS[self.room.id])
        self._before = copy.copy(self.room.energy)
        self.controller.switches = 0

    def count(self, when: datetime, *, keep: bool) -> None:
        """Count a minute that has passed, and keep it for the plot if so told."""
        self.tally.minute(self.room, is_open=lamps_on(when))
        if keep:
            outputs = {row.actuator: row.commanded for row in self.controller.state.decisions}
            self.day.append(Moment(when, self.room.temp, self.room.rh, outputs))

    def run(self) -> Run:
        """The result."""
        self.tally.switches = self.controller.switches
        return Run(figures(self.tally, self.room.energy, self._before), self.day)


@dataclass(frozen=True)
class Period:
    """What is simulated. The days before `start` let the rooms settle and do not count; one day is kept to plot."""

    start: datetime
    days: int
    lead_days: int = 14
    kept_day: int = 15


PLANT = {"ac": "ac_on", "heater": "heater_on", "dehumidifier": "dehumidifier_on"}
LEVELS = {"vent": "vent_pct", "curtain": "curtain_closed_pct"}


def move(building: Building, actuator: str, value: int) -> None:
    """Carry a command out; the plant's kind is the last part of the actuator's id."""
    prefix, _, kind = actuator.rpartition("-")
    room = building.rooms["reading-room" if prefix == "reading" else prefix]
    if kind in PLANT:
        setattr(room, PLANT[kind], value == 1)
    else:
        setattr(room, LEVELS[kind], float(value))


def load_rules(path: Path) -> EnvironmentConfig:
    """The `[environment]` of a rule file."""
    return EnvironmentConfig.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))["environment"])


def month(number: int, days: int | None = None) -> Period:
    """A month, or its first days, of a year that is no leap year."""
    start = datetime(2025, number, 1, tzinfo=ZONE)
    following = datetime(2025 + number // 12, number % 12 + 1, 1, tzinfo=ZONE)
    return Period(start, days or (following - start).days)


def simulate(rules: dict[str, EnvironmentConfig], climate: Climate, period: Period, seed: int) -> dict[str, Run]:
    """Let the building live under these rules, by room; the same seed gives every mode the same dice."""
    building = ready(period.start - timedelta(days=period.lead_days), climate)
    stays = [Stay(building.rooms[name], Controller(config, seed)) for name, config in rules.items()]
    for minute in range((period.lead_days + period.days) * 1440):
        if minute == period.lead_days * 1440:
            for stay in stays:
                stay.begin()
        for stay in stays:
            stay.controller.step(building, minute * STEP_S)
        building.step(STEP_S)
        if minute >= period.lead_days * 1440:
            for stay in stays:
                stay.count(building.clock, keep=building.clock.day == period.kept_day)
    return {stay.room.id: stay.run() for stay in stays}


def ready(start: datetime, climate: Climate) -> Building:
    """The building before its first minute: air conditioners that run whenever told, no heat but the rules' own."""
    building = Building(start, climate)
    for name, temp in START_TEMP.items():
        building.set(name, temp=temp, rh=50.0)
        room = building.rooms[name]
        room.ac_setpoint = 5.0  # the rules are the thermostat, so the device's own must not interfere
        room.background_heat_c = 5.0  # frost alone
    return building
