"""The coordinator's radio fails: unplugged, restarted, silent or full of garbage."""

import asyncio
from pathlib import Path

import pytest

from carrel.contracts.actuation import CommandStatus, SetLevel, SetPosition
from carrel.contracts.telemetry import Quantity
from devices.errors import LinkLostError, LinkSilentError, RadioResetError
from devices.events import BadFrame, DeviceSeen, ReadingSeen
from devices.orders import DONE
from devices.zigbee import execute, radio
from devices.zigbee.network import session as session_module
from tests.support.field import Recorder, VirtualRadio
from tests.support.zigbee_shipped import ILLUMINANCE, LUX, VENT, all_in, coordinator_in
from tests.support.zigbee_site import running


async def test_an_unplugged_radio_ends_the_run_and_the_next_one_catches_up(formed: Path, home: VirtualRadio) -> None:
    link, seen = coordinator_in(formed), Recorder()
    async with running(link, seen) as run:
        await all_in(seen)
        await home.fault("unplug")
        with pytest.raises(LinkLostError):
            await asyncio.wait_for(run, 5)
    with pytest.raises(LinkLostError, match="cannot open"):
        await link.run(Recorder())
    await home.fault("none")
    again = Recorder()
    async with running(link, again):
        await all_in(again)
        assert await link.execute(SetPosition(device="reading-curtain", closed_pct=0)) == DONE
    assert len({(e.reading.device, e.reading.quantity) for e in again.of(ReadingSeen)}) == 21


async def test_orders_under_way_when_the_radio_goes_are_told_as_failed(formed: Path, home: VirtualRadio) -> None:
    link, seen = coordinator_in(formed), Recorder()
    async with running(link, seen) as run:
        await all_in(seen)
        home.network.mute(VENT, on=True)
        order = asyncio.create_task(link.execute(SetLevel(device="reading-vent", level_pct=50)))
        await asyncio.sleep(0)  # it has begun to wait for an answer
        await home.fault("unplug")
        with pytest.raises(LinkLostError):
            await asyncio.wait_for(run, 5)
        assert (await asyncio.wait_for(order, 12)).status is CommandStatus.FAILED


async def test_a_radio_that_restarts_by_itself_ends_the_run(formed: Path, home: VirtualRadio) -> None:
    seen = Recorder()
    async with running(coordinator_in(formed), seen) as run:
        await all_in(seen)
        home.network.coordinator.watchdog_reset()
        with pytest.raises(RadioResetError):
            await asyncio.wait_for(run, 5)


async def test_a_silent_radio_ends_the_run(formed: Path, home: VirtualRadio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(radio, "PING_EVERY_S", 0.2)
    monkeypatch.setattr(radio, "PING_S", 0.2)
    seen = Recorder()
    async with running(coordinator_in(formed), seen) as run:
        await all_in(seen)
        await home.fault("silence")
        with pytest.raises(LinkSilentError):
            await asyncio.wait_for(run, 5)


async def test_a_failed_order_makes_the_radio_prove_that_it_is_there(
    formed: Path, home: VirtualRadio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(radio, "PING_EVERY_S", 60)
    monkeypatch.setattr(execute, "ANSWER_S", 0.2)
    link, seen = coordinator_in(formed), Recorder()
    async with running(link, seen) as run:
        await all_in(seen)
        await home.fault("silence")
        assert not (await link.execute(SetPosition(device="reading-curtain", closed_pct=5))).done
        with pytest.raises(LinkSilentError):
            await asyncio.wait_for(run, 5)


async def test_after_garbage_every_device_is_asked_again(
    formed: Path, home: VirtualRadio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "CLEAN_AFTER_S", 0.05)
    seen = Recorder()
    async with running(coordinator_in(formed), seen):
        await all_in(seen)
        before = len(seen.of(DeviceSeen))
        await home.fault("garbage")
        for raw in range(20000, 20040):
            home.network.report_now(LUX, ILLUMINANCE, 0, raw)
        await seen.until(lambda: seen.of(BadFrame))
        await home.fault("none")
        await seen.until(lambda: len({e.device for e in seen.of(DeviceSeen)[before:]}) == 12, 20)


async def test_garbage_is_counted_and_the_link_goes_on(formed: Path, home: VirtualRadio) -> None:
    seen = Recorder()
    async with running(coordinator_in(formed), seen) as run:
        await all_in(seen)
        await home.fault("garbage")
        for raw in range(20000, 20040):
            home.network.report_now(LUX, ILLUMINANCE, 0, raw)
        await seen.until(lambda: seen.of(BadFrame))
        await home.fault("none")
        for raw in range(30001, 30011):  # the first may be swallowed by what is left of the garbage
            home.network.report_now(LUX, ILLUMINANCE, 0, raw)
        await seen.until(lambda: seen.latest("reading-lux", Quantity.LUX) == pytest.approx(1002.07))
        assert not run.done()
