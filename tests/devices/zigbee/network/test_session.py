"""The network at work on the virtual radio's pty: joining, names, removal, detectors, silence, failures."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from carrel.contracts.actuation import CommandStatus, SetLevel, SetOutput, SetPosition, SetSwitch
from carrel.contracts.network import NetworkDevice
from carrel.contracts.telemetry import Quantity
from devices.errors import LinkLostError, NoNetworkError, RadioResetError, WrongDeviceError
from devices.events import (
    BadFrame,
    ContactChanged,
    DeviceJoined,
    DeviceSeen,
    Health,
    LinkUp,
    ModuleHealth,
    ReadingSeen,
)
from devices.orders import DONE, OrderResult
from devices.zigbee import execute, ias, member, radio
from devices.zigbee.clusters import ELECTRICAL, METERING
from devices.zigbee.coordinator import Coordinator
from devices.zigbee.network import backup, care, session
from tests.support.field import Recorder, VirtualRadio, open_radio
from tests.support.zigbee_site import ADDRESS, EVERY, coordinator, named, placed, running, served, site

CURTAIN, VENT, LUX = "reading-curtain", "reading-vent", "reading-lux"


def shown(link: Coordinator, name: str) -> NetworkDevice:
    return next(device for device in link.state().devices if device.ieee == EVERY[name].ieee)


def take_the_memory_out(folder: Path) -> None:
    """As when the radio is replaced by a new one."""
    for file in list(folder.glob("nv*")):
        file.unlink()


# ---------------------------------------------------------------- the network itself
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


# ---------------------------------------------------------------- joining and names
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


# ---------------------------------------------------------------- what devices tell
async def test_co2_occupancy_and_plug_are_read_in_their_units(tmp_path: Path) -> None:
    names = ("reading-occupancy", "reading-co2", "dehumidifier")
    seen, link = Recorder(), coordinator(site(tmp_path, [named(name) for name in names]))
    async with open_radio(tmp_path, devices=placed(*names)) as home, running(link, seen):
        await served(seen, *names)
        assert seen.latest("reading-occupancy", Quantity.OCCUPANCY) in (0.0, 1.0)
        co2 = seen.latest("reading-co2", Quantity.CO2)
        assert co2 is not None
        assert 350 < co2 < 5000
        assert await link.execute(SetSwitch(device="dehumidifier", on=True)) == DONE
        assert seen.latest("dehumidifier", Quantity.ON) == 1.0
        home.network.report_now(EVERY["reading-occupancy"].ieee, 0x0406, 0, 1)
        await seen.until(lambda: seen.latest("reading-occupancy", Quantity.OCCUPANCY) == 1.0)


async def test_a_metering_plug_tells_power_and_energy_in_the_scale_that_it_names(tmp_path: Path) -> None:
    plug = "dehumidifier"
    seen, link = Recorder(), coordinator(site(tmp_path, [named(plug)]))
    async with open_radio(tmp_path, devices=placed(plug)) as home:
        device, room = home.network.device(plug), home.rooms["stacks"]
        device.write((METERING, 0x0000), 1_234_567)
        device.write((ELECTRICAL, 0x0605), 10)
        async with running(link, seen):
            await served(seen, plug)
            assert {Quantity.POWER, Quantity.ENERGY} <= set(seen.of(DeviceSeen)[-1].quantities)
            assert seen.latest(plug, Quantity.ENERGY) == 1234.567
            device.set((ELECTRICAL, 0x050B), 8004)
            await seen.until(lambda: seen.latest(plug, Quantity.POWER) == 800.4, 20)
            rules = device.reporter.rules
            assert (rules[METERING, 0].change, rules[ELECTRICAL, 0x050B].change) == (10, 50)
        device.write((METERING, 0x0000), 1_234_600 + int(room.energy.drying))
        again, link = Recorder(), coordinator(site(tmp_path, [named(plug)]))
        async with running(link, again):
            await served(again, plug)
            assert again.latest(plug, Quantity.ENERGY) == 1234.6


async def test_a_meter_that_counts_something_else_has_no_reading_and_is_not_missed(tmp_path: Path) -> None:
    plug = "dehumidifier"
    seen, link = Recorder(), coordinator(site(tmp_path, [named(plug)]))
    async with open_radio(tmp_path, devices=placed(plug)) as home, running(link, seen):
        home.network.device(plug).write((METERING, 0x0300), 1)  # cubic metres
        await served(seen, plug)
        assert seen.latest(plug, Quantity.ENERGY) is None
        assert Quantity.ENERGY not in seen.of(DeviceSeen)[-1].quantities


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


async def test_silent_attributes_are_named_and_their_reporting_is_set_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member, "SILENT_AFTER", 0.001)
    seen, link = Recorder(), coordinator(site(tmp_path, [named("reading-th")]))
    async with open_radio(tmp_path, devices=placed("reading-th")), running(link, seen):
        await seen.until(lambda: link.state().state == "running" and shown(link, "reading-th").silent, 20)
        assert shown(link, "reading-th").state == "silent"
        await seen.until(lambda: len(seen.of(DeviceSeen)) >= 2, 20)


async def test_a_report_that_was_overtaken_goes_to_the_log_alone_and_a_copy_nowhere(tmp_path: Path) -> None:
    seen, link = Recorder(), coordinator(site(tmp_path, [named(LUX)]))
    async with open_radio(tmp_path, devices=placed(LUX)) as home, running(link, seen):
        await served(seen, LUX)
        device = home.network.device(LUX)

        earlier, overtaken, newest, last = (device.next_tsn() for _ in range(4))
        sent = ((earlier, 20001), (newest, 30001), (overtaken, 25001), (overtaken, 25001), (last, 40001))
        for tsn, raw in sent:
            assert device.transmit(0x0400, 1, bytes((0x18, tsn, 0x0A, 0, 0, 0x21)) + raw.to_bytes(2, "little"))
        await seen.until(lambda: seen.latest(LUX, Quantity.LUX) == 10000.0)
        told = [(event.reading.value, event.late) for event in seen.of(ReadingSeen)]  # its own reports came before
        assert told[-4:] == [(100.0, False), (1000.0, False), (316.23, True), (10000.0, False)]


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


# ---------------------------------------------------------------- backups
async def test_a_backup_is_made_at_the_start_and_after_each_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "SETTLE_S", 0.05)
    seen, link = Recorder(), coordinator(site(tmp_path, [named(VENT)]))
    folder = tmp_path / "backups"
    async with open_radio(tmp_path, devices=placed(VENT)), running(link, seen):
        await served(seen, VENT)
        await seen.until(lambda: link.state().backup_at is not None)
        first = backup.newest(folder)
        assert first is not None
        link.configure([named(VENT, zone="stacks")])
        await seen.until(lambda: backup.newest_at(folder) != first[1].created_at)
        newest = backup.newest(folder)
        assert newest is not None
        assert newest[1].devices[0].zone == "stacks"
        assert newest[1].network["coordinator_ieee"] == "00124b00ca77e100"


async def test_a_disk_that_refuses_a_backup_stops_nothing_and_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "backups").write_text("a file in the folder's place")
    seen, link = Recorder(), coordinator(site(tmp_path, [named(VENT)]))
    async with open_radio(tmp_path, devices=placed(VENT)) as home, running(link, seen):
        await served(seen, VENT)
        assert (await link.backup()).code == "not_written"
        assert "could not be backed up" in caplog.text
        assert isinstance(home, VirtualRadio)
        assert await link.execute(SetLevel(device=VENT, level_pct=30)) == DONE
