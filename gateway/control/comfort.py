"""The environment engine's hands: readings in, orders at comfort priority out, its decision table for the page."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from carrel.contracts.actuation import (
    ActuatorState,
    CommandResult,
    CommandStatus,
    DeviceOrder,
    OverrideCancel,
    OverrideInForce,
    OverrideSet,
    Priority,
    RuleLive,
    RulesState,
)
from carrel.contracts.telemetry import Quantity, Reading
from environment.config import ActuatorConfig, EnvironmentConfig
from environment.engine import Engine
from environment.persistence import from_json, to_json
from environment.state import (
    CancelOverride,
    Command,
    ConfigChanged,
    Decision,
    Effect,
    Override,
    OverrideEnded,
    OverrideRefused,
    Sample,
    SampleDropped,
    State,
    Tick,
)
from environment.succession import carried_over
from gateway.control.arbiter import Arbiter
from gateway.control.drift import Drift
from gateway.control.live_rules import live_rule
from gateway.control.orders import REPORTED, ControlledDevice, order_for, percent_of
from gateway.store import Store

log = logging.getLogger(__name__)

MEMORY = "environment"
SET_BACK = timedelta(seconds=2)
"""A clock that went back by more than this was set; less is a correction that the engine need not know of."""
Cause = Literal["safety", "interlock", "override", "rule", "default"]


@dataclass(frozen=True, slots=True)
class Plant:
    """The rules and the devices that they move. Actuators whose device is unknown are refused at start."""

    config: EnvironmentConfig
    engine: Engine
    devices: Mapping[str, ControlledDevice]


class Comfort:
    """Owns the engine's state."""

    def __init__(self, plant: Plant, *, arbiter: Arbiter, store: Store, now: datetime) -> None:
        self._plant = plant
        self._arbiter = arbiter
        self._store = store
        self._sensors = {(s.device, Quantity(s.metric)): s.id for s in plant.config.sensor if s.metric != "flag"}
        self._actuators = {a.id: a for a in plant.config.actuator}
        self._reported: dict[str, float] = {}
        self._drift = Drift()
        self._dropped: dict[str, str] = {}
        self._dirty = False
        self._saving = threading.Lock()
        first = plant.engine.step(not_ahead(_remembered(store, now), now), Tick(), now)
        self._state = first.state
        self._apply(first.effects)
        for decision in self._state.decisions:
            self._place(decision.actuator, decision.commanded)

    def reading(self, reading: Reading, now: datetime) -> list[DeviceOrder]:
        """Take a reading; returns the orders it leads to."""
        if reading.quantity in (Quantity.POSITION, Quantity.ON, Quantity.LEVEL):
            self._reported[f"{reading.device}/{reading.quantity}"] = reading.value
        sensor = self._sensors.get((reading.device, reading.quantity))
        if sensor is None:
            return []
        return self._step(Sample(now, sensor, reading.value, reading.at), now)

    def tick(self, now: datetime) -> list[DeviceOrder]:
        """Time passes; returns the orders it leads to, those of actuators found elsewhere than ordered among them."""
        return self._step(Tick(), now) + self._astray(now)

    def override(self, wish: OverrideSet | OverrideCancel, now: datetime) -> tuple[CommandResult, list[DeviceOrder]]:
        """A person's wish; it is on the disk before it is answered `done`."""
        if isinstance(wish, OverrideSet):
            event: Override | CancelOverride = Override(
                wish.actuator, round(wish.value), wish.id, wish.by, float(wish.duration_s)
            )
        else:
            event = CancelOverride(wish.override, wish.by)
        with self._saving:
            step = self._plant.engine.step(not_ahead(self._state, now), event, now)
            refusal = next((e for e in step.effects if isinstance(e, OverrideRefused)), None)
            if refusal is not None:
                return CommandResult(id=wish.id, status=CommandStatus.REJECTED, code=refusal.code, ts=now), []
            try:
                self._store.save(MEMORY, to_json(step.state))
            except sqlite3.Error as error:
                log.error("override not written, so not begun: %s", error)
                return CommandResult(id=wish.id, status=CommandStatus.FAILED, code="not_stored", ts=now), []
            self._state, self._dirty = step.state, False
        return CommandResult(id=wish.id, status=CommandStatus.DONE, ts=now), self._apply(step.effects)

    def reconfigure(self, plant: Plant, now: datetime) -> list[DeviceOrder]:
        """Go on with other sensors or rules and the same actuators; overrides, protection times and latches stand.

        Only a condition that asks something else than before begins afresh.
        """
        self._state = carried_over(self._state, self._plant.config, plant.config)
        self._plant = plant
        self._sensors = {(s.device, Quantity(s.metric)): s.id for s in plant.config.sensor if s.metric != "flag"}
        return self._step(ConfigChanged(), now)

    def save(self) -> None:
        """Write what must survive a restart, if it changed; from any thread. Raises sqlite3.Error."""
        with self._saving:
            if not self._dirty:
                return
            self._dirty = False
            try:
                self._store.save(MEMORY, to_json(self._state))
            except BaseException:
                self._dirty = True
                raise

    @property
    def outputs(self) -> Mapping[str, str]:
        """Output -> the actuator that it is."""
        return {config.device: name for name, config in self._actuators.items()}

    @property
    def dirty(self) -> bool:
        """Whether memory that must survive a restart has changed since the last save."""
        return self._dirty

    def table(self, now: datetime) -> RulesState:
        """The decision table, and how each rule stands."""
        rows = tuple(self._row(decision) for decision in self._state.decisions)
        return RulesState(ts=now, actuators=rows, rules=tuple(self._rules()))

    def _step(self, event: Sample | Tick | ConfigChanged, now: datetime) -> list[DeviceOrder]:
        step = self._plant.engine.step(not_ahead(self._state, now), event, now)
        self._state = step.state
        self._dirty = self._dirty or step.store
        return self._apply(step.effects)

    def _apply(self, effects: Iterable[Effect]) -> list[DeviceOrder]:
        orders = []
        for effect in effects:
            match effect:
                case Command():
                    log.info("%s -> %s (%s %s)", effect.actuator, effect.value, effect.authority, effect.reason.source)
                    order = self._place(effect.actuator, effect.value)
                    orders += [order] if order is not None else []
                case OverrideEnded():
                    log.info("override of %s ended: %s", effect.override.actuator, effect.code)
                case SampleDropped():
                    self._tell_dropped(effect)
                case _:
                    pass
        return orders

    def _tell_dropped(self, effect: SampleDropped) -> None:
        """Once per sensor and reason: a broken sensor goes on reporting."""
        sensor = effect.sample.sensor
        if self._dropped.get(sensor) != effect.code:
            self._dropped[sensor] = effect.code
            log.warning("samples of %s are not used: %s", sensor, effect.code)

    def _astray(self, now: datetime) -> list[DeviceOrder]:
        orders = []
        for name, config in self._actuators.items():
            order = self._arbiter.winner(config.device)
            assert order is not None  # every actuator has an order in force from the start
            wanted, reported = percent_of(order), self._report(config)
            scale = 100.0 if config.type == "switch" else 1.0
            off_by = None if reported is None else abs(reported * scale - wanted)
            if self._drift.due(name, off_by=off_by, wanted=wanted, now=now):
                log.info("%s is at %s, not where it should be: told again", name, reported)
                orders.append(order)
        return orders

    def _report(self, config: ActuatorConfig) -> float | None:
        """Where an actuator says it is, in its own unit."""
        device = self._plant.devices[config.device]
        return self._reported.get(f"{device.id}/{REPORTED[device.kind]}")

    def _place(self, actuator: str, value: float) -> DeviceOrder | None:
        config = self._actuators[actuator]
        order = order_for(self._plant.devices[config.device], value)
        return self._arbiter.place(config.device, Priority.COMFORT, order)

    def _rules(self) -> Iterable[RuleLive]:
        standings = self._plant.engine.standings(self._state)
        for config, stands in zip(self._plant.config.rule, standings, strict=True):
            overruled = all(self._overruled(actuator) for actuator in config.actuators)
            yield live_rule(config, stands, overruled=overruled)

    def _overruled(self, actuator: str) -> bool:
        """Whether life safety or intrusion stands above us at an actuator."""
        return self._arbiter.holder(self._actuators[actuator].device) not in (None, Priority.COMFORT)

    def _row(self, decision: Decision) -> ActuatorState:
        config: ActuatorConfig = self._actuators[decision.actuator]
        device = self._plant.devices[config.device]
        override = self._state.overrides.get(decision.actuator)
        above = self._overruled(decision.actuator)
        cause: Cause = "safety" if above else decision.authority
        return ActuatorState(
            actuator=decision.actuator,
            zone=config.zone,
            type=config.type,
            kind=device.kind,
            wanted=decision.wanted,
            commanded=decision.commanded,
            reported=self._report(config),
            cause=cause,
            rule=decision.reason.source if decision.authority == "rule" else None,
            reason="fire" if above else decision.hold.code if decision.hold else decision.reason.code,
            params=_params(decision),
            override=OverrideInForce(id=override.id, by=override.by, value=override.value, until=override.end)
            if override
            else None,
        )


def not_ahead(state: State, now: datetime) -> State:
    """The same state with nothing in the future: after the clock was set back, samples count and timers run again."""
    if state.evaluated_at is None or state.evaluated_at <= now + SET_BACK:
        return state
    log.warning(
        "the clock was set back by %s: timers begin anew, overrides keep their length", state.evaluated_at - now
    )
    return replace(
        state,
        samples={
            name: replace(kept, arrival=min(kept.arrival, now), time=min(kept.time, now))
            for name, kept in state.samples.items()
        },
        rules={
            name: replace(
                kept,
                dwell=replace(
                    kept.dwell, since=_past(kept.dwell.since, now), paused_at=_past(kept.dwell.paused_at, now)
                ),
            )
            for name, kept in state.rules.items()
        },
        actuators={
            name: replace(
                kept,
                changed_at=_past(kept.changed_at, now),
                starts=tuple(start for start in kept.starts if start <= now),
            )
            for name, kept in state.actuators.items()
        },
        overrides={
            name: replace(kept, since=now, end=now + max(kept.end - state.evaluated_at, timedelta(0)))
            for name, kept in state.overrides.items()
        },
        evaluated_at=now,
    )


def _past(moment: datetime | None, now: datetime) -> datetime | None:
    return None if moment is None else min(moment, now)


def _remembered(store: Store, now: datetime) -> State:
    """What was left; a fresh state when it cannot be read, as comfort is no reason not to watch for fire."""
    try:
        kept: dict[str, Any] | None = store.load(MEMORY)
        return from_json(kept, now) if kept else State()
    except ValueError as error:
        log.error("what the rules remembered cannot be read, they begin afresh: %s", error)
        return State()


def _params(decision: Decision) -> dict[str, float | str]:
    """What a page needs to say the reason in words; absent where it does not apply."""
    reason = decision.reason
    found: dict[str, float | str | None] = {
        "metric": reason.metric,
        "value": reason.value,
        "threshold": reason.threshold,
        "side": reason.side,
        "by": reason.by,
        "hold": decision.hold.code if decision.hold else None,
        "until": decision.hold.until.isoformat() if decision.hold and decision.hold.until else None,
    }
    return {key: value for key, value in found.items() if value is not None}


def build_plant(
    config: EnvironmentConfig, devices: Iterable[ControlledDevice], make: Callable[[EnvironmentConfig], Engine]
) -> Plant:
    """Match actuators with devices; raises ValueError naming an actuator whose device does not exist."""
    known = {device.id: device for device in devices}
    for actuator in config.actuator:
        if actuator.device not in known:
            names = ", ".join(sorted(known)) or "none"
            raise ValueError(f"actuator '{actuator.id}': no device '{actuator.device}' to move (there are: {names})")
    return Plant(config, make(config), known)
