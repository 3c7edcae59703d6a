"""The gateway's telemetry path as a program that can be killed: readings at a steady rate, spool, uplink, forwarder.

    python -m tests.support.recorder STORE MQTT_PORT INFLUX_PORT RATE_HZ [COUNT]

Reading n (from 0, counted over all runs of one store) has the value n and the number n + 1. On standard output a line
`offered N` for each reading handed in and `stored N` after each transaction, both as counts over all runs.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path

from carrel.contracts.telemetry import Quantity, Reading
from carrel.sections import MqttConfig
from carrel.system_clock import SystemClock
from gateway.relay import influx as influx_module
from gateway.relay import uplink as uplink_module
from gateway.relay.influx import make_forwarder
from gateway.relay.lines import Lines
from gateway.relay.spool import INFLUX, SERVER, Spool
from gateway.relay.telemetry import TelemetryLog
from gateway.relay.uplink import Identity, Uplink
from gateway.store import Store
from tests.support.clock import NOON
from tests.support.influx_fake import InfluxFake
from tests.support.sim import eventually

SERIES = 20
AT_ONCE = 10
"""Readings handed in together when the machine was too busy for a steady rate."""


def reading(n: int) -> Reading:
    """Number n: twenty devices in turn, ten milliseconds apart."""
    at = NOON + timedelta(milliseconds=10 * n)
    return Reading(device=f"th-{n % SERIES}", zone="room", quantity=Quantity.TEMP, value=n, at=at)


def given_out(store: Store) -> int:
    """Readings that were ever written to a store."""
    found = store.read("SELECT seq FROM sqlite_sequence WHERE name = 'reading'")
    return int(found[0][0]) if found else 0


async def main(file: Path, mqtt_port: int, influx_port: int, rate_hz: float, count: int | None) -> None:
    """Run until killed, or until `count` readings were handed in and everything is confirmed."""
    uplink_module.CONFIRM_WITHIN_S = 0.5
    uplink_module.GATHER_S = influx_module.GATHER_S = 0.3
    store, clock = Store(file), SystemClock()
    spool = Spool(store, (SERVER, INFLUX))
    who = Identity("main", "gw-1", "0.1")
    uplink = Uplink(MqttConfig(port=mqtt_port), who, store=store, spool=spool, clock=clock, on_command=print)
    forwarder = make_forwarder(
        InfluxFake().config(influx_port), spool, Lines("main", "gw-1"), clock=clock, on_health=lambda _: None
    )

    def stored() -> None:
        _tell("stored", given_out(store))
        uplink.telemetry_waiting()
        forwarder.wake()

    telemetry = TelemetryLog(spool, stored)
    tasks = [asyncio.create_task(part.run()) for part in (telemetry, uplink, forwarder)]
    n, loop = given_out(store), asyncio.get_running_loop()
    first, began = n, loop.time()
    while count is None or n < count:
        due = int((loop.time() - began) * rate_hz) + first - n + 1
        for _ in range(min(due, AT_ONCE, AT_ONCE if count is None else count - n)):
            _tell("offered", n + 1)
            telemetry.offer(reading(n))
            n += 1
        await asyncio.sleep(1 / rate_hz)
    await eventually(lambda: given_out(store) == n and not spool.waiting(SERVER, 1) + spool.waiting(INFLUX, 1), 60)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    store.close()


def _tell(word: str, count: int) -> None:
    os.write(1, f"{word} {count}\n".encode())


if __name__ == "__main__":
    asyncio.run(
        main(
            Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]),
            int(sys.argv[5]) if len(sys.argv) > 5 else None,
        )
    )  # fmt: skip
