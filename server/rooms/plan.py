"""What is known of rooms: names and bands by config.toml, and which device measures what in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from carrel.contracts.telemetry import Quantity
from carrel.sections import RoomConfig
from environment.config import EnvironmentConfig
from server.rooms.picture import Picture
from server.settings import ServerSettings

ALWAYS_SHOWN = (Quantity.TEMP, Quantity.RH, Quantity.LUX)
MEASURED = (*ALWAYS_SHOWN, Quantity.CO2)
"""What a room's value can be asked for."""
SENSED = (*MEASURED, Quantity.OCCUPANCY)
"""What a room's history can be asked for."""

SENSOR = "sensor"
"""The kind of device that measures its room; others have values that are none of the room's."""


Named = Mapping[tuple[str, Quantity], frozenset[str]]


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


class Plans(Protocol):
    """What is asked of a plan, be it that of config.toml or that of now."""

    @property
    def rooms(self) -> Mapping[str, RoomPlan]:
        """All rooms in the order of the file."""

    @property
    def stale_after(self) -> timedelta:
        """A sensor silent for so long is unknown."""

    @property
    def simulated(self) -> bool:
        """Whether the building is virtual."""


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


class PresentPlan:
    """Satisfies Plans. As on the gateway, a sensor that config.toml does not mention measures all that it tells."""

    def __init__(self, plan: Plan, picture: Picture) -> None:
        self._plan = plan
        self._picture = picture
        self._mentioned = {
            device for room in plan.rooms.values() for devices in room.sensors.values() for device in devices
        }

    @property
    def stale_after(self) -> timedelta:
        """As config.toml says."""
        return self._plan.stale_after

    @property
    def simulated(self) -> bool:
        """As config.toml says."""
        return self._plan.simulated

    @property
    def rooms(self) -> Mapping[str, RoomPlan]:
        """All rooms in the order of the file, with the sensors they have now."""
        named = self._named()
        if not named:
            return self._plan.rooms
        return {id_: _with(room, named) for id_, room in self._plan.rooms.items()}

    def _named(self) -> Named:
        found: dict[tuple[str, Quantity], set[str]] = {}
        for gateway in self._picture.gateways().values():
            for info in gateway.devices:
                state = gateway.states.get(info.id)
                if info.kind != SENSOR or info.id in self._mentioned or state is None or state.zone != info.zone:
                    continue
                for quantity in state.values:
                    if quantity in SENSED:
                        found.setdefault((info.zone, quantity), set()).add(info.id)
        return {place: frozenset(devices) for place, devices in found.items()}


def _with(room: RoomPlan, named: Named) -> RoomPlan:
    nobody: frozenset[str] = frozenset()
    sensors = {
        quantity: room.sensors.get(quantity, nobody) | named.get((room.config.id, quantity), nobody)
        for quantity in SENSED
    }
    return replace(room, sensors={quantity: devices for quantity, devices in sensors.items() if devices})
