"""What sensors make of a room."""

import random
from statistics import mean, stdev

import pytest

from firmware_sim.building import Room
from firmware_sim.zigbee import zcl
from firmware_sim.zigbee.node.models import (
    CARBON_DIOXIDE,
    CO2,
    HUMIDITY,
    ILLUMINANCE,
    LIGHT,
    OCCUPANCY,
    OCCUPANCY_SENSOR,
    TEMPERATURE,
    TH,
)
from firmware_sim.zigbee.node.sensors import CarbonDioxide, Climate, Light, Occupancy
from firmware_sim.zigbee.octets import Octets
from tests.support.vectors import vectors
from tests.support.zigbee import Air


class Quiet(random.Random):
    """No noise."""

    def gauss(self, mu=0.0, sigma=1.0):
        return mu


@pytest.mark.parametrize("vector", vectors("zcl", "illuminance"))
def test_light_is_sent_on_the_logarithmic_scale(vector):
    device = Air(LIGHT).device
    Light(device, Room("r", 20, 50, lux=vector["lux"]), Quiet()).sample()
    assert device.get((ILLUMINANCE, 0)) == vector["value"]


def test_temperature_and_humidity_are_hundredths():
    device = Air(TH).device
    Climate(device, Room("r", -12.34, 55.25), Quiet()).sample()
    assert (device.get((TEMPERATURE, 0)), device.get((HUMIDITY, 0))) == (-1234, 5525)


def test_noise_is_small_and_unbiased():
    device, rng = Air(TH).device, random.Random(5)
    climate = Climate(device, Room("r", 20.0, 50.0), rng)
    values = []
    for _ in range(2000):
        climate.sample()
        values.append(device.number((TEMPERATURE, 0)) / 100)
    assert mean(values) == pytest.approx(20.0, abs=0.01)
    assert stdev(values) == pytest.approx(0.05, rel=0.1)


def test_humidity_stays_within_its_scale():
    device = Air(TH).device
    climate = Climate(device, Room("r", 20.0, 100.0), random.Random(5))
    for _ in range(50):
        climate.sample()
        assert device.number((HUMIDITY, 0)) <= 10000


def test_sensors_take_no_commands():
    device = Air(LIGHT).device
    assert Light(device, Room("r", 20, 50), Quiet()).command(ILLUMINANCE, 0, Octets(b"")) == zcl.UNSUP_COMMAND


def test_carbon_dioxide_is_a_fraction_of_one():
    air, room = Air(CO2), Room("r", 20.0, 50.0)
    room.co2 = 488.28125
    CarbonDioxide(air.device, room, Quiet()).sample()
    assert air.ask(CARBON_DIOXIDE, "00 01 00 00 00") == "18 01 01 00 00 00 39 00 00 00 3a"


def test_a_room_is_occupied_while_people_are_there_and_for_a_delay_after():
    air, room = Air(OCCUPANCY_SENSOR), Room("r", 20.0, 50.0)
    sensor = Occupancy(air.device, room, Quiet(), air.timers)
    sensor.sample()
    assert sensor.state() == {"occupied": False}
    room.people = 3.0
    sensor.sample()
    room.people = 0.0
    air.timers.advance(29)
    sensor.sample()
    assert air.device.get((OCCUPANCY, 0)) == 1
    air.timers.advance(2)
    sensor.sample()
    assert air.device.get((OCCUPANCY, 0)) == 0
    assert air.ask(OCCUPANCY, "00 01 02 10 00 21 05 00") == "18 01 04 00"
