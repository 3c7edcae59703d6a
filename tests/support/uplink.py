"""The gateway's uplink, running on a store, and what a client on the broker hears of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from carrel.contracts.actuation import EdgeOrder
from carrel.contracts.alarms import AlarmState, EdgeEvent, Severity
from carrel.contracts.codec import encode
from carrel.contracts.health import GatewayStatus
from carrel.contracts.telemetry import Quantity, Reading, TelemetryBatch
from gateway.relay.spool import Spool
from gateway.relay.uplink import Identity, Uplink
from gateway.store import Store
from tests.support.broker import Broker
from tests.support.clock import ManualClock
from tests.support.ending import end
from tests.support.mqtt_listener import Listener, listening

ROOT = "carrel/1/main/gw-1/"
ME = Identity("main", "gw-1", "0.1")


class Session:
    """An uplink on a store, running."""

    def __init__(self, broker: Broker, store: Store, clock: ManualClock) -> None:
        self.commands: list[EdgeOrder] = []
        self.store, self.clock = store, clock
        self.spool = Spool(store)
        self.uplink = Uplink(
            broker.config, ME, store=store, spool=self.spool, clock=clock, on_command=self.commands.append
        )
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self.task = asyncio.create_task(self.uplink.run())

    async def stop(self) -> None:
        if self.task is not None:
            await end(self.task)

    def raise_alarm(self, number: int, state: str = "alarm") -> AlarmState:
        alarm = alarm_of(self.clock, number, state)
        self.store.save_with_events("panel", number, [("alarm", encode(alarm).decode())])
        self.uplink.events_waiting()
        return alarm

    def measure(self, *values: float) -> None:
        self.spool.append(reading(value, self.clock) for value in values)
        self.uplink.telemetry_waiting()


def alarm_of(clock: ManualClock, number: int, state: str = "alarm") -> AlarmState:
    """A fire, told apart by its number."""
    return AlarmState(
        id=f"fire-hall-{number}", version=1, kind="fire", severity=Severity.CRITICAL, place="hall", state=state,
        raised_at=clock.now(), causes=(),
    )  # type: ignore[arg-type]  # fmt: skip


def reading(value: float, clock: ManualClock) -> Reading:
    """Of the one sensor, now."""
    return Reading(device="room-th", zone="room", quantity=Quantity.TEMP, value=value, at=clock.now())


@asynccontextmanager
async def session(broker: Broker, folder: Path, clock: ManualClock) -> AsyncIterator[Session]:
    """An uplink on the store of a folder, until the block ends."""
    made = Session(broker, Store(folder / "gateway.db"), clock)
    made.start()
    try:
        yield made
    finally:
        await made.stop()
        made.store.close()


def events(listener: Listener) -> list[str]:
    """Ids of the alarms heard, each as often as it was sent."""
    return [EdgeEvent.model_validate_json(payload).alarm.id for payload in listener.on("event/alarm")]


def batches(listener: Listener) -> list[TelemetryBatch]:
    """Telemetry heard, in order."""
    return [TelemetryBatch.model_validate_json(payload) for payload in listener.on("/telemetry")]


def states(listener: Listener) -> list[str]:
    """What the gateway, or the broker for it, said of itself."""
    return [GatewayStatus.model_validate_json(payload).state for payload in listener.on("/$state")]


async def retained(broker: Broker, ending: str) -> list[Any]:
    """What a client that comes now is given, each once: amqtt may repeat itself."""
    async with listening(broker.config) as late:
        await asyncio.sleep(0.05)
        return [json.loads(payload) for payload in dict.fromkeys(late.on(ending)) if payload]
