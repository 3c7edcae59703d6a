"""Alarms that are told until they are heard, and the siren."""

import pytest

from firmware_sim.building import Room
from firmware_sim.zigbee.node import safety
from firmware_sim.zigbee.node.models import IAS_WARNING, IAS_ZONE, SIREN, SMOKE
from firmware_sim.zigbee.node.safety import Detector, Siren
from tests.support.vectors import raw, vectors
from tests.support.zigbee import COORDINATOR, Air

WRITE_CIE = "00 01 02 10 00 F0 " + COORDINATOR.hex(" ")
ENROLL = "01 02 00 00 17"
FRAMES = {one.values[0]["name"]: raw(one.values[0]).hex(" ") for one in vectors("zcl", "frame")}


@pytest.fixture
def smoke():
    air = Air(SMOKE)
    air.device.behaviour = Detector(air.device, air.timers)
    return air


@pytest.fixture
def enrolled(smoke):
    smoke.ask(IAS_ZONE, WRITE_CIE)
    smoke.ask(IAS_ZONE, ENROLL)
    smoke.timers.advance(1)
    smoke.sent.clear()
    return smoke


def zone(air):
    return air.device.behaviour.zone


def told(air):
    """Status changes sent since the last look: number and status."""
    frames = [frame for cluster, _, frame in air.sent if cluster == IAS_ZONE and frame[:1] == b"\x09"]
    air.sent.clear()
    return [(frame[1], int.from_bytes(frame[3:5], "little")) for frame in frames if frame[2] == 0]


def heard(air, tsn):
    """The host's default response."""
    air.device.receive(IAS_ZONE, 1, bytes((0x00, tsn, 0x0B, 0x00, 0x00)))


def test_a_zone_enrolls_when_it_is_given_an_address_and_asks_for_a_number(smoke):
    assert smoke.ask(IAS_ZONE, WRITE_CIE) == "18 01 04 00"
    smoke.sent.clear()
    smoke.timers.advance(1)
    assert smoke.sent[0][2].hex(" ") == FRAMES["zone enroll request of a fire sensor"].replace("12 10", "f1 ff")
    assert smoke.ask(IAS_ZONE, ENROLL) == "18 02 0b 00 00"
    assert smoke.ask(IAS_ZONE, "00 03 00 00 00 11 00") == "18 03 01 00 00 00 30 01 11 00 00 20 17"


def test_an_unasked_enroll_response_is_enough(smoke):
    smoke.ask(IAS_ZONE, WRITE_CIE)
    smoke.ask(IAS_ZONE, ENROLL)
    smoke.sent.clear()
    smoke.timers.advance(5)
    assert smoke.sent == []
    assert zone(smoke).describe()["enrolled"]


def test_an_enroll_response_without_an_address_is_refused(smoke):
    assert smoke.ask(IAS_ZONE, ENROLL) == "18 02 0b 00 01"
    assert smoke.ask(IAS_ZONE, "01 02 07") == "18 02 0b 07 81"
    assert not zone(smoke).describe()["enrolled"]


def test_a_zone_that_nobody_enrolled_tells_nothing_until_somebody_does(smoke):
    zone(smoke).event("on")
    smoke.timers.advance(60)
    assert told(smoke) == []
    smoke.ask(IAS_ZONE, WRITE_CIE)
    smoke.sent.clear()
    smoke.device.receive(IAS_ZONE, 1, bytes.fromhex(ENROLL))
    assert [status for _, status in told(smoke)] == [safety.ALARM]


def test_an_alarm_is_the_documented_frame(enrolled):
    zone(enrolled).event("on")
    tsn = enrolled.sent[0][2][1]
    assert enrolled.sent[0][2].hex(" ") == FRAMES["zone status change, alarm"].replace("09 2a", f"09 {tsn:02x}")


def test_the_same_frame_comes_five_times_a_second_until_it_is_answered(enrolled):
    zone(enrolled).event("on")
    enrolled.timers.advance(0.9)
    copies = told(enrolled)
    assert len(copies) == 5
    assert len(set(copies)) == 1
    heard(enrolled, copies[0][0])
    enrolled.timers.advance(60)
    assert told(enrolled) == []


def test_an_answer_to_another_frame_counts_for_nothing(enrolled):
    zone(enrolled).event("on")
    [(tsn, _)] = told(enrolled)
    heard(enrolled, tsn - 1)
    enrolled.timers.advance(0.5)
    assert len(told(enrolled)) == 2


def test_what_nobody_hears_is_told_for_ever(enrolled):
    zone(enrolled).event("on")
    enrolled.timers.advance(100)
    numbers = {tsn for tsn, _ in told(enrolled)}
    assert len(numbers) >= 5


def test_an_alarm_that_lasts_is_told_again_and_its_end_at_once(enrolled):
    zone(enrolled).event("on")
    [(tsn, _)] = told(enrolled)
    heard(enrolled, tsn)
    enrolled.timers.advance(safety.REMINDER_S + 0.1)
    [(again, status)] = told(enrolled)
    assert (again != tsn, status) == (True, safety.ALARM)
    heard(enrolled, again)
    zone(enrolled).event("off")
    [(end, status)] = told(enrolled)
    assert status == 0
    heard(enrolled, end)
    enrolled.timers.advance(1000)
    assert told(enrolled) == []


def test_a_test_ends_by_itself(enrolled):
    zone(enrolled).event("test")
    [(tsn, status)] = told(enrolled)
    assert status == safety.TEST | safety.ALARM
    heard(enrolled, tsn)
    enrolled.timers.advance(safety.TEST_S)
    assert told(enrolled)[0][1] == 0


def test_tamper_trouble_and_a_low_battery_are_bits_of_their_own(enrolled):
    for event in ("tamper", "trouble"):
        zone(enrolled).event(event)
    enrolled.device.set_battery(8)
    enrolled.device.sample()
    assert zone(enrolled).status == safety.TAMPER | safety.TROUBLE | safety.BATTERY_LOW
    assert zone(enrolled).describe()["bits"] == ["tamper", "battery_low", "trouble"]
    zone(enrolled).event("off")
    assert zone(enrolled).status == safety.BATTERY_LOW
    enrolled.device.set_battery(90)
    enrolled.device.sample()
    assert zone(enrolled).status == 0


def test_an_unknown_event_is_named_with_those_that_exist(smoke):
    with pytest.raises(ValueError, match="no alarm 'fire'; there are: on, test, tamper, trouble, off"):
        zone(smoke).event("fire")


def test_a_device_that_left_is_no_longer_enrolled(enrolled):
    enrolled.device.forget_network()
    assert not zone(enrolled).describe()["enrolled"]
    assert enrolled.device.get((IAS_ZONE, 0x10)) == 0


@pytest.fixture
def room():
    return Room("reading-room", 22.0, 50.0)


@pytest.fixture
def siren(room):
    air = Air(SIREN)
    air.device.behaviour = Siren(air.device, room, air.timers)
    return air


def test_a_siren_sounds_as_long_as_it_is_asked_to(siren, room):
    assert siren.ask(IAS_WARNING, "01 01 00 27 05 00 32 01") == "18 01 0b 00 00"
    state = siren.device.behaviour.state()
    assert (room.siren, state["sound"], state["level"], state["strobe"]) == (True, "fire", 3, True)
    siren.timers.advance(4.9)
    assert room.siren
    siren.timers.advance(0.2)
    assert (room.siren, siren.device.behaviour.state()["sound"]) == (False, "")


def test_a_siren_never_sounds_longer_than_its_longest_time(siren, room):
    siren.ask(IAS_WARNING, "00 01 02 00 00 21 0A 00")
    siren.ask(IAS_WARNING, "01 01 00 27 FF FF 32 01")
    siren.timers.advance(10.1)
    assert not room.siren


def test_a_siren_is_stopped(siren, room):
    siren.ask(IAS_WARNING, "01 01 00 17 3C 00 32 01")
    siren.ask(IAS_WARNING, "01 01 00 00 00 00 00 00")
    assert not room.siren


def test_a_squawk_is_short_and_gives_way_to_a_warning(siren, room):
    siren.ask(IAS_WARNING, "01 01 01 03")
    assert siren.device.behaviour.state()["sound"] == "squawk"
    siren.timers.advance(1)
    assert not room.siren
    siren.ask(IAS_WARNING, "01 01 00 27 3C 00 32 01")
    siren.ask(IAS_WARNING, "01 01 01 03")
    siren.timers.advance(1)
    assert siren.device.behaviour.state()["sound"] == "fire"


@pytest.mark.parametrize(
    ("frame", "status"), [("00 77 3C 00 32 01", 0x87), ("01 23", 0x87), ("02", 0x81), ("00 27", 0x80)]
)
def test_a_siren_refuses_what_it_does_not_know(siren, room, frame, status):
    assert siren.ask(IAS_WARNING, "01 01 " + frame)[-2:] == f"{status:02x}"
    assert not room.siren


def test_a_siren_is_a_zone_too(siren):
    siren.ask(IAS_ZONE, WRITE_CIE)
    assert siren.ask(IAS_ZONE, ENROLL) == "18 02 0b 00 00"
    assert siren.ask(IAS_ZONE, "00 03 00 01 00") == "18 03 01 01 00 00 31 25 02"
