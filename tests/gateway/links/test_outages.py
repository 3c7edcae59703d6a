"""Supervised links on the virtual building's wires: unplugged, silent, garbled, and back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from carrel.config import load
from carrel.contracts.health import LinkHealth
from carrel.contracts.telemetry import Quantity
from carrel.system_clock import SystemClock
from devices.config import ModbusConfig, ZigbeeConfig
from devices.events import ContactChanged, DeviceSeen
from devices.modbus.module import ModbusModule
from devices.zigbee import radio
from devices.zigbee.coordinator import Coordinator
from gateway.links.link import Link
from gateway.links.supervisor import Supervisor
from tests.support.ending import end
from tests.support.field import Recorder, VirtualRadio, open_bench, open_radio
from tests.support.sim import ROOT

BACK_WITHIN_S = 15.0
LUX = "02:ca:77:e1:00:00:00:04"
SHIPPED = load(ROOT / "config.toml", environ={})


class Supervised:
    """A link under supervision, with all that it told."""

    def __init__(self, link: Link) -> None:
        self.seen = Recorder()
        self.reports: list[LinkHealth] = []
        self._supervisor = Supervisor(link, emit=self.seen, on_health=self.reports.append, clock=SystemClock())

    @property
    def state(self) -> str:
        return self.reports[-1].state if self.reports else ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Supervised"]:
        task = asyncio.create_task(self._supervisor.run())
        try:
            yield self
        finally:
            await end(task)


@pytest.mark.parametrize("wire", ["rtu+tcp", "rtu"])
@pytest.mark.parametrize("fault", ["unplug", "silence", "garbage"])
async def test_the_io_module_comes_back_within_seconds(tmp_path: Path, wire: str, fault: str) -> None:
    async with open_bench(tmp_path) as bench:
        ports = bench.ports()["io"]["io-1"]
        url = f"rtu+tcp://{ports['rtu_tcp']}" if wire == "rtu+tcp" else f"rtu:{ports['pty']}"
        config = SHIPPED.entries("modbus", ModbusConfig)[0].model_copy(update={"url": url})
        async with Supervised(ModbusModule("io-1", config, SystemClock())).running() as link:
            await link.seen.until(lambda: len(link.seen.of(ContactChanged)) == 2)
            await bench.fault("io-1", fault)
            await link.seen.until(lambda: link.state == "down")
            bench.contact("io-1.smoke", "open")
            await bench.fault("io-1", "restore")
            await link.seen.until(lambda: len(link.seen.of(ContactChanged)) == 3, BACK_WITHIN_S)
            assert link.seen.of(ContactChanged)[-1].input == "smoke"
            assert link.reports[-1].reconnects >= 1
            assert (link.reports[-1].bad_frames > 0) is (fault == "garbage")


def one_sensor(virtual: VirtualRadio, folder: Path) -> ZigbeeConfig:
    config = SHIPPED.section("zigbee", ZigbeeConfig)
    few = tuple(device for device in config.device if device.ieee == LUX)
    return config.model_copy(update={"path": virtual.path, "database": folder / "zigbee.db", "device": few})


@pytest.mark.parametrize("networked", [False, True], ids=["pty", "socket"])
@pytest.mark.parametrize("fault", ["unplug", "silence"])
async def test_the_radio_comes_back_within_seconds(
    tmp_path: Path, fault: str, networked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(radio, "PING_EVERY_S", 0.5)
    async with open_radio(tmp_path, networked=networked) as virtual:
        coordinator = Coordinator("zigbee", one_sensor(virtual, tmp_path), SystemClock())
        async with Supervised(coordinator).running() as link:
            await link.seen.until(lambda: link.seen.of(DeviceSeen), 30)
            await virtual.fault(fault)
            await link.seen.until(lambda: link.state == "down")
            await virtual.fault("none")
            await link.seen.until(lambda: len(link.seen.of(DeviceSeen)) == 2, BACK_WITHIN_S)
            virtual.network.report_now(LUX, 0x0400, 0, 30001)
            await link.seen.until(lambda: link.seen.latest("reading-lux", Quantity.LUX) == 1000.0)
        assert link.reports[-1].reconnects == 1


async def test_a_radio_that_speaks_garbage_while_it_starts_is_tried_until_it_makes_sense(tmp_path: Path) -> None:
    async with open_radio(tmp_path) as virtual:
        await virtual.fault("garbage")
        coordinator = Coordinator("zigbee", one_sensor(virtual, tmp_path), SystemClock())
        async with Supervised(coordinator).running() as link:
            await asyncio.sleep(1.0)  # in the middle of whatever it makes of that
            await virtual.fault("none")
            await link.seen.until(lambda: link.seen.of(DeviceSeen), 40)


async def test_a_coordinator_ends_even_when_everything_is_cancelled_at_once(tmp_path: Path) -> None:
    async with open_radio(tmp_path) as virtual:
        seen = Recorder()
        run = asyncio.create_task(Coordinator("zigbee", one_sensor(virtual, tmp_path), SystemClock()).run(seen))
        await seen.until(lambda: seen.of(DeviceSeen), 30)
        virtual.port.unplug()
        await asyncio.sleep(0)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        done, _ = await asyncio.wait({run}, timeout=10)
        assert done
