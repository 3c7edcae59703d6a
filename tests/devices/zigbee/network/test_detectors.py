"""Smoke, motion and the siren on the virtual radio: alarms told once and apart, and a detector that is lost."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from carrel.contracts.actuation import SetOutput
from carrel.contracts.telemetry import Quantity
from devices.errors import LinkLostError
from devices.events import ContactChanged, DeviceSeen, Health, ModuleHealth
from devices.orders import DONE
from devices.zigbee import ias, member
from devices.zigbee.network import session
from tests.support.field import Recorder, open_radio
from tests.support.zigbee_site import EVERY, VENT, coordinator, named, placed, running, served, shown, site


async def test_a_detector_enrols_and_tells_alarm_tamper_and_trouble_apart_and_no_test(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    seen, link = Recorder(), coordinator(site(tmp_path, [named("smoke-1")]))

    def told() -> dict[str, bool]:
        return {event.input: event.closed for event in seen.of(ContactChanged)}

    async with open_radio(tmp_path, devices=placed("smoke-1")) as home, running(link, seen):
        await served(seen, "smoke-1")
        assert told() == {"alarm": True, "tamper": True, "trouble": True}
        assert shown(link, "smoke-1").kind == "smoke"
        assert link.tells_fire(EVERY["smoke-1"].ieee), "by its own word, so that nobody names it as something else"
        assert not link.tells_fire(EVERY["reading-th"].ieee)
        home.network.alarm("smoke-1", "test")
        await seen.until(lambda: "test of the detector" in caplog.text)
        assert told()["alarm"] is True
        home.network.alarm("smoke-1", "off")
        for event, name in (("on", "alarm"), ("tamper", "tamper"), ("trouble", "trouble")):
            home.network.alarm("smoke-1", event)
            await seen.until(lambda name=name: told()[name] is False)
        home.network.alarm("smoke-1", "off")
        await seen.until(lambda: told()["alarm"] is True)


async def test_a_motion_detector_of_the_alarm_kind_tells_that_somebody_is_there(tmp_path: Path) -> None:
    smoke = EVERY["smoke-1"]
    zone = {**smoke.model.server[0x0500], 0x0001: replace(smoke.model.server[0x0500][0x0001], value=ias.MOTION)}
    motion = replace(smoke, model=replace(smoke.model, server={**smoke.model.server, 0x0500: zone}))
    seen, link = Recorder(), coordinator(site(tmp_path, [named("smoke-1", id="pir-1", kind="sensor")]))
    async with open_radio(tmp_path, devices=[motion]) as home, running(link, seen):
        await served(seen, "pir-1")
        assert seen.latest("pir-1", Quantity.OCCUPANCY) == 0.0
        assert Quantity.OCCUPANCY in seen.of(DeviceSeen)[0].quantities
        home.network.alarm("smoke-1", "on")
        await seen.until(lambda: seen.latest("pir-1", Quantity.OCCUPANCY) == 1.0)
        assert not seen.of(ContactChanged)


async def test_every_copy_of_a_detectors_message_is_answered_and_told_once(tmp_path: Path) -> None:
    seen, link = Recorder(), coordinator(site(tmp_path, [named("smoke-1")]))
    async with open_radio(tmp_path, devices=placed("smoke-1")) as home, running(link, seen):
        await served(seen, "smoke-1")
        device = home.network.device("smoke-1")
        answered = 0
        receive = device.receive

        def counted(cluster: int, endpoint: int, frame: bytes, **more: bool) -> None:
            nonlocal answered
            answered += cluster == 0x0500 and frame[2] == 0x0B
            receive(cluster, endpoint, frame, **more)

        device.receive = counted  # type: ignore[method-assign]  # an ear on the air
        status_change = b"\x09\x77\x00\x01\x00\x00\x01\x00\x00"
        for _ in range(3):
            assert device.transmit(0x0500, 1, status_change)
        await seen.until(lambda: answered >= 3)
        alarms = [event for event in seen.of(ContactChanged) if event.input == "alarm" and not event.closed]
        assert len(alarms) == 1


async def test_a_detector_is_lost_with_its_radio_its_leaving_and_its_silence_and_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, link = Recorder(), coordinator(site(tmp_path, [named("smoke-1")]))

    def health() -> list[Health]:
        return [event.state for event in seen.of(ModuleHealth)]

    async with open_radio(tmp_path, devices=placed("smoke-1")) as home:
        async with running(link, seen) as run:
            await served(seen, "smoke-1")
            assert health() == [Health.LOST, Health.OK]  # awaited, then met
            await home.fault("unplug")
            with pytest.raises(LinkLostError):
                await asyncio.wait_for(run, 5)
            assert health()[2:] == [Health.LOST]
        await home.fault("none")
        async with running(link, seen):
            await seen.until(lambda: health()[-1:] == [Health.OK], 20)
            monkeypatch.setattr(member, "SILENT_AFTER", 0)
            link.configure([named("smoke-1", zone="reading-room")])
            await seen.until(lambda: health()[-1:] == [Health.LOST], 20)
            assert shown(link, "smoke-1").state == "silent"
            monkeypatch.undo()
            link.configure([named("smoke-1")])
            await seen.until(lambda: health()[-1:] == [Health.OK], 20)
            home.network.leave("smoke-1")
            await seen.until(lambda: health()[-1:] == [Health.LOST], 20)
            assert shown(link, "smoke-1").state == "left"


async def test_a_detector_that_is_awaited_or_has_a_new_name_is_lost_until_it_is_heard(tmp_path: Path) -> None:
    seen, link = Recorder(), coordinator(site(tmp_path, [named("smoke-1")], join_at_start_s=0))

    def health() -> list[tuple[str, Health]]:
        return [(event.module, event.state) for event in seen.of(ModuleHealth)]

    async with open_radio(tmp_path, devices=placed("smoke-1")), running(link, seen):
        await seen.until(lambda: health() == [("smoke-1", Health.LOST)], 20)
        await link.permit(60)
        await seen.until(lambda: health()[1:] == [("smoke-1", Health.OK)], 20)
        link.configure([named("smoke-1", id="stacks-smoke")])
        told = [("smoke-1", Health.LOST), ("stacks-smoke", Health.LOST), ("stacks-smoke", Health.OK)]
        await seen.until(lambda: health()[2:] == told, 20)
        link.configure([])
        await seen.until(lambda: health()[5:] == [("stacks-smoke", Health.LOST)])


async def test_a_siren_sounds_until_it_is_told_to_stop_and_is_told_again_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "SOUND_AGAIN_S", 0.1)
    sounded: list[bool] = []
    sound = ias.sound

    async def counted(cluster: object, *, on: bool) -> object:
        sounded.append(on)
        return await sound(cluster, on=on)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(ias, "sound", counted)
    seen, link = Recorder(), coordinator(site(tmp_path, [named("siren-1"), named(VENT)]))
    async with open_radio(tmp_path, devices=placed("siren-1", VENT)) as home, running(link, seen):
        await served(seen, "siren-1", VENT)
        assert await link.execute((SetOutput(output="siren-1.siren", on=True),)) == DONE
        await seen.until(lambda: sounded.count(True) >= 2)
        assert await link.execute((SetOutput(output="siren-1.siren", on=False),)) == DONE
        assert (await link.execute(SetOutput(output=f"{VENT}.siren", on=True))).code == "not_supported"
        home.network.faults("siren-1").status = 0xE9
        assert (await link.execute(SetOutput(output="siren-1.siren", on=True))).code == "no_answer"
