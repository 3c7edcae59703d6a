"""What the coordinator tells of its devices: their reports, and that they leave, move, are late or unknown."""

from pathlib import Path

import pytest

from carrel.contracts.actuation import SetLevel
from carrel.contracts.telemetry import Quantity
from devices.events import DeviceJoined, DeviceLeft, DeviceSeen, ReadingSeen
from devices.orders import DONE
from devices.zigbee.network import care
from tests.support.field import Recorder, VirtualRadio, open_radio
from tests.support.zigbee_shipped import AC, CURTAIN, ILLUMINANCE, LUX, SHIPPED, VENT, all_in, coordinator_in
from tests.support.zigbee_site import running


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
