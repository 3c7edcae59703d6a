"""Global ZCL commands: read, write, configure reporting, discover."""

import pytest

from firmware_sim.zigbee import zcl
from firmware_sim.zigbee.node.models import AC, OTA, TEMPERATURE, TH, THERMOSTAT
from firmware_sim.zigbee.node.reporting import Rule
from tests.support.vectors import raw, vectors
from tests.support.zigbee import Air


@pytest.fixture
def air():
    return Air(TH)


@pytest.fixture
def ac():
    return Air(AC)


def test_several_attributes_are_read_in_one_frame(air):
    answer = bytes.fromhex(air.ask(0x0000, "00 2A 00 04 00 05 00 99 99"))
    assert answer == b"\x18\x2a\x01\x04\x00\x00\x42\x0aCarrel-Sim\x05\x00\x00\x42\x06SIM-TH\x99\x99\x86"


def test_an_attribute_of_the_client_side_is_answered_with_the_direction_turned(air):
    assert air.ask(OTA, "18 07 00 02 00") == "10 07 01 02 00 00 23 00 00 00 01"


def test_several_attributes_are_written_in_one_frame(ac):
    assert ac.ask(THERMOSTAT, "00 01 02 1C 00 30 03 11 00 29 60 09") == "18 01 04 00"
    assert (ac.device.number((THERMOSTAT, 0x1C)), ac.device.number((THERMOSTAT, 0x11))) == (3, 2400)


def test_each_refused_write_is_named_and_the_others_are_done(ac):
    answer = ac.ask(
        THERMOSTAT, "00 01 02 1C 00 30 04 11 00 29 FF 7F 11 00 21 60 09 00 00 29 00 00 AA AA 20 01 1C 00 30 03"
    )
    assert answer == "18 01 04 87 1c 00 87 11 00 8d 11 00 88 00 00 86 aa aa"
    assert ac.device.number((THERMOSTAT, 0x1C)) == 3


def test_an_undivided_write_is_done_wholly_or_not_at_all(ac):
    assert ac.ask(THERMOSTAT, "00 01 03 1C 00 30 03 11 00 29 FF 7F") == "18 01 04 87 11 00"
    assert ac.device.number((THERMOSTAT, 0x1C)) == 0


def test_a_write_without_response_is_done_in_silence(ac):
    assert ac.ask(THERMOSTAT, "00 01 05 1C 00 30 03") is None
    assert ac.device.number((THERMOSTAT, 0x1C)) == 3


def test_reporting_is_configured_and_read_back(air):
    configure = raw(vectors("zcl", "frame", command=6)[0].values[0]).hex()
    assert air.ask(TEMPERATURE, configure) == "18 70 07 00"
    assert air.ask(TEMPERATURE, "00 71 08 00 00 00") == "18 71 09 00 00 00 00 29 01 00 05 00 01 00"


def test_reporting_that_cannot_be_is_refused_record_by_record(air):
    records = "00 01 00 29 01 00 05 00 01 00 00 EE EE 20 01 00 05 00 01 00 00 00 21 01 00 05 00 01 00 01 00 00 3C 00"
    answer = air.ask(TEMPERATURE, "00 70 06" + records)
    assert answer == "18 70 07 8c 00 01 00 86 00 ee ee 8d 00 00 00 8c 01 00 00"


def test_what_is_not_configured_is_not_found(air):
    answer = air.ask(TEMPERATURE, "00 71 08 00 00 00 00 01 00 00 EE EE")
    assert answer == "18 71 09 8b 00 00 00 8c 00 01 00 86 00 ee ee"


@pytest.mark.parametrize("interval", ["FF FF 05 00", "01 00 FF FF"])
def test_an_interval_of_ffff_ends_reporting(air, interval):
    air.device.reporter.configure((TEMPERATURE, 0), Rule(zcl.INT16, 1, 5, 1))
    assert air.ask(TEMPERATURE, f"00 70 06 00 00 00 29 {interval} 01 00") == "18 70 07 00"
    assert air.device.reporter.rules == {}


def test_attributes_are_discovered_in_pages(air):
    assert air.ask(TEMPERATURE, "00 01 0C 00 00 02") == "18 01 0d 00 00 00 29 01 00 29"
    assert air.ask(TEMPERATURE, "00 01 0C 02 00 02") == "18 01 0d 01 02 00 29"
