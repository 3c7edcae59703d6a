"""The network itself on the virtual radio: formed by a person alone, never another one's, nothing without its radio."""

import asyncio
from pathlib import Path

import pytest

from carrel.contracts.actuation import CommandStatus
from devices.errors import NoNetworkError, WrongDeviceError
from devices.orders import DONE
from tests.support.field import Recorder, open_radio
from tests.support.zigbee_site import EVERY, LUX, VENT, coordinator, named, placed, running, served, site


def take_the_memory_out(folder: Path) -> None:
    """As when the radio is replaced by a new one."""
    for file in list(folder.glob("nv*")):
        file.unlink()


async def test_a_blank_radio_waits_for_a_person_to_form_its_network(tmp_path: Path) -> None:
    seen, link = Recorder(), coordinator(site(tmp_path, [named(LUX)], form=False))
    async with open_radio(tmp_path, devices=placed(LUX)):
        assert (await link.form()).code == "link_down"
        with pytest.raises(NoNetworkError, match="press Form on the devices page"):
            await link.run(seen)
        assert link.state().state == "none"
        forming = asyncio.create_task(link.form())
        await asyncio.sleep(0)
        async with running(link, seen):
            assert await forming == DONE
            state = link.state()
            assert (state.state, state.coordinator) == ("running", "00:12:4b:00:ca:77:e1:00")
            assert (await link.form()).code == "network_exists"


async def test_a_blank_radio_under_a_library_with_devices_asks_for_their_network(tmp_path: Path) -> None:
    devices = [named(LUX)]
    async with open_radio(tmp_path, devices=placed(LUX)):
        seen = Recorder()
        async with running(coordinator(site(tmp_path, devices)), seen):
            await served(seen, LUX)
    take_the_memory_out(tmp_path)
    async with open_radio(tmp_path, devices=placed(LUX)):
        link = coordinator(site(tmp_path, devices, form=False))
        with pytest.raises(NoNetworkError, match="carrel zigbee restore"):
            await link.run(Recorder())
        assert (await link.form()).code == "backup_exists"


async def test_a_radio_with_another_network_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    devices = [named(LUX)]
    for folder in (tmp_path, tmp_path / "other"):
        async with open_radio(folder, devices=placed(LUX)):
            seen = Recorder()
            async with running(coordinator(site(folder, devices)), seen):
                await served(seen, LUX)
    async with open_radio(tmp_path / "other", devices=placed(LUX)):
        mixed = site(tmp_path, devices, path=str(tmp_path / "other" / "zigbee"))
        with pytest.raises(WrongDeviceError, match="another network"):
            await coordinator(mixed).run(Recorder())


async def test_nothing_can_be_asked_of_a_network_whose_radio_is_away(tmp_path: Path) -> None:
    link = coordinator(site(tmp_path, [named(VENT)]))
    for result in (
        await link.permit(10),
        await link.remove(EVERY[VENT].ieee),
        await link.reinterview(EVERY[VENT].ieee),
        await link.backup(),
    ):
        assert (result.status, result.code) == (CommandStatus.FAILED, "link_down")
    assert (link.state().state, link.state().devices[0].state) == ("down", "awaited")
