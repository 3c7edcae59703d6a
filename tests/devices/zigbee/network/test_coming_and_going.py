"""Devices join, are asked about, are named and are removed on the virtual radio; the window they come in by."""

import asyncio
from pathlib import Path

import pytest

from carrel.contracts.actuation import SetLevel
from carrel.contracts.telemetry import Quantity
from devices.errors import RadioResetError
from devices.events import DeviceJoined, DeviceSeen, LinkUp, ReadingSeen
from devices.orders import DONE
from devices.zigbee.network import care
from tests.support.field import Recorder, open_radio
from tests.support.zigbee_site import (
    ADDRESS,
    CURTAIN,
    EVERY,
    LUX,
    VENT,
    coordinator,
    named,
    placed,
    running,
    served,
    shown,
    site,
)


async def test_a_device_without_a_name_is_let_in_shown_named_and_counts_from_then_on(tmp_path: Path) -> None:
    seen, link = Recorder(), coordinator(site(tmp_path, []))
    async with open_radio(tmp_path, devices=placed(LUX)) as home, running(link, seen):
        await seen.until(lambda: seen.of(LinkUp), 20)
        assert await link.permit(60) == DONE
        opened_until = link.state().join_until
        assert opened_until is not None
        await seen.until(lambda: link.state().devices and shown(link, LUX).state == "online", 20)
        device = shown(link, LUX)
        assert (device.id, device.kind, device.model, device.manufacturer) == (None, "sensor", "SIM-LUX", "Carrel-Sim")
        assert [step.state for step in device.steps] == ["done"] * 9
        assert not seen.of(ReadingSeen)
        assert await link.permit(0) == DONE
        assert link.state().join_until is None
        assert home.network.describe()["permit_s"] == 0
        link.configure([named(LUX, id="window-lux", zone="stacks")])
        await served(seen, "window-lux")
        assert seen.of(DeviceSeen)[-1].quantities == (Quantity.LUX,)
        reading = seen.of(ReadingSeen)[-1].reading
        assert (reading.device, reading.zone) == ("window-lux", "stacks")
        assert shown(link, LUX).id == "window-lux"


async def test_the_join_window_closes_by_itself(tmp_path: Path) -> None:
    seen, link = Recorder(), coordinator(site(tmp_path, []))
    async with open_radio(tmp_path, devices=()), running(link, seen):
        await seen.until(lambda: seen.of(LinkUp), 20)
        await link.permit(1)
        assert link.state().join_until is not None
        await seen.until(lambda: link.state().join_until is None, 5)


async def test_a_window_is_open_again_after_the_radio_restarted_for_the_time_that_was_left(tmp_path: Path) -> None:
    seen, link = Recorder(), coordinator(site(tmp_path, []))
    async with open_radio(tmp_path, devices=placed(LUX)) as home:
        home.network.device(LUX)
        async with running(link, seen) as run:
            await seen.until(lambda: seen.of(LinkUp), 20)
            home.network.faults(LUX).put("gone")
            await link.permit(60)
            until = link.state().join_until
            home.network.coordinator.reboot(0)
            with pytest.raises(RadioResetError):
                await asyncio.wait_for(run, 5)
        assert link.state().join_until is None  # nobody can come in meanwhile
        assert home.network.describe()["permit_s"] == 0
        async with running(link, seen):
            await seen.until(lambda: link.state().join_until is not None, 20)
            reopened = link.state().join_until
            assert until is not None
            assert reopened is not None
            assert abs((reopened - until).total_seconds()) <= 1
            assert 0 < home.network.describe()["permit_s"] <= 60
            home.network.heal(LUX)
            home.network.join(LUX)
            await seen.until(lambda: seen.of(DeviceJoined), 20)


async def test_a_window_that_a_person_closes_while_the_radio_is_away_stays_closed(tmp_path: Path) -> None:
    seen, link = Recorder(), coordinator(site(tmp_path, []))
    async with open_radio(tmp_path, devices=()) as home:
        async with running(link, seen) as run:
            await seen.until(lambda: seen.of(LinkUp), 20)
            await link.permit(60)
            home.network.coordinator.reboot(0)
            with pytest.raises(RadioResetError):
                await asyncio.wait_for(run, 5)
        assert (await link.permit(0)).code == "link_down"
        seen.events.clear()
        async with running(link, seen):
            await seen.until(lambda: seen.of(LinkUp), 20)
            assert (await link.backup()).done  # by then it serves
            assert link.state().join_until is None
            assert home.network.describe()["permit_s"] == 0


async def test_an_interview_that_lost_its_answers_goes_on_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zigpy.device.APS_REPLY_TIMEOUT", 0.3)
    monkeypatch.setattr("zigpy.device.APS_REPLY_TIMEOUT_EXTENDED", 0.3)
    monkeypatch.setattr(care, "RETRY_FIRST_S", 0.1)
    seen, link = Recorder(), coordinator(site(tmp_path, [named(CURTAIN)]))
    async with open_radio(tmp_path, devices=placed(CURTAIN)) as home:
        home.network.faults(CURTAIN).unanswered = True
        async with running(link, seen):
            await seen.until(lambda: seen.of(DeviceJoined), 20)
            await seen.until(lambda: any(step.state == "failed" for step in shown(link, CURTAIN).steps), 20)
            assert shown(link, CURTAIN).state == "joining"
            home.network.heal(CURTAIN)
            await served(seen, CURTAIN)
            assert len(seen.of(DeviceJoined)) == 1
            assert shown(link, CURTAIN).state == "online"


async def test_a_radio_that_reboots_in_the_middle_of_an_interview_takes_it_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(care, "RETRY_FIRST_S", 0.1)
    seen, link = Recorder(), coordinator(site(tmp_path, [named(CURTAIN)]))
    async with open_radio(tmp_path, devices=placed(CURTAIN)) as home:
        home.network.faults(CURTAIN).unanswered = True
        async with running(link, seen) as run:
            await seen.until(lambda: seen.of(DeviceJoined), 20)
            home.network.coordinator.reboot(0)
            with pytest.raises(RadioResetError):
                await asyncio.wait_for(run, 5)
        home.network.heal(CURTAIN)
        async with running(link, seen):
            await served(seen, CURTAIN)
        assert len(home.network.describe()["devices"]) == 1
        assert home.joined(EVERY[CURTAIN].ieee)


async def test_a_device_is_asked_everything_again_or_goes_on_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, link = Recorder(), coordinator(site(tmp_path, [named(VENT)]))
    async with open_radio(tmp_path, devices=placed(VENT)) as home, running(link, seen):
        await served(seen, VENT)
        count = len(seen.of(DeviceSeen))
        assert await link.reinterview(EVERY[VENT].ieee) == DONE
        await seen.until(lambda: len(seen.of(DeviceSeen)) > count)
        assert await link.execute(SetLevel(device=VENT, level_pct=40)) == DONE
        monkeypatch.setattr("zigpy.device.APS_REPLY_TIMEOUT_EXTENDED", 0.2)
        home.network.faults(VENT).unanswered = True
        assert (await link.reinterview(EVERY[VENT].ieee)).code == "no_answer"
        home.network.heal(VENT)
        assert await link.execute(SetLevel(device=VENT, level_pct=60)) == DONE
        assert (await link.reinterview(ADDRESS.format(0x99))).code == "device_missing"


async def test_a_device_that_is_removed_leaves_and_is_forgotten(tmp_path: Path) -> None:
    seen, link = Recorder(), coordinator(site(tmp_path, [named(VENT)]))
    async with open_radio(tmp_path, devices=placed(VENT)) as home, running(link, seen):
        await served(seen, VENT)
        assert await link.remove(EVERY[VENT].ieee) == DONE
        await seen.until(lambda: not home.joined(EVERY[VENT].ieee))
        assert link.state().devices == ()
        assert (await link.remove(EVERY[VENT].ieee)).code == "unknown_device"
        assert (await link.execute(SetLevel(device=VENT, level_pct=1))).code == "unknown_device"
