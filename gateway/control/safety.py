"""The fire panel's hands: contacts in, outputs at life-safety priority out, alarm states for the server.

The panel's state is on the disk before an output is driven. A disk that refuses delays no output: the state is then
held in memory and written as soon as the disk takes it. No step of this waits for the network.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from carrel.contracts.actuation import CommandResult, CommandStatus, DeviceOrder, PanelCommand, Priority, SetOutput
from carrel.contracts.alarms import AlarmCause, AlarmState, Severity
from carrel.contracts.codec import encode
from devices.events import ContactChanged, Health, ModuleHealth
from gateway.control.arbiter import Arbiter
from gateway.control.orders import ControlledDevice, order_for
from gateway.store import Store, StoreError
from security.cause_effect import outputs_for, points_for, stopped_actuators
from security.config import SecurityConfig
from security.fire import FirePanel
from security.fire_state import (
    MAX_ISOLATION_S,
    Acknowledge,
    Alarm,
    AlarmChanged,
    Escalated,
    FireEffect,
    FireEvent,
    FireState,
    Logged,
    Refused,
    Reset,
    Silence,
    Tick,
    ZonesRead,
)
from security.persistence import from_json, to_json
from security.zones import condition_of

log = logging.getLogger(__name__)

MEMORY = "fire_panel"
EVENT_KIND = "alarm"
UNSAVED_LIMIT = 1000
SEVERITY = {"warning": Severity.WARN, "critical": Severity.CRITICAL, "fault": Severity.WARN}


@dataclass(slots=True)
class Deeds:
    """What a step of the panel leads to."""

    orders: list[DeviceOrder] = field(default_factory=list)
    alarms: list[AlarmState] = field(default_factory=list)
    refused: Refused | None = None
    events_written: bool = False
    """Events are in the store, also such that could not be written when their alarms changed."""


class Safety:
    """Owns the fire panel's state."""

    def __init__(
        self, config: SecurityConfig, devices: Mapping[str, ControlledDevice], *, arbiter: Arbiter, store: Store
    ) -> None:
        """`devices`: by actuator id, for those that a fire stops."""
        self._config = config
        self._devices = devices
        self._arbiter = arbiter
        self._store = store
        self._panel = FirePanel(config)
        self._kinds = {zone.id: zone.kind for zone in config.fire_zone}
        self._contacts: dict[str, dict[str, bool | None]] = {}
        self._lost: set[str] = set()
        self._unsaved: list[AlarmState] = []
        self._dirty = False
        self._told_unsaved = False
        self._state, self._versions = _remembered(store)

    def restart(self, now: datetime) -> Deeds:
        """After a restart: settle timers that fell due, and take up the outputs of the state that was left."""
        deeds = self._step(Tick(), now)
        told = {alarm.id for alarm in deeds.alarms}
        standing = [a for a in self._panel.open_alarms(self._state) if a.id in self._versions and a.id not in told]
        deeds.alarms += [self._shown(alarm) for alarm in standing]
        return deeds

    def contact(self, event: ContactChanged) -> Deeds:
        """A contact opened or closed."""
        self._contacts.setdefault(event.module, {})[event.input] = event.closed
        return self._read(event.module, event.at)

    def module(self, event: ModuleHealth) -> Deeds:
        """A module was lost or is back; while it is lost its zones are in fault, which is not an alarm."""
        if event.state is Health.LOST:
            self._lost.add(event.module)
        elif event.module in self._lost and event.state is Health.OK:
            self._lost.discard(event.module)  # drivers tell changes: what did not change is as it was
        else:
            return Deeds()
        return self._read(event.module, event.at)

    def tick(self, now: datetime) -> Deeds:
        """Time passes."""
        return self._step(Tick(), now)

    def command(self, wish: PanelCommand, now: datetime) -> tuple[CommandResult, Deeds]:
        """A person acknowledges, silences or resets."""
        event: FireEvent
        match wish.action:
            case "acknowledge":
                event = Acknowledge(wish.by, wish.alarm)
            case "silence":
                event = Silence(wish.by, wish.alarm)
            case "reset":
                event = Reset(wish.by, wish.alarm)
        deeds = self._step(event, now)
        if deeds.refused is not None:
            detail = ", ".join(deeds.refused.zones)
            code = deeds.refused.code
            return CommandResult(id=wish.id, status=CommandStatus.REJECTED, code=code, detail=detail, ts=now), deeds
        return CommandResult(id=wish.id, status=CommandStatus.DONE, ts=now), deeds

    def _read(self, module: str, now: datetime) -> Deeds:
        """Judge the module's zones; one whose inputs were not all told yet stays as it was, so that no start alarms."""
        zones = [zone for zone in self._config.fire_zone if zone.source == module]
        if module in self._lost:
            return self._step(ZonesRead({zone.id: condition_of(zone, {}) for zone in zones}), now)
        told = self._contacts.get(module, {})
        known = [zone for zone in zones if set(zone.inputs) <= told.keys()]
        return self._step(ZonesRead({zone.id: condition_of(zone, told) for zone in known}), now)

    def _step(self, event: FireEvent, now: datetime) -> Deeds:
        state = not_ahead(self._state, now, self._config)
        step = self._panel.step(state, event, now)
        self._dirty = self._dirty or step.state != self._state
        before, self._state = self._state, step.state
        deeds = Deeds(refused=next((e for e in step.effects if isinstance(e, Refused)), None))
        try:
            deeds.alarms = [self._changed(alarm) for alarm in self._to_tell(before, step.effects)]
            self._unsaved = [*self._unsaved, *deeds.alarms][-UNSAVED_LIMIT:]
            deeds.events_written = self._persist()
        except Exception:  # whatever is wrong with telling or writing, the outputs must act
            if not self._told_unsaved:
                log.exception("the fire panel's state is not on the disk; it is held in memory and tried again")
            self._told_unsaved = True
        deeds.orders = self._outputs()
        _write_log(step.effects)
        return deeds

    def _to_tell(self, before: FireState, effects: Iterable[FireEffect]) -> list[Alarm]:
        """Alarms the panel changed, and standing ones with a detector that cleared or acts again: pages show that."""
        changed = [effect.alarm for effect in effects if isinstance(effect, AlarmChanged)]
        ids = {alarm.id for alarm in changed}
        moved = {zone for zone in self._kinds if before.condition(zone) != self._state.condition(zone)}
        standing = [
            a for a in self._panel.open_alarms(self._state) if a.id not in ids and not moved.isdisjoint(a.causes)
        ]
        return [*changed, *standing]

    def _persist(self) -> bool:
        """Write what has changed; True when there were events among it."""
        if not self._dirty and not self._unsaved:
            return False
        open_ids = {alarm.id for alarm in self._panel.open_alarms(self._state)}
        self._versions = {id_: n for id_, n in self._versions.items() if id_ in open_ids}
        memory = {"panel": to_json(self._state), "versions": self._versions}
        self._store.save_with_events(MEMORY, memory, [(EVENT_KIND, encode(a).decode()) for a in self._unsaved])
        written = bool(self._unsaved)
        self._dirty, self._unsaved = False, []
        if self._told_unsaved:
            self._told_unsaved = False
            log.warning("the fire panel's state is on the disk again")
        return written

    def _outputs(self) -> list[DeviceOrder]:
        """Place the panel's claims; returns the orders that changed what is in force."""
        outputs = outputs_for(self._state, self._config)
        placed = [
            self._arbiter.place(point, Priority.LIFE_SAFETY, SetOutput(output=point, on=pattern != "off"))
            for point, pattern in points_for(outputs, self._config).items()
        ]
        stopped = stopped_actuators(outputs, self._config)
        for actuator in self._config.outputs.ventilation_stop:
            device = self._devices[actuator]
            wish = order_for(device, 0) if actuator in stopped else None
            placed.append(self._arbiter.place(device.id, Priority.LIFE_SAFETY, wish))
        return [order for order in placed if order is not None]

    def _changed(self, alarm: Alarm) -> AlarmState:
        self._versions[alarm.id] = self._versions.get(alarm.id, 0) + 1
        return self._shown(alarm)

    def _shown(self, alarm: Alarm) -> AlarmState:
        return AlarmState(
            id=alarm.id,
            version=self._versions[alarm.id],
            kind=alarm.kind,
            severity=SEVERITY[alarm.severity],
            place=alarm.area,
            state=_stage(alarm),
            raised_at=alarm.opened_at,
            causes=tuple(self._cause(zone) for zone in alarm.causes if zone in self._kinds),
            silenced=alarm.silenced,
            acknowledged_at=alarm.acknowledged_at,
            acknowledged_by=alarm.acknowledged_by,
            reset_at=alarm.closed_at,
            reset_by=alarm.closed_by,
        )

    def _cause(self, zone: str) -> AlarmCause:
        return AlarmCause(zone=zone, kind=self._kinds[zone], active=self._state.condition(zone) != "closed")


def not_ahead(state: FireState, now: datetime, config: SecurityConfig) -> FireState:
    """The same state with no timer further off than it can be: a clock set back must not delay an alarm."""
    window_end = now + timedelta(seconds=config.verify_window_s)
    if any(stage.due > window_end for stage in state.stages.values()):
        stages = {area: replace(stage, due=min(stage.due, window_end)) for area, stage in state.stages.items()}
        state = replace(state, stages=stages)
    alarm = state.alarm
    if alarm is not None and alarm.alarmed_at is not None and alarm.alarmed_at > now:
        state = replace(state, alarm=replace(alarm, alarmed_at=now))
    longest = now + timedelta(seconds=MAX_ISOLATION_S)
    if any(kept.until > longest for kept in state.isolations.values()):
        isolations = {zone: replace(kept, until=min(kept.until, longest)) for zone, kept in state.isolations.items()}
        state = replace(state, isolations=isolations)
    return state


def _remembered(store: Store) -> tuple[FireState, dict[str, int]]:
    try:
        kept: dict[str, Any] | None = store.load(MEMORY)
        if kept is None:
            return FireState(), {}
        return from_json(kept["panel"]), {str(id_): int(n) for id_, n in kept["versions"].items()}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise StoreError(
            f"cannot use {store.file}: what the fire panel left there cannot be read ({error}); "
            "see that no alarm stands, then move the file away to begin afresh"
        ) from error


def _stage(alarm: Alarm) -> Literal["verify", "alarm", "fault", "tamper", "reset"]:
    if not alarm.open or alarm.state == "normal":
        return "reset"
    return alarm.state


def _write_log(effects: Iterable[FireEffect]) -> None:
    for effect in effects:
        if isinstance(effect, Logged):
            log.warning("fire panel: %s zone=%s alarm=%s by=%s", effect.code, effect.zone, effect.alarm, effect.by)
        elif isinstance(effect, Escalated):
            log.warning("fire panel: %s escalated to level %d: %s", effect.alarm, effect.level, effect.audience)
