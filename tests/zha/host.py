"""ZHA as Home Assistant runs it, started by a Python of its own: `host.py SERIAL DATABASE SECONDS`.

Lines on standard output are JSON: devices with what they said, once a second; on standard input `cover IEEE PER_CENT`
(open), `join SECONDS` and `end`. Nothing here is imported by Carrel.
"""

import asyncio
import json
import sys
from dataclasses import asdict
from typing import Any

from zha.application.gateway import Gateway
from zha.application.helpers import (
    CoordinatorConfiguration,
    QuirksConfiguration,
    ZHAConfiguration,
    ZHAData,
)
from zha.application.platforms.cover import Cover
from zigpy.config import CONF_DATABASE


def picture(gateway: Gateway) -> dict[str, Any]:
    """What ZHA made of each device but the coordinator."""
    devices = {}
    for ieee, device in gateway.devices.items():
        if device.is_coordinator:
            continue
        devices[str(ieee)] = {
            "model": device.model,
            "interviewed": device.device.is_initialized,
            "entities": {type(e).__name__: asdict(e.state) for e in device.platform_entities.values()},
        }
    network = gateway.application_controller.state.network_info
    return {"pan": str(network.extended_pan_id), "devices": devices}


async def obey(gateway: Gateway, line: str) -> bool:
    """Carry out one line; False at the end."""
    match line.split():
        case ["join", seconds]:
            await gateway.application_controller.permit(int(seconds))
        case ["cover", ieee, per_cent]:
            device = next(d for i, d in gateway.devices.items() if str(i) == ieee)
            cover = next(e for e in device.platform_entities.values() if isinstance(e, Cover))
            await cover.async_set_cover_position(position=int(per_cent))
        case ["end"] | []:
            return False
    return True


async def main() -> None:
    """Serve until told to end."""
    serial, database = sys.argv[1:3]
    config = ZHAConfiguration(
        coordinator_configuration=CoordinatorConfiguration(path=serial, radio_type="znp"),
        quirks_configuration=QuirksConfiguration(enabled=False),
    )
    gateway = await Gateway.async_from_config(ZHAData(config=config, zigpy_config={CONF_DATABASE: database}))
    await gateway.async_initialize()
    await gateway.async_initialize_devices_and_entities()
    lines: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin, lambda: lines.put_nowait(sys.stdin.readline()))
    going = True
    while going:
        print(json.dumps(picture(gateway), default=str), flush=True)
        try:
            async with asyncio.timeout(1):
                going = await obey(gateway, await lines.get())
        except TimeoutError:
            continue
    await gateway.shutdown()


asyncio.run(main())
