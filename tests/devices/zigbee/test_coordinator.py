"""The coordinator against the virtual radio and its devices on a pty."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from carrel.config import load
from carrel.contracts.actuation import CommandStatus, SetLevel, SetOutput, SetPosition, SetSwitch
from carrel.contracts.telemetry import Quantity
from carrel.system_clock import SystemClock
from devices.config import ZigbeeConfig
from devices.errors import (
    DamagedDatabaseError,
    LinkLostError,
    LinkSilentError,
    NoNetworkError,
    RadioResetError,
    WrongDeviceError,
)
from devices.events import BadFrame, DeviceJoined, DeviceLeft, DeviceSeen, LinkUp, ReadingSeen
from devices.orders import DONE
from devices.zigbee import execute, radio
from devices.zigbee.coordinator import Coordinator
from devices.zigbee.network import care
from devices.zigbee.network import session as session_module
from tests.support.field import Recorder, VirtualRadio, open_radio
from tests.support.sim import ROOT

SHIPPED = load(ROOT / "config.toml", environ={}).section("zigbee", ZigbeeConfig)
LUX, CURTAIN, AC, VENT = (f"02:ca:77:e1:00:00:00:{n:02x}" for n in (4, 6, 7, 8))
ILLUMINANCE = 0x0400


def coordinator_in(folder: Path, **changes: object) -> Coordinator:
    paths = {"path": str(folder / "zigbee"), "database": folder / "zigbee.db", "backups": folder / "backups"}
    return Coordinator("zigbee", SHIPPED.model_copy(update=paths | changes), SystemClock())


@asynccontextmanager
async def running(link: Coordinator, seen: Recorder) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(link.run(seen))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def all_in(seen: Recorder, count: int = 12) -> None:
    await seen.until(lambda: len({event.device for event in seen.of(DeviceSeen)}) == count, 60)


def kept_aside(folder: Path) -> list[bytes]:
    return [file.read_bytes()[:4] for file in folder.glob("zigbee.db.2*Z")]


@pytest.fixture
async def formed(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a network that twelve devices have joined; formed once, then copied."""
    base = tmp_path_factory.getbasetemp() / "formed-network"
    if not base.exists():
        making = base.with_name("forming-network")
        async with open_radio(making):
            seen = Recorder()
            async with running(coordinator_in(making), seen):
                await all_in(seen)
        making.rename(base)
    shutil.copytree(base, tmp_path / "home", symlinks=True)
    return tmp_path / "home"


@pytest.fixture
async def home(formed: Path) -> AsyncIterator[VirtualRadio]:
    async with open_radio(formed) as opened:
        yield opened


async def test_devices_from_their_box_are_let_in_and_all_their_values_read(tmp_path: Path) -> None:
    seen = Recorder()
    async with open_radio(tmp_path) as radio_, running(coordinator_in(tmp_path), seen):
        await all_in(seen)
        assert {event.device for event in seen.of(DeviceJoined)} == {device.id for device in SHIPPED.device}
        assert seen.latest("reading-ac", Quantity.SETPOINT) == 26.0
        assert seen.latest("stacks-curtain", Quantity.POSITION) == 0.0
        assert len({(e.reading.device, e.reading.quantity) for e in seen.of(ReadingSeen)}) == 21
        await seen.until(lambda: radio_.network.describe()["permit_s"] == 0)


async def test_a_blank_radio_is_left_alone_unless_forming_is_allowed(tmp_path: Path) -> None:
    async with open_radio(tmp_path):
        with pytest.raises(NoNetworkError, match="run `carrel zigbee form`"):
            await coordinator_in(tmp_path, form=False).run(Recorder())


async def test_a_damaged_database_is_kept_aside_and_replaced_from_the_newest_backup(
    formed: Path, home: VirtualRadio, caplog: pytest.LogCaptureFixture
) -> None:
    seen = Recorder()
    link = coordinator_in(formed)
    async with running(link, seen):
        await all_in(seen)
        assert (await link.backup()).done
    before = home.network.describe()["pan"]
    (formed / "zigbee.db").write_bytes(b"torn" * 4096)
    with pytest.raises(DamagedDatabaseError, match=r"was damaged: it was moved to .*the network was not touched"):
        await link.run(Recorder())
    assert kept_aside(formed) == [b"torn"]
    again = Recorder()
    async with running(coordinator_in(formed), again):
        await all_in(again)
    assert not again.of(DeviceJoined)
    assert home.network.describe()["pan"] == before


async def test_a_damaged_database_without_a_backup_forms_nothing_and_devices_are_met_as_they_speak(
    formed: Path, home: VirtualRadio
) -> None:
    before = home.network.describe()["pan"]
    (formed / "zigbee.db").write_bytes(b"torn" * 4096)
    link = coordinator_in(formed, form=False, join_at_start_s=0)
    with pytest.raises(DamagedDatabaseError, match="there is no backup"):
        await link.run(Recorder())
    seen = Recorder()
    async with running(link, seen):
        await seen.until(lambda: seen.of(LinkUp), 30)
        home.network.report_now(LUX, ILLUMINANCE, 0, 30001)
        await seen.until(lambda: "reading-lux" in {event.device for event in seen.of(DeviceSeen)})
    assert home.network.describe()["pan"] == before


async def test_a_file_in_the_radios_place_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "zigbee").write_text("")
    with pytest.raises(WrongDeviceError, match="is not a serial port"):
        await coordinator_in(tmp_path).run(Recorder())


async def test_a_radio_without_its_package_is_told_in_a_sentence(
    home: VirtualRadio, formed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(radio.RADIO_MODULES, "bellows", "bellows_that_nobody_installed.application")
    with pytest.raises(WrongDeviceError, match="needs the Python package bellows_that_nobody_installed"):
        await coordinator_in(formed, kind="bellows").run(Recorder())


async def test_bellows_opens_the_port_and_tells_that_nothing_speaks_its_protocol(
    home: VirtualRadio, formed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no EZSP simulator: what is seen here is that bellows is loaded, opens the port and is heard to fail."""
    monkeypatch.setattr(radio, "STARTUP_S", 1.0)
    heard: list[bytes] = []
    coordinator, receive = home.network.coordinator, home.network.coordinator.receive
    monkeypatch.setattr(coordinator, "receive", lambda data: (heard.append(data), receive(data)))
    with pytest.raises(LinkSilentError, match=r"did not (start|answer)"):
        await coordinator_in(formed, kind="bellows", database=formed / "bellows.db").run(Recorder())
    assert b"".join(heard), "bellows wrote nothing to the port"


async def test_a_restart_resumes_the_network_without_joining_again(formed: Path, home: VirtualRadio) -> None:
    seen = Recorder()
    async with running(coordinator_in(formed), seen):
        await all_in(seen)
    assert not seen.of(DeviceJoined)
    assert len(seen.of(LinkUp)) == 1


async def test_reporting_that_is_in_place_is_not_set_up_again(
    formed: Path, home: VirtualRadio, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured: list[object] = []
    monkeypatch.setattr("devices.zigbee.reporting.configure", lambda *args: configured.append(args))
    seen = Recorder()
    async with running(coordinator_in(formed), seen):
        await all_in(seen)
    assert configured == []


async def test_a_report_becomes_a_reading_of_the_configured_device(formed: Path, home: VirtualRadio) -> None:
    seen = Recorder()
    async with running(coordinator_in(formed), seen):
        await all_in(seen)
        assert home.network.report_now(LUX, ILLUMINANCE, 0, 30001)
        await seen.until(lambda: seen.latest("reading-lux", Quantity.LUX) == 1000.0)
        reading = seen.of(ReadingSeen)[-1].reading
        assert (reading.zone, reading.device) == ("reading-room", "reading-lux")


async def test_an_invalid_report_is_no_reading(formed: Path, home: VirtualRadio) -> None:
    seen = Recorder()
    async with running(coordinator_in(formed), seen):
        await all_in(seen)
        before = len(seen.of(ReadingSeen))
        home.network.report_now(LUX, ILLUMINANCE, 0, 0xFFFF)
        home.network.report_now(LUX, ILLUMINANCE, 0, 40001)
        await seen.until(lambda: seen.latest("reading-lux", Quantity.LUX) == 10000.0)
        assert len([event for event in seen.of(ReadingSeen)[before:] if event.reading.device == "reading-lux"]) == 1


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


async def test_a_device_that_leaves_is_told_and_set_up_again_when_it_is_back(formed: Path, home: VirtualRadio) -> None:
    seen = Recorder()
    async with running(coordinator_in(formed), seen):
        await all_in(seen)
        count = len(seen.of(DeviceSeen))
        home.network.leave(CURTAIN, rejoin=True)
        await seen.until(lambda: len(seen.of(DeviceSeen)) > count)
    assert [event.device for event in seen.of(DeviceLeft)] == ["reading-curtain"]
    assert seen.of(DeviceSeen)[-1].device == "reading-curtain"


async def test_a_device_with_a_new_address_is_still_itself(formed: Path, home: VirtualRadio) -> None:
    link, seen = coordinator_in(formed), Recorder()
    async with running(link, seen):
        await all_in(seen)
        count = len(seen.of(DeviceSeen))
        home.network.rejoin(VENT)
        await seen.until(lambda: len(seen.of(DeviceSeen)) > count)
        assert await link.execute(SetLevel(device="reading-vent", level_pct=40)) == DONE
        assert round(home.rooms["reading-room"].vent_pct) == 40


async def test_a_device_out_of_earshot_at_the_start_may_join_anew_or_is_tended_when_it_answers(
    formed: Path, home: VirtualRadio, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "devices.zigbee.network.care")
    monkeypatch.setattr(care, "RETRY_FIRST_S", 0.05)
    home.network.fail_confirms(AC, 0xE9)
    seen = Recorder()
    async with running(coordinator_in(formed), seen):
        await all_in(seen, 11)
        await seen.until(lambda: home.network.describe()["permit_s"] > 0)
        assert "reading-ac is not set up yet" in caplog.text
        home.network.fail_confirms(AC, 0)
        await all_in(seen)
        await seen.until(lambda: home.network.describe()["permit_s"] == 0)


async def test_a_device_that_config_does_not_know_is_told_without_a_name(tmp_path: Path) -> None:
    known = tuple(device for device in SHIPPED.device if device.id in ("reading-lux", "reading-curtain"))
    seen = Recorder()
    async with open_radio(tmp_path), running(coordinator_in(tmp_path, device=known), seen):
        await all_in(seen, 2)
        assert None in {event.device for event in seen.of(DeviceJoined)}
    assert {event.reading.device for event in seen.of(ReadingSeen)} == {"reading-lux", "reading-curtain"}
