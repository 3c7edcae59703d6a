"""Sensors: what they see of a room, with a little noise."""

import math
import random
from typing import Final

from firmware_sim.building import Room
from firmware_sim.zigbee import zcl
from firmware_sim.zigbee.node.device import VirtualDevice
from firmware_sim.zigbee.node.models import HUMIDITY, ILLUMINANCE, TEMPERATURE
from firmware_sim.zigbee.node.reporting import Target
from firmware_sim.zigbee.octets import Octets

TEMPERATURE_SIGMA_K: Final = 0.05
HUMIDITY_SIGMA_PCT: Final = 0.3
ILLUMINANCE_SIGMA: Final = 0.01


def centidegrees(temp: float, rng: random.Random) -> int:
    """What a temperature sensor sends for `temp` in degrees Celsius."""
    return max(-27315, min(32767, round(100 * (temp + rng.gauss(0, TEMPERATURE_SIGMA_K)))))


class Sensor:
    """Takes no commands; a host may write none of its attributes that matter."""

    def __init__(self, device: VirtualDevice, room: Room, rng: random.Random) -> None:
        self._device = device
        self._room = room
        self._rng = rng

    def start(self) -> None:
        """The first value is there as soon as there is power."""
        self.sample()

    def sample(self) -> None:
        """Measure."""
        raise NotImplementedError

    def written(self, target: Target) -> None:
        """Nothing in the room depends on it."""

    def command(self, cluster: int, command: int, args: Octets) -> int:  # noqa: ARG002  face of all behaviours
        """Sensors take no commands."""
        return zcl.UNSUP_COMMAND


class Climate(Sensor):
    """Temperature and relative humidity."""

    def sample(self) -> None:
        """0.01 degC and 0.01 %RH."""
        self._device.set((TEMPERATURE, 0), centidegrees(self._room.temp, self._rng))
        humidity = round(100 * (self._room.rh + self._rng.gauss(0, HUMIDITY_SIGMA_PCT)))
        self._device.set((HUMIDITY, 0), max(0, min(10000, humidity)))


class Light(Sensor):
    """Illuminance on the logarithmic scale of the cluster: 10000 log10(lux) + 1, 0 below one lux."""

    def sample(self) -> None:
        """A lux reading off by a part of itself."""
        lux = self._room.lux * (1 + self._rng.gauss(0, ILLUMINANCE_SIGMA))
        self._device.set((ILLUMINANCE, 0), min(0xFFFE, round(10000 * math.log10(lux)) + 1) if lux >= 1 else 0)
