"""Orders through the coordinator: carried out, refused, repeated, and overtaken by newer ones."""

import asyncio
from pathlib import Path

import pytest

from carrel.contracts.actuation import CommandStatus, SetLevel, SetOutput, SetPosition, SetSwitch
from carrel.contracts.telemetry import Quantity
from devices.events import LinkUp
from devices.orders import DONE
from tests.support.field import Recorder, VirtualRadio, open_radio
from tests.support.zigbee_shipped import CURTAIN, VENT, all_in, coordinator_in
from tests.support.zigbee_site import running


async def test_orders_act_and_are_confirmed_by_the_device(formed: Path, home: VirtualRadio) -> None:
    seen = Recorder()
    link = coordinator_in(formed)
    room = home.rooms["reading-room"]
    async with running(link, seen):
        await all_in(seen)
        assert await link.execute(SetPosition(device="reading-curtain", closed_pct=10)) == DONE
        assert await link.execute(SetLevel(device="reading-vent", level_pct=60)) == DONE
        assert await link.execute(SetSwitch(device="reading-ac", on=True)) == DONE
        assert (room.ac_on, room.ac_setpoint, round(room.vent_pct)) == (True, 24.0, 60)
        await seen.until(lambda: seen.latest("reading-curtain", Quantity.POSITION) == 10.0)
        await seen.until(lambda: seen.latest("reading-vent", Quantity.LEVEL) == 59.8)
        await seen.until(lambda: seen.latest("reading-ac", Quantity.ON) == 1.0)
        assert await link.execute(SetLevel(device="reading-vent", level_pct=0)) == DONE
        await seen.until(lambda: seen.latest("reading-vent", Quantity.LEVEL) == 0.0)
        assert room.vent_pct == 0.0


async def test_a_refusal_of_the_device_is_a_value_with_its_code(formed: Path, home: VirtualRadio) -> None:
    link, seen = coordinator_in(formed), Recorder()
    async with running(link, seen):
        await all_in(seen)
        result = await link.execute(SetSwitch(device="reading-ac", on=True, setpoint_c=99.0))
        assert (result.status, result.code) == (CommandStatus.REJECTED, "invalid_value")
        assert (await link.execute(SetPosition(device="reading-ac", closed_pct=1))).code == "not_supported"
        assert (await link.execute(SetPosition(device="nobody", closed_pct=1))).code == "unknown_device"
        assert (await link.execute(SetOutput(output="io-1.siren", on=True))).code == "unknown_device"
        assert (await link.execute(SetOutput(output="reading-ac.lamp", on=True))).code == "not_supported"
        assert (await link.execute((SetOutput(output="reading-ac.siren", on=True),))).code == "not_supported"


async def test_an_order_while_the_radio_is_away_fails_at_once(tmp_path: Path) -> None:
    result = await coordinator_in(tmp_path).execute(SetPosition(device="reading-curtain", closed_pct=1))
    assert (result.status, result.code) == (CommandStatus.FAILED, "link_down")


async def test_without_a_join_window_nobody_comes_in_and_orders_say_who_is_missing(tmp_path: Path) -> None:
    link, seen = coordinator_in(tmp_path, join_at_start_s=0), Recorder()
    async with open_radio(tmp_path) as virtual, running(link, seen):
        await seen.until(lambda: seen.of(LinkUp), 30)
        result = await link.execute(SetPosition(device="reading-curtain", closed_pct=1))
        assert (result.status, result.code) == (CommandStatus.FAILED, "device_missing")
        assert virtual.network.describe()["permit_s"] == 0
        assert not virtual.joined(CURTAIN)


async def test_an_order_is_repeated_until_the_device_hears_it(
    formed: Path, home: VirtualRadio, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "devices.zigbee.execute")
    link, seen = coordinator_in(formed), Recorder()
    async with running(link, seen):
        await all_in(seen)
        home.network.fail_confirms(VENT, 0xE9)
        order = asyncio.create_task(link.execute(SetLevel(device="reading-vent", level_pct=50)))
        await seen.until(lambda: "did not answer" in caplog.text)
        home.network.fail_confirms(VENT, 0)
        assert await order == DONE


async def test_a_device_that_cannot_be_reached_fails_after_bounded_tries(formed: Path, home: VirtualRadio) -> None:
    link, seen = coordinator_in(formed), Recorder()
    async with running(link, seen):
        await all_in(seen)
        home.network.fail_confirms(VENT, 0xE9)
        result = await link.execute(SetLevel(device="reading-vent", level_pct=50))
        assert (result.status, result.code) == (CommandStatus.FAILED, "no_answer")


async def test_a_stale_order_is_not_repeated_after_a_newer_one(
    formed: Path, home: VirtualRadio, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "devices.zigbee.execute")
    link, seen = coordinator_in(formed), Recorder()
    async with running(link, seen):
        await all_in(seen)
        home.network.fail_confirms(VENT, 0xE9)
        stale = asyncio.create_task(link.execute(SetLevel(device="reading-vent", level_pct=100)))
        await seen.until(lambda: "did not answer" in caplog.text)
        home.network.fail_confirms(VENT, 0)
        assert await link.execute(SetLevel(device="reading-vent", level_pct=20)) == DONE
        assert (await stale).status is CommandStatus.EXPIRED
        assert round(home.rooms["reading-room"].vent_pct) == 20
