"""`python -m tests.bench.bare PORT DATABASE`: the least that zigpy needs to close a curtain when it gets bright.

The floor of the benchmark. It knows nothing of Carrel, and takes over a network whose devices already report.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Any

import zigpy.types as t
from zigpy.zcl import AttributeReportedEvent
from zigpy_znp.zigbee.application import ControllerApplication

SENSOR, CURTAIN = "02:ca:77:e1:00:00:00:04", "02:ca:77:e1:00:00:00:06"
ILLUMINANCE, COVERING, GO_TO_LIFT = 0x0400, 0x0102, 0x05
LIMIT = 30001  # 1000 lx


async def main(port: str, database: str) -> None:
    """Serve until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    config = {
        "device": {"path": port, "baudrate": 115200},
        "database_path": database,
        "ota": {"enabled": False},
        "topology_scan_enabled": False,
    }
    app = await ControllerApplication.new(config, auto_form=False)
    curtain = cluster(app, CURTAIN, COVERING)
    tasks = set()

    def reported(event: Any) -> None:
        task = asyncio.create_task(curtain.command(GO_TO_LIFT, 100 if event.value > LIMIT else 0))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    cluster(app, SENSOR, ILLUMINANCE).on_event(AttributeReportedEvent.event_type, reported)
    print("ready", flush=True)
    await stop.wait()
    await app.shutdown()


def cluster(app: ControllerApplication, ieee: str, number: int) -> Any:
    """A server cluster of a known device."""
    return app.get_device(t.EUI64.convert(ieee)).endpoints[1].in_clusters[number]


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
