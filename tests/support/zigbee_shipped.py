"""The coordinator of the shipped configuration, with all twelve devices of the virtual building."""

from pathlib import Path

from carrel.config import load
from carrel.system_clock import SystemClock
from devices.config import ZigbeeConfig
from devices.events import DeviceSeen
from devices.zigbee.coordinator import Coordinator
from tests.support.field import Recorder
from tests.support.sim import ROOT

SHIPPED = load(ROOT / "config.toml", environ={}).section("zigbee", ZigbeeConfig)
LUX, CURTAIN, AC, VENT = (f"02:ca:77:e1:00:00:00:{n:02x}" for n in (4, 6, 7, 8))
ILLUMINANCE = 0x0400


def coordinator_in(folder: Path, **changes: object) -> Coordinator:
    """The link to the radio below a folder."""
    paths = {"path": str(folder / "zigbee"), "database": folder / "zigbee.db", "backups": folder / "backups"}
    return Coordinator("zigbee", SHIPPED.model_copy(update=paths | changes), SystemClock())


async def all_in(seen: Recorder, count: int = 12) -> None:
    """Wait until so many devices are set up."""
    await seen.until(lambda: len({event.device for event in seen.of(DeviceSeen)}) == count, 60)
