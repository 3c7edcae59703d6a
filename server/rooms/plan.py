"""What config.toml says about rooms: their names and bands, and which device measures what in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from carrel.contracts.telemetry import Quantity
from carrel.sections import RoomConfig
from environment.config import EnvironmentConfig
from server.settings import ServerSettings

ALWAYS_SHOWN = (Quantity.TEMP, Quantity.RH, Quantity.LUX)
MEASURED = (*ALWAYS_SHOWN, Quantity.CO2)
"""What a room's value can be asked for."""
SENSED = (*MEASURED, Quantity.OCCUPANCY)
"""What a room's history can be asked for."""


@dataclass(frozen=True, slots=True)
class RoomPlan:
    """A room and its sensors: quantity -> devices. An air conditioner's own thermometer is none of them."""

    config: RoomConfig
    sensors: Mapping[Quantity, frozenset[str]]

    @property
    def shown(self) -> tuple[Quantity, ...]:
        """The quantities to show, in order."""
        return tuple(q for q in MEASURED if q in ALWAYS_SHOWN or q in self.sensors)

    @property
    def bands(self) -> dict[Quantity, tuple[float, float]]:
        """Target bands (low, high)."""
        config = self.config
        bands = {Quantity.TEMP: config.temp, Quantity.RH: config.rh, Quantity.LUX: config.lux}
        return {quantity: band for quantity, band in bands.items() if band is not None}


@dataclass(frozen=True, slots=True)
class Plan:
    """All rooms in the order of the file. A sensor silent for `stale_after` is unknown."""

    rooms: Mapping[str, RoomPlan]
    stale_after: timedelta
    simulated: bool


def read_plan(settings: ServerSettings) -> Plan:
    """Validate what the rooms need; raises ConfigError."""
    environment = settings.document.section("environment", EnvironmentConfig)
    sensors: dict[tuple[str, Quantity], set[str]] = {}
    for sensor in environment.sensor:
        if sensor.metric in {quantity.value for quantity in SENSED}:
            sensors.setdefault((sensor.zone, Quantity(sensor.metric)), set()).add(sensor.device)
    rooms = {
        room.id: RoomPlan(
            room,
            {quantity: frozenset(sensors[room.id, quantity]) for quantity in SENSED if (room.id, quantity) in sensors},
        )
        for room in settings.common.rooms
    }
    return Plan(rooms, timedelta(seconds=environment.stale_after_s), settings.common.library.simulated)
