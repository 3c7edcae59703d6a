"""What sensors and plugs tell through the virtual radio: in their units, in order, and not for ever silent."""

from pathlib import Path

import pytest

from carrel.contracts.actuation import SetSwitch
from carrel.contracts.telemetry import Quantity
from devices.events import DeviceSeen, ReadingSeen
from devices.orders import DONE
from devices.zigbee import member
from devices.zigbee.clusters import ELECTRICAL, METERING
from tests.support.field import Recorder, open_radio
from tests.support.zigbee_site import EVERY, LUX, coordinator, named, placed, running, served, shown, site


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
            rules = device.reporter.rules
            await seen.until(lambda: (ELECTRICAL, 0x050B) in rules, 20)  # what changes before is not reported
            device.set((ELECTRICAL, 0x050B), 8004)
            await seen.until(lambda: seen.latest(plug, Quantity.POWER) == 800.4, 20)
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
