"""Sensors: what they see of a room, with a little noise."""

import math
import random
from typing import Any, Final

from firmware_sim.building import Room
from firmware_sim.zigbee import zcl
from firmware_sim.zigbee.node.device import VirtualDevice
from firmware_sim.zigbee.node.models import CARBON_DIOXIDE, HUMIDITY, ILLUMINANCE, OCCUPANCY, TEMPERATURE
from firmware_sim.zigbee.node.reporting import Target
from firmware_sim.zigbee.octets import Octets
from firmware_sim.zigbee.timers import Timers

TEMPERATURE_SIGMA_K: Final = 0.05
HUMIDITY_SIGMA_PCT: Final = 0.3
ILLUMINANCE_SIGMA: Final = 0.01
CO2_SIGMA_PPM: Final = 5.0
_SOMEBODY: Final = 0.5  # readers, in a room whose crowd is a mean
_OCCUPIED: Final = (OCCUPANCY, 0x0000)
_FREE_AFTER_S: Final = (OCCUPANCY, 0x0010)


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

    def state(self) -> dict[str, Any]:
        """Its attributes say it all."""
        return {}

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


class Occupancy(Sensor):
    """A passive infrared sensor: occupied while somebody is there and for a delay after."""

    def __init__(self, device: VirtualDevice, room: Room, rng: random.Random, timers: Timers) -> None:
        super().__init__(device, room, rng)
        self._timers = timers
        self._seen_at_s: float | None = None

    def sample(self) -> None:
        """Look for people."""
        now_s = self._timers.now()
        if self._room.people >= _SOMEBODY:
            self._seen_at_s = now_s
        delay_s = self._device.number(_FREE_AFTER_S)
        occupied = self._seen_at_s is not None and now_s - self._seen_at_s <= delay_s
        self._device.set(_OCCUPIED, int(occupied))

    def state(self) -> dict[str, Any]:
        """What it sees."""
        return {"occupied": bool(self._device.number(_OCCUPIED))}


class CarbonDioxide(Sensor):
    """Carbon dioxide as a fraction of one."""

    def sample(self) -> None:
        """Off by a few ppm."""
        ppm = self._room.co2 + self._rng.gauss(0, CO2_SIGMA_PPM)
        self._device.set((CARBON_DIOXIDE, 0), max(0.0, ppm) / 1e6)
