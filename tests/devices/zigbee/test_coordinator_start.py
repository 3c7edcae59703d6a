"""How the coordinator starts on the virtual radio: with a new network, a known one, a damaged file, a wrong port."""

from pathlib import Path

import pytest

from carrel.contracts.telemetry import Quantity
from devices.errors import DamagedDatabaseError, LinkSilentError, NoNetworkError, WrongDeviceError
from devices.events import DeviceJoined, DeviceSeen, LinkUp, ReadingSeen
from devices.zigbee import radio
from tests.support.field import Recorder, VirtualRadio, open_radio
from tests.support.zigbee_shipped import ILLUMINANCE, LUX, SHIPPED, all_in, coordinator_in
from tests.support.zigbee_site import running


def kept_aside(folder: Path) -> list[bytes]:
    return [file.read_bytes()[:4] for file in folder.glob("zigbee.db.2*Z")]


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
