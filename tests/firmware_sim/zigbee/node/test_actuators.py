"""What actuators do to a room."""

import random

import pytest

from firmware_sim.building import Room
from firmware_sim.zigbee import zcl
from firmware_sim.zigbee.node.actuators import AirConditioner, Curtain, Plug, Vent
from firmware_sim.zigbee.node.device import Binding
from firmware_sim.zigbee.node.models import (
    AC,
    CURTAIN,
    ELECTRICAL,
    FAN,
    LEVEL,
    METERING,
    ON_OFF,
    PLUG,
    THERMOSTAT,
    VENT,
    WINDOW_COVERING,
)
from firmware_sim.zigbee.node.reporting import Rule
from tests.support.zigbee import COORDINATOR, Air

LIFT = (WINDOW_COVERING, 8)


@pytest.fixture
def room():
    return Room("reading-room", 27.0, 50.0)


@pytest.fixture
def curtain(room):
    air = Air(CURTAIN)
    air.device.behaviour = Curtain(air.device, room, air.timers)
    air.device.behaviour.start()
    return air


@pytest.fixture
def ac(room):
    air = Air(AC)
    air.device.behaviour = AirConditioner(air.device, room, random.Random(1))
    air.device.behaviour.start()
    return air


@pytest.fixture
def vent(room):
    air = Air(VENT)
    air.device.behaviour = Vent(air.device, room, air.timers)
    air.device.behaviour.start()
    return air


def test_a_curtain_closes_at_a_fifth_each_second(curtain, room):
    assert curtain.ask(WINDOW_COVERING, "01 01 01") == "18 01 0b 01 00"
    curtain.timers.advance(1)
    assert room.curtain_closed_pct == pytest.approx(20)
    curtain.timers.advance(4.1)
    assert (room.curtain_closed_pct, curtain.device.get(LIFT)) == (100, 100)


def test_a_curtain_opens_stops_and_goes_to_a_percentage(curtain, room):
    curtain.ask(WINDOW_COVERING, "01 01 05 3C")
    curtain.timers.advance(5)
    assert room.curtain_closed_pct == 60
    curtain.ask(WINDOW_COVERING, "01 02 00")
    curtain.timers.advance(1)
    curtain.ask(WINDOW_COVERING, "01 03 02")
    curtain.timers.advance(5)
    assert room.curtain_closed_pct == pytest.approx(40)


def test_a_curtain_refuses_what_it_cannot_do(curtain):
    assert curtain.ask(WINDOW_COVERING, "01 01 05 65") == "18 01 0b 05 87"
    assert curtain.ask(WINDOW_COVERING, "01 01 08 10") == "18 01 0b 08 81"
    assert curtain.ask(WINDOW_COVERING, "01 01 05") == "18 01 0b 05 80"


def test_lift_is_reported_each_second_and_at_the_end(curtain):
    curtain.device.bindings.append(Binding(WINDOW_COVERING, 1, COORDINATOR, 1))
    curtain.device.reporter.configure(LIFT, Rule(zcl.UINT8, 0, 600, 1))
    curtain.timers.advance(1)
    curtain.ask(WINDOW_COVERING, "11 01 05 32")
    curtain.sent.clear()
    curtain.timers.advance(10)
    lifts = [frame[-1] for _, _, frame in curtain.sent]
    assert len(lifts) == 3
    assert lifts[-1] == 50
    assert lifts[:2] == [pytest.approx(20, abs=2), pytest.approx(40, abs=2)]


def test_a_curtain_stays_where_it_was_after_a_power_cut(curtain, room):
    curtain.ask(WINDOW_COVERING, "01 01 05 1E")
    curtain.timers.advance(5)
    again = Air(CURTAIN)
    again.device.restore(curtain.device.snapshot())
    room.curtain_closed_pct = 0
    Curtain(again.device, room, again.timers).start()
    assert room.curtain_closed_pct == 30


def test_an_ac_cools_in_cool_mode_above_its_setpoint(ac, room):
    assert ac.ask(THERMOSTAT, "00 01 02 1C 00 30 03 11 00 29 60 09") == "18 01 04 00"
    assert (room.ac_on, room.ac_setpoint) == (True, 24.0)
    assert ac.device.get((THERMOSTAT, 0x29)) == 6
    room.temp = 23.5
    ac.device.sample()
    assert ac.device.get((THERMOSTAT, 0x29)) == 0
    ac.ask(THERMOSTAT, "00 01 02 1C 00 30 00")
    assert not room.ac_on


def test_a_compressor_does_not_flap_around_the_setpoint(ac, room):
    ac.ask(THERMOSTAT, "00 01 02 1C 00 30 03 11 00 29 60 09")
    room.temp = 24.1
    ac.device.sample()
    assert ac.device.get((THERMOSTAT, 0x29)) == 6


def test_the_setpoint_is_raised_and_lowered_within_its_limits(ac, room):
    assert ac.ask(THERMOSTAT, "01 01 00 01 F6") == "18 01 0b 00 00"
    assert room.ac_setpoint == 25.0
    ac.ask(THERMOSTAT, "01 01 00 01 7F")
    assert room.ac_setpoint == 32.0
    assert ac.ask(THERMOSTAT, "01 01 00 00 01") == "18 01 0b 00 87"


def test_a_vent_blows_as_hard_as_its_level_while_it_is_on(vent, room):
    assert vent.ask(ON_OFF, "01 01 01") == "18 01 0b 01 00"
    assert room.vent_pct == 100
    assert vent.ask(LEVEL, "01 02 00 7F 00 00") == "18 02 0b 00 00"
    assert room.vent_pct == 50
    vent.ask(ON_OFF, "01 03 00")
    assert room.vent_pct == 0
    vent.ask(ON_OFF, "01 04 02")
    assert room.vent_pct == 50


def test_a_level_with_on_off_switches(vent, room):
    vent.ask(LEVEL, "01 02 04 7F 00 00")
    assert (room.vent_pct, vent.device.get((ON_OFF, 0))) == (50, 1)
    vent.ask(LEVEL, "01 02 04 00 00 00")
    assert (room.vent_pct, vent.device.get((ON_OFF, 0)), vent.device.get((LEVEL, 0))) == (0, 0, 127)


def test_a_level_without_on_off_waits_until_it_is_on(vent, room):
    vent.ask(LEVEL, "01 02 00 7F 00 00")
    assert (room.vent_pct, vent.device.get((LEVEL, 0))) == (0, 254)


def test_a_transition_takes_its_time(vent, room):
    vent.ask(ON_OFF, "01 01 01")
    vent.ask(LEVEL, "01 02 00 7F 14 00")
    vent.timers.advance(1)
    assert room.vent_pct == pytest.approx(75, abs=1)
    vent.timers.advance(1.1)
    assert room.vent_pct == 50


def test_levels_step_and_move_and_stop(vent, room):
    vent.ask(ON_OFF, "01 01 01")
    vent.ask(LEVEL, "01 02 02 01 40 00 00")
    assert vent.device.get((LEVEL, 0)) == 190
    vent.ask(LEVEL, "01 02 01 01 0A")
    vent.timers.advance(2)
    vent.ask(LEVEL, "01 02 03")
    assert vent.device.get((LEVEL, 0)) == 170


def test_on_with_timed_off_ends_by_itself(vent, room):
    vent.ask(ON_OFF, "01 01 42 00 32 00 00 00")
    assert room.vent_pct == 100
    vent.timers.advance(5.1)
    assert room.vent_pct == 0
    assert vent.ask(ON_OFF, "01 01 42 01 32 00 00 00") == "18 01 0b 42 00"
    assert room.vent_pct == 0


@pytest.mark.parametrize(("wish", "was_on", "on"), [(0, 1, 0), (1, 0, 1), (2, 1, 0), (0xFF, 1, 1)])
def test_a_vent_starts_as_its_start_up_attribute_says(vent, room, wish, was_on, on):
    vent.device.set((ON_OFF, 0), was_on)
    vent.device.set((ON_OFF, 0x4003), wish)
    vent.device.behaviour.start()
    assert (vent.device.get((ON_OFF, 0)), room.vent_pct) == (on, 100 * on)


@pytest.mark.parametrize(
    ("cluster", "frame", "status"), [(ON_OFF, "41", 0x81), (LEVEL, "08", 0x81), (LEVEL, "00 FF 00 00", 0x87)]
)
def test_a_vent_refuses_what_it_does_not_know(vent, cluster, frame, status):
    assert vent.ask(cluster, "01 01 " + frame)[-2:] == f"{status:02x}"


@pytest.mark.parametrize("setpoint", ["3F 06", "81 0C"])  # 15.99 and 32.01
def test_a_setpoint_outside_the_limits_is_refused(ac, room, setpoint):
    before = room.ac_setpoint
    assert ac.ask(THERMOSTAT, f"00 01 02 11 00 29 {setpoint}") == "18 01 04 87 11 00"
    assert room.ac_setpoint == before


def test_a_fan_blows_without_cooling(ac, room):
    ac.ask(THERMOSTAT, "00 01 02 1C 00 30 07")
    assert (room.ac_on, ac.device.get((THERMOSTAT, 0x29))) == (False, 4)
    ac.ask(THERMOSTAT, "00 01 02 1C 00 30 00")
    assert ac.device.get((THERMOSTAT, 0x29)) == 0
    assert ac.ask(FAN, "00 01 02 00 00 30 03") == "18 01 04 00"
    assert ac.device.get((THERMOSTAT, 0x29)) == 4
    assert ac.ask(FAN, "00 01 02 00 00 30 09") == "18 01 04 87 00 00"


def test_a_thermostat_is_calibrated(ac, room):
    ac.ask(THERMOSTAT, "00 01 02 10 00 28 F6")
    ac.device.sample()
    assert ac.device.number((THERMOSTAT, 0)) == pytest.approx(2600, abs=30)


@pytest.fixture
def plug():
    air, stacks = Air(PLUG), Room("stacks", 20.0, 70.0)
    air.device.behaviour = Plug(air.device, stacks, air.timers)
    air.device.behaviour.start()
    return air, stacks


def test_a_plug_runs_the_dehumidifier_and_meters_it(plug):
    air, stacks = plug
    assert air.ask(ON_OFF, "01 01 01") == "18 01 0b 01 00"
    assert stacks.dehumidifier_on
    stacks.energy.drying += 0.0125
    air.device.sample()
    stacks.energy.drying += 0.0008
    air.device.sample()
    assert air.device.get((METERING, 0)) == 13
    assert air.device.number((ELECTRICAL, 0x050B)) > 100
    air.ask(ON_OFF, "01 01 00")
    air.device.sample()
    assert (stacks.dehumidifier_on, air.device.get((ELECTRICAL, 0x050B))) == (False, 0)
    assert air.ask(LEVEL, "01 01 00") == "18 01 0b 00 c3"
