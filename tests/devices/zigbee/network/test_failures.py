"""What fails on the virtual radio: a device that only says yes, the line to the radio, an answer it owes."""

import asyncio
from pathlib import Path

import pytest

from carrel.contracts.actuation import CommandStatus, SetLevel, SetPosition
from carrel.contracts.telemetry import Quantity
from devices.errors import LinkLostError
from devices.events import BadFrame, LinkUp
from devices.orders import DONE, OrderResult
from devices.zigbee import execute, radio
from devices.zigbee.network import session
from tests.support.field import Recorder, open_radio
from tests.support.zigbee_site import CURTAIN, VENT, coordinator, named, placed, running, served, site


# ---------------------------------------------------------------- orders
async def test_a_device_that_says_yes_and_does_nothing_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execute, "EFFECT_S", 0.2)
    seen, link = Recorder(), coordinator(site(tmp_path, [named(VENT), named(CURTAIN)]))
    async with open_radio(tmp_path, devices=placed(VENT, CURTAIN)) as home, running(link, seen):
        await served(seen, VENT, CURTAIN)
        for name in (VENT, CURTAIN):
            monkeypatch.setattr(home.network.device(name).behaviour, "command", lambda *_frame: 0)
        for order in (SetLevel(device=VENT, level_pct=70), SetPosition(device=CURTAIN, closed_pct=80)):
            result = await link.execute(order)
            assert (result.status, result.code) == (CommandStatus.FAILED, "no_effect"), order
            assert "look at the device" in result.detail


# ---------------------------------------------------------------- the radio fails
async def test_fifty_unpluggings_in_a_row_leave_a_link_that_serves(tmp_path: Path) -> None:
    seen, link = Recorder(), coordinator(site(tmp_path, [named(VENT)]))
    async with open_radio(tmp_path, devices=placed(VENT)) as home:
        async with running(link, seen):
            await served(seen, VENT)
        for cycle in range(50):
            again = Recorder()
            async with running(link, again) as run:
                await again.until(lambda again=again: again.of(LinkUp), 10)
                await home.fault("unplug")
                with pytest.raises(LinkLostError):
                    await asyncio.wait_for(run, 5)
            await home.fault("none")
            assert link.state().state == "down", cycle
        last = Recorder()
        async with running(link, last):
            await served(last, VENT)
            assert last.latest(VENT, Quantity.LEVEL) is not None
            assert await link.execute(SetLevel(device=VENT, level_pct=30)) == DONE


async def test_a_loss_is_told_at_once_while_the_radio_owes_the_answer_that_opens_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, link, asked = Recorder(), coordinator(site(tmp_path, [named(VENT)])), asyncio.Event()

    async def owed(_session: session.Session, _seconds: int) -> OrderResult:
        asked.set()
        await asyncio.Event().wait()
        return DONE

    monkeypatch.setattr(session.Session, "permit", owed)
    async with open_radio(tmp_path, devices=placed(VENT)) as home, running(link, seen) as run:
        await asyncio.wait_for(asked.wait(), 10)
        await home.fault("unplug")
        with pytest.raises(LinkLostError):
            await asyncio.wait_for(run, 5)


async def test_a_radio_behind_a_network_port_serves_and_its_loss_is_told(tmp_path: Path) -> None:
    seen = Recorder()
    async with open_radio(tmp_path, devices=placed(VENT), networked=True) as home:
        link = coordinator(site(tmp_path, [named(VENT)], path=home.path))
        assert home.path.startswith("socket://")
        async with running(link, seen) as run:
            await served(seen, VENT)
            assert await link.execute(SetLevel(device=VENT, level_pct=30)) == DONE
            await home.fault("unplug")
            with pytest.raises(LinkLostError):
                await asyncio.wait_for(run, 5)
        with pytest.raises(LinkLostError, match="cannot connect to the radio"):
            await link.run(Recorder())


async def test_an_answer_that_the_radio_owes_is_counted_and_the_queue_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(radio, "SERVING_SREQ_S", 0.2)
    seen, link = Recorder(), coordinator(site(tmp_path, [named(VENT)]))
    async with open_radio(tmp_path, devices=placed(VENT)) as home, running(link, seen) as run:
        await served(seen, VENT)
        receive = home.network.coordinator.receive
        dropped: list[bytes] = []

        def losing(data: bytes) -> None:
            if not dropped and data[2:4] == b"\x24\x02":
                dropped.append(data)  # the request is lost, so no answer comes
                return
            receive(data)

        monkeypatch.setattr(home.network.coordinator, "receive", losing)
        assert await link.execute(SetLevel(device=VENT, level_pct=30)) == DONE
        assert dropped
        assert [event for event in seen.of(BadFrame) if "did not answer" in event.detail]
        assert not run.done()
