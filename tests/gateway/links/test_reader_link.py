"""The pad's reader as a supervised link, against the virtual reader on a pty."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from carrel.contracts.actuation import SetOutput
from carrel.contracts.health import LinkHealth
from devices.errors import LinkLostError
from devices.events import BadFrame, LinkUp
from firmware_sim.bench import Bench
from gateway.links import reader_link
from gateway.links.reader_link import ReaderLink
from gateway.links.supervisor import Supervisor
from gateway.stations.pad import Pad, PadState
from rfid.config import PadReaderConfig
from tests.support.ending import end
from tests.support.field import FixedClock, Recorder, open_bench


class Station:
    """A pad with its link on the virtual reader."""

    def __init__(self, bench: Bench) -> None:
        path = bench.ports()["readers"]["kiosk-1"]
        config = PadReaderConfig(path=path, owner="CN-000001-DEMO")
        self.states: list[PadState] = []
        self.health: list[LinkHealth] = []
        self.seen = Recorder()
        self.pad = Pad("kiosk-1", owner=config.owner, afi=config.afi, on_change=self.states.append)
        self.link = ReaderLink("kiosk-1", config, self.pad)

    @asynccontextmanager
    async def supervised(self) -> AsyncIterator[None]:
        supervisor = Supervisor(self.link, emit=self.seen, on_health=self.health.append, clock=FixedClock())
        task = asyncio.create_task(supervisor.run())
        try:
            yield
        finally:
            await end(task)

    @property
    def barcodes(self) -> list[str]:
        return sorted(item.barcode for item in self.pad.state.items)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with open_bench(tmp_path) as opened:
        opened.pad("kiosk-1").timing.air = opened.pad("kiosk-1").timing.serial = False
        yield opened


async def test_items_on_the_pad_are_seen(bench: Bench) -> None:
    station = Station(bench)
    async with station.supervised():
        await station.seen.until(lambda: station.pad.state.online)
        bench.place("kiosk-1", ["30000001", "30000002"])
        await station.seen.until(lambda: station.barcodes == ["30000001", "30000002"])
    assert [report.state for report in station.health] == ["connecting", "up"]


async def test_the_pad_is_offline_while_the_reader_is_unplugged_and_comes_back(bench: Bench) -> None:
    station = Station(bench)
    bench.place("kiosk-1", ["30000001"])
    async with station.supervised():
        await station.seen.until(lambda: station.barcodes == ["30000001"])
        await bench.fault("kiosk-1", "unplug")
        await station.seen.until(lambda: not station.pad.state.online)
        await bench.fault("kiosk-1", "restore")
        await station.seen.until(lambda: station.barcodes == ["30000001"])
    assert station.health[-1].reconnects == 1


async def test_a_silent_reader_is_a_lost_link(bench: Bench) -> None:
    station = Station(bench)
    async with station.supervised():
        await station.seen.until(lambda: station.pad.state.online)
        await bench.fault("kiosk-1", "silence")
        await station.seen.until(lambda: not station.pad.state.online)
        await bench.fault("kiosk-1", "restore")
        await station.seen.until(lambda: station.pad.state.online)


async def test_broken_frames_are_counted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_link, "COUNT_EVERY_S", 0.01)
    station = Station(bench)
    seen = Recorder()
    task = asyncio.create_task(station.link.run(seen))
    await seen.until(lambda: seen.of(LinkUp))
    await bench.fault("kiosk-1", "garbage")
    await seen.until(lambda: seen.of(BadFrame))
    await end(task)


async def test_broken_frames_that_end_the_link_are_counted_too(bench: Bench) -> None:
    station = Station(bench)
    async with station.supervised():
        await station.seen.until(lambda: station.pad.state.online)
        await bench.fault("kiosk-1", "garbage")
        await station.seen.until(lambda: station.health[-1].state == "down")
        assert station.health[-1].bad_frames > 0


async def test_a_reader_that_is_not_there_ends_the_attempt(tmp_path: Path) -> None:
    config = PadReaderConfig(path=str(tmp_path / "nothing"), owner="CN-000001-DEMO")
    pad = Pad("kiosk-1", owner=config.owner, afi=config.afi, on_change=lambda _: None)
    with pytest.raises(LinkLostError, match="cannot open"):
        await ReaderLink("kiosk-1", config, pad).run(Recorder())


async def test_a_reader_takes_no_orders(bench: Bench) -> None:
    assert (await Station(bench).link.execute(SetOutput(output="io-1.siren", on=True))).code == "not_supported"
