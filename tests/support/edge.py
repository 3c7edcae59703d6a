"""The gateway's cores with their hands, without wires: a fire panel, a rule, a store, and what went out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from carrel.contracts.actuation import CommandResult, DeviceOrder, SetOutput
from carrel.contracts.alarms import AlarmState
from carrel.contracts.telemetry import Quantity, Reading
from devices.events import ContactChanged, Health, ModuleHealth, OutputsRead
from environment.config import EnvironmentConfig
from environment.engine import Engine
from gateway.control.arbiter import Arbiter
from gateway.control.comfort import Comfort, Plant, build_plant
from gateway.control.orders import ControlledDevice
from gateway.control.reactor import Outlets, Reactor
from gateway.control.safety import Safety
from gateway.relay.outgoing import Outbox
from gateway.relay.spool import Spool
from gateway.relay.telemetry import TelemetryLog
from gateway.store import Store
from security.config import SecurityConfig
from tests.support.clock import ManualClock

ROOM = EnvironmentConfig.model_validate(
    {
        "sensor": [
            {"id": "temp", "zone": "room", "metric": "temp", "device": "room-th"},
            {"id": "light", "zone": "room", "metric": "lux", "device": "room-lux"},
        ],
        "actuator": [
            {"id": "ac", "type": "switch", "zone": "room", "device": "ac-1"},
            {"id": "vent", "type": "level", "zone": "room", "device": "vent-1"},
            {"id": "curtain", "type": "level", "zone": "room", "device": "curtain-1"},
        ],
        "rule": [
            {"id": "cool", "zone": "room", "when": {"metric": "temp", "above": 26.0, "hysteresis": 1.0},
             "actuators": ["ac"], "set": 1},
            {"id": "shade", "zone": "room", "when": {"metric": "lux", "above": 1000.0, "hysteresis": 500.0},
             "actuators": ["curtain"], "set": 100},
            {"id": "purge", "zone": "room", "when": {"metric": "temp", "above": 30.0, "hysteresis": 1.0},
             "actuators": ["vent"], "set": 60},
        ],
    }
)  # fmt: skip
DEVICES = (
    ControlledDevice("ac-1", "ac", 24.0),
    ControlledDevice("vent-1", "vent"),
    ControlledDevice("curtain-1", "curtain"),
)
FIRE = SecurityConfig.model_validate(
    {
        "area": [{"id": "hall"}, {"id": "stacks", "mode": "coincidence"}],
        "fire_zone": [
            {"id": "smoke", "area": "hall", "module": "io-1", "input": "smoke"},
            {"id": "flame", "area": "hall", "module": "io-1", "input": "flame", "kind": "flame"},
            {"id": "stacks-1", "area": "stacks", "module": "io-1", "input": "s1"},
            {"id": "stacks-2", "area": "stacks", "module": "io-1", "input": "s2"},
        ],
        "outputs": {
            "lamp": ["io-1.lamp"],
            "siren": ["io-1.siren"],
            "door_release": ["io-1.door"],
            "ventilation_stop": ["vent", "ac"],
        },
    }
)
INPUTS = ("smoke", "flame", "s1", "s2")
ZONE = ZoneInfo("Asia/Shanghai")


def plant_of(config: EnvironmentConfig = ROOM) -> Plant:
    return build_plant(config, DEVICES, lambda c: Engine(c, ZONE))


def reading(device: str, quantity: Quantity, value: float, clock: ManualClock) -> Reading:
    return Reading(device=device, zone="room", quantity=quantity, value=value, at=clock.now())


@dataclass
class Sent:
    """What the reactor sent out."""

    orders: list[DeviceOrder] = field(default_factory=list)
    outputs: list[OutputsRead] = field(default_factory=list)
    wakes: int = 0

    def apply(self, orders: Iterable[DeviceOrder]) -> None:
        self.orders.extend(orders)

    def wake(self) -> None:
        self.wakes += 1


class Edge:
    """Safety and comfort on one store and one arbiter, under a reactor that is not started yet."""

    def __init__(
        self, file: Path, clock: ManualClock, *, fire: SecurityConfig = FIRE, room: EnvironmentConfig = ROOM
    ) -> None:
        self.clock = clock
        self.room = room
        self.store = Store(file)
        self.arbiter = Arbiter()
        plant = plant_of(room)
        moved = {a.id: plant.devices[a.device] for a in ROOM.actuator}
        self.safety = Safety(fire, moved, arbiter=self.arbiter, store=self.store)
        self.comfort = Comfort(plant, arbiter=self.arbiter, store=self.store, now=clock.now())
        self.sent, self.outbox = Sent(), Outbox()
        self.telemetry = TelemetryLog(Spool(self.store), lambda: None)
        outlets = Outlets(self.sent.apply, self.sent.outputs.append, self.outbox, self.telemetry, self.sent.wake)
        self.reactor = Reactor(self.safety, self.comfort, outlets, store=self.store, clock=clock)

    def again(self, *, fire: SecurityConfig = FIRE) -> Edge:
        """The same after a kill: only what is on the disk is left."""
        self.store.close()
        return Edge(self.store.file, self.clock, fire=fire, room=self.room)

    def contact(self, name: str, *, closed: bool) -> ContactChanged:
        return ContactChanged("io-1", name, closed, self.clock.now())

    def module(self, state: Health) -> ModuleHealth:
        return ModuleHealth("io-1", state, self.clock.now())

    def all_is_well(self) -> None:
        """Every input told as it is at rest."""
        for name in INPUTS:
            self.reactor.handle(self.contact(name, closed=True))

    def output(self, name: str) -> bool | None:
        """What is in force at an output of the module."""
        order = self.arbiter.winner(f"io-1.{name}")
        return order.on if isinstance(order, SetOutput) else None

    def events(self) -> list[AlarmState]:
        """Alarms in the durable log, oldest first."""
        return [AlarmState.model_validate_json(row.body) for row in self.store.events_after(0)]

    def published(self, path: str) -> dict[str, dict[str, object] | None]:
        """What waits to be published below a topic, by id; None for a cleared one."""
        waiting = [item for item in self.outbox._pending.values() if item.topic.path == path]
        return {item.id: json.loads(item.payload) if item.payload else None for item in waiting}

    def answer(self, id_: str) -> CommandResult:
        found = self.published("ack/{id}")[id_]
        return CommandResult.model_validate(found)
