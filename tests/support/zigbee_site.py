"""A small Zigbee site for tests: a few devices of the virtual building, and the coordinator that serves them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from carrel.clock import Clock
from carrel.contracts.network import DeviceKind, NetworkDevice
from carrel.system_clock import SystemClock
from devices.config import ZigbeeConfig, ZigbeeDeviceConfig
from devices.events import DeviceSeen
from devices.zigbee.coordinator import Coordinator
from firmware_sim.zigbee.population import Placed, population
from tests.support.field import Recorder

CURTAIN, VENT, LUX = "reading-curtain", "reading-vent", "reading-lux"
ADDRESS = "02:ca:77:e1:00:00:00:{:02x}"
ENTRIES = [
    {"id": "reading-occupancy", "model": "SIM-OCC", "ieee": ADDRESS.format(0x0D), "zone": "reading-room"},
    {"id": "reading-co2", "model": "SIM-CO2", "ieee": ADDRESS.format(0x0E), "zone": "reading-room"},
    {"id": "dehumidifier", "model": "SIM-PLUG", "ieee": ADDRESS.format(0x0F), "zone": "stacks"},
    {"id": "smoke-1", "model": "SIM-SMOKE", "ieee": ADDRESS.format(0x10), "zone": "stacks", "poll_s": 0.25},
    {"id": "siren-1", "model": "SIM-SIREN", "ieee": ADDRESS.format(0x12), "zone": "reading-room"},
]
EVERY = {one.name: one for one in population(ENTRIES)}
KINDS: dict[str, DeviceKind] = {
    "TH": "sensor", "LUX": "sensor", "OCC": "sensor", "CO2": "sensor", "CURTAIN": "curtain", "AC": "ac",
    "VENT": "vent", "PLUG": "plug", "SMOKE": "smoke", "SIREN": "siren",
}  # fmt: skip


def placed(*names: str) -> tuple[Placed, ...]:
    """Devices of the virtual building by name."""
    return tuple(EVERY[name] for name in names)


def named(name: str, **changes: object) -> ZigbeeDeviceConfig:
    """The device as config.toml would name it."""
    one = EVERY[name]
    fields = {"id": name, "ieee": one.ieee, "zone": one.zone, "kind": KINDS[one.model.name.removeprefix("SIM-")]}
    return ZigbeeDeviceConfig.model_validate(fields | changes)


def site(folder: Path, devices: Sequence[ZigbeeDeviceConfig], **changes: object) -> ZigbeeConfig:
    """The radio below a folder."""
    fields = {"path": str(folder / "zigbee"), "database": folder / "zigbee.db", "backups": folder / "backups"}
    join = {"form": True, "join_at_start_s": 60, "device": tuple(devices)}
    return ZigbeeConfig.model_validate(fields | join | changes)


def coordinator(config: ZigbeeConfig, clock: Clock | None = None) -> Coordinator:
    """Its link."""
    return Coordinator("zigbee", config, clock or SystemClock())


@asynccontextmanager
async def running(link: Coordinator, seen: Recorder) -> AsyncIterator[asyncio.Task[None]]:
    """The link at work; ended when the block ends."""
    task = asyncio.create_task(link.run(seen))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def served(seen: Recorder, *names: str, within_s: float = 20) -> None:
    """Wait until these devices are set up."""
    await seen.until(lambda: set(names) <= {event.device for event in seen.of(DeviceSeen)}, within_s)


def shown(link: Coordinator, name: str) -> NetworkDevice:
    """A device as the devices page is told of it."""
    return next(device for device in link.state().devices if device.ieee == EVERY[name].ieee)
