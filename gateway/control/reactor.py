"""The only caller of the decision cores. The order is fixed: safety, then comfort, then telemetry and uplink.

An exception in comfort rules cannot stop safety orders already issued.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from carrel.clock import Clock
from carrel.contracts import topics
from carrel.contracts.actuation import (
    CommandResult,
    CommandStatus,
    DeviceOrder,
    OverrideCancel,
    OverrideSet,
    PanelCommand,
    RulesState,
)
from carrel.contracts.alarms import AlarmState
from carrel.contracts.telemetry import DeviceInfo, DeviceList, DeviceState, Quantity, Reading
from devices.events import ContactChanged, DeviceSeen, Health, ModuleHealth, OutputsRead, ReadingSeen
from devices.orders import OrderResult
from gateway.control.answers import Answers
from gateway.control.comfort import Comfort, Plant
from gateway.control.faults import ActuatorFaults
from gateway.control.safety import Deeds, Safety
from gateway.relay.outgoing import Outbox
from gateway.relay.telemetry import TelemetryLog
from gateway.store import Store

log = logging.getLogger(__name__)

ReactorOrder = OverrideSet | OverrideCancel | PanelCommand
"""What the cores decide on; orders to the Zigbee network go to `NetworkDesk`."""


def _at_once(call: Callable[[], None]) -> None:
    call()


@dataclass(frozen=True, slots=True)
class Outlets:
    """Where effects go. `apply` starts orders at once, `outputs_read` mends outputs that are not as ordered;
    `events_waiting` wakes the replay of durable events; `later` puts off what can wait until the orders are out.
    """

    apply: Callable[[Iterable[DeviceOrder]], None]
    outputs_read: Callable[[OutputsRead], None]
    outbox: Outbox
    telemetry: TelemetryLog
    events_waiting: Callable[[], None]
    later: Callable[[Callable[[], None]], None] = _at_once


class _LastKnown:
    """Everything last known of a device; told as it is when it is sent, as most of it is overtaken before."""

    __slots__ = ("at", "newest", "seq", "values")

    def __init__(self) -> None:
        self.seq = 0
        self.newest: Reading
        self.values: dict[Quantity, float] = {}
        self.at: dict[Quantity, datetime] = {}

    def told(self) -> DeviceState:
        return DeviceState(ts=self.newest.at, seq=self.seq, zone=self.newest.zone, values=self.values, at=self.at)


class Reactor:
    """Joins events and effects."""

    def __init__(self, safety: Safety, comfort: Comfort, outlets: Outlets, *, store: Store, clock: Clock) -> None:
        self._safety = safety
        self._comfort = comfort
        self._out = outlets
        self._answers = Answers(store)
        self._faults = ActuatorFaults(comfort.outputs, store)
        self._clock = clock
        self._seq = 0
        self._states: dict[str, _LastKnown] = {}
        self._devices: dict[str, DeviceInfo] = {}
        self._shown: RulesState | None = None
        self._table_due = False

    def start(self, devices: Iterable[DeviceInfo], missing: Iterable[str] = ()) -> None:
        """After a restart: take up the panel's state as it was left, and publish what is known. `missing` are detectors
        that a fire zone names and that nobody has met: their zones are in fault."""
        self._devices = {device.id: device for device in devices}
        try:
            self._perform(self._safety.restart(self._clock.now()))
            for detector in missing:
                self._perform(self._safety.module(ModuleHealth(detector, Health.LOST, self._clock.now())))
        except Exception:
            log.exception("fire panel failed at its restart")
        self._tell_alarms([*self._faults.forgotten(self._clock.now()), *self._faults.standing()])
        self._publish_devices()
        self._publish_table(self._clock.now())

    def devices_changed(self, devices: Iterable[DeviceInfo]) -> None:
        """Devices were named, moved or removed: tell it, and take down what no longer stands."""
        models = {device.id: device.model for device in self._devices.values()}
        now = [d if d.model else d.model_copy(update={"model": models.get(d.id, "")}) for d in devices]
        gone = self._devices.keys() - {device.id for device in now}
        self._devices = {device.id: device for device in now}
        for id_ in gone & self._states.keys():
            del self._states[id_]
            self._out.outbox.put(topics.DEVICE_STATE, None, id_)
        self._publish_devices()
        self._table_due = True

    def plant_changed(self, plant: Plant) -> None:
        """The rules have other sensors from now on. Never raises."""
        try:
            self._out.apply(self._comfort.reconfigure(plant, self._clock.now()))
            self._table_due = True
        except Exception:
            log.exception("the rules could not take over other sensors")

    def handle(self, event: object) -> None:
        """Take one event of a driver; called in the event loop, never raises."""
        try:
            self._safety_first(event)
        except Exception:
            log.exception("fire panel failed on %s", event)
        try:
            self._then_comfort(event)
        except Exception:
            log.exception("comfort rules failed on %s", event)
        if isinstance(event, ReadingSeen):
            self._out.telemetry.offer(event.reading)
        self._out.later(partial(self._tell, event))

    def follow(self, output: str, result: OrderResult) -> None:
        """An output did as ordered, or will not: an alarm while it does not. Never raises."""
        try:
            now = self._clock.now()
            done = result.done
            self._tell_alarms(
                self._faults.followed(output, now) if done else self._faults.failed(output, result.code, now)
            )
        except Exception:
            log.exception("fault of %s cannot be told", output)

    def tick_safety(self) -> None:
        """Time passes for the fire panel."""
        try:
            self._perform(self._safety.tick(self._clock.now()))
        except Exception:
            log.exception("fire panel failed on a tick")

    def tick_comfort(self) -> None:
        """Time passes for the rules."""
        try:
            self._out.apply(self._comfort.tick(self._clock.now()))
            self._table_due = True
        except Exception:
            log.exception("comfort rules failed on a tick")

    def save_comfort(self) -> None:
        """Write comfort memory that changed; waits for the disk, so call it in a worker thread. Never raises."""
        try:
            self._comfort.save()
        except sqlite3.Error as error:
            log.error("what the rules remember is not written, tried again later: %s", error)
        except Exception:
            log.exception("what the rules remember cannot be written")

    def show(self) -> None:
        """Publish the decision table if readings came in; called a few times a second, off the hot path."""
        if self._table_due:
            self._table_due = False
            self._publish_table(self._clock.now())

    def command(self, wish: ReactorOrder) -> None:
        """Carry out an order of the server once; a repeat gets the first answer. Never raises."""
        now = self._clock.now()
        result = self._answers.given(wish.id)
        if result is None:
            try:
                result = self._carry_out(wish, now)
            except Exception:
                log.exception("command %s failed", wish.id)
                result = CommandResult(id=wish.id, status=CommandStatus.FAILED, code="internal_error", ts=now)
            self._answers.remember(result, wish.expires, now)
            self._table_due = True
        self._out.outbox.put(topics.COMMAND_ACK, result, wish.id)

    def _carry_out(self, wish: ReactorOrder, now: datetime) -> CommandResult:
        if wish.expires < now:
            return CommandResult(id=wish.id, status=CommandStatus.EXPIRED, code="expired", ts=now)
        if isinstance(wish, PanelCommand):
            result, deeds = self._safety.command(wish, now)
            self._perform(deeds)
        else:
            result, orders = self._comfort.override(wish, now)
            self._out.apply(orders)
        return result

    def _safety_first(self, event: object) -> None:
        if isinstance(event, ContactChanged):
            self._perform(self._safety.contact(event))
        elif isinstance(event, ModuleHealth):
            self._perform(self._safety.module(event))
        elif isinstance(event, OutputsRead):
            self._out.outputs_read(event)

    def _then_comfort(self, event: object) -> None:
        if isinstance(event, ReadingSeen) and not event.late:
            self._out.apply(self._comfort.reading(event.reading, self._clock.now()))

    def _tell(self, event: object) -> None:
        try:
            self._then_tell(event)
        except Exception:
            log.exception("telling failed on %s", event)

    def _then_tell(self, event: object) -> None:
        if isinstance(event, ReadingSeen):
            if not event.late:
                self._publish_reading(event.reading)
                self._table_due = True
        elif isinstance(event, DeviceSeen):
            known = self._devices.get(event.device)
            if known is not None and known.model != event.model:
                self._devices[event.device] = known.model_copy(update={"model": event.model})
                self._publish_devices()

    def _perform(self, deeds: Deeds) -> None:
        self._out.apply(deeds.orders)
        self._tell_alarms(deeds.alarms)
        if deeds.events_written and not deeds.alarms:  # a disk that was full has room again
            self._out.events_waiting()

    def _tell_alarms(self, alarms: Sequence[AlarmState]) -> None:
        for alarm in alarms:
            self._publish_alarm(alarm)
        if alarms:
            self._out.events_waiting()

    def _publish_alarm(self, alarm: AlarmState) -> None:
        """Retained while it stands; its end reaches the server as a durable event."""
        self._out.outbox.put(topics.ALARM, None if alarm.state == "reset" else alarm, alarm.id)

    def _publish_reading(self, reading: Reading) -> None:
        self._seq += 1
        known = self._states.setdefault(reading.device, _LastKnown())
        known.seq, known.newest = self._seq, reading
        known.values[reading.quantity], known.at[reading.quantity] = reading.value, reading.at
        self._out.outbox.put(topics.DEVICE_STATE, known.told, reading.device)

    def _publish_devices(self) -> None:
        self._out.outbox.put(topics.DEVICES, DeviceList(devices=tuple(self._devices.values())))

    def _publish_table(self, now: datetime) -> None:
        table = self._comfort.table(now)
        if self._shown is None or replace_ts(table, self._shown) != self._shown:
            self._shown = table
            self._out.outbox.put(topics.RULES_STATE, table)


def replace_ts(table: RulesState, like: RulesState) -> RulesState:
    """A decision table with another's time, to compare what matters."""
    return table.model_copy(update={"ts": like.ts})
