"""What is known of rooms: names and bands by config.toml, and which device measures what in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from carrel.contracts.telemetry import DeviceInfo, Quantity
from carrel.sections import RoomConfig
from environment.config import EnvironmentConfig
from server.rooms.picture import Picture
from server.settings import ServerSettings
from server.telemetry.store import Source

ALWAYS_SHOWN = (Quantity.TEMP, Quantity.RH, Quantity.LUX)
MEASURED = (*ALWAYS_SHOWN, Quantity.CO2)
"""What a room's value can be asked for."""
SENSED = (*MEASURED, Quantity.OCCUPANCY)
"""What a room's history can be asked for."""

SENSOR = "sensor"
"""The kind of device that measures its room; others have values that are none of the room's."""

ACTS = frozenset({Quantity.ON, Quantity.LEVEL, Quantity.POSITION, Quantity.SETPOINT})
"""What tells one of these is driven: the thermometer of an air conditioner is none of the room's."""

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

    @property
    def mentioned(self) -> Mapping[str, frozenset[Quantity]]:
        """What each sensor that config.toml names shall measure, wherever it stands."""
        found: dict[str, set[Quantity]] = {}
        for room in self.rooms.values():
            for quantity, devices in room.sensors.items():
                for device in devices:
                    found.setdefault(device, set()).add(quantity)
        return {device: frozenset(quantities) for device, quantities in found.items()}


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

    def measured(self, stored: Sequence[Source], quantity: Quantity) -> list[Source]:
        """What of everything that was ever stored of a room counts as the room's, whatever became of the device."""


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
    """Satisfies Plans. As on the gateway, a sensor of config.toml measures the room it was moved to, and one that
    config.toml does not mention measures all that it tells."""

    def __init__(self, plan: Plan, picture: Picture) -> None:
        self._plan = plan
        self._picture = picture
        self._mentioned = plan.mentioned
        self._rooms: tuple[int, Mapping[str, RoomPlan]] = (-1, plan.rooms)  # as of which layout; asked at each report

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
        layout = self._picture.layout
        known, rooms = self._rooms
        if known != layout:
            named, moved = self._named()
            rooms = self._plan.rooms
            if named or moved:
                rooms = {id_: _with(room, named, moved) for id_, room in rooms.items()}
            self._rooms = layout, rooms
        return rooms

    def measured(self, stored: Sequence[Source], quantity: Quantity) -> list[Source]:
        """What of everything that was ever stored of a room counts as the room's, whatever became of the device."""
        driven = {source.device for source in stored if source.quantity in ACTS}
        kinds = {info.id: info.kind for gateway in self._picture.gateways().values() for info in gateway.devices}

        def counts(device: str) -> bool:
            if device in self._mentioned:
                return quantity in self._mentioned[device]
            return kinds[device] == SENSOR if device in kinds else device not in driven

        return [source for source in stored if source.quantity is quantity and counts(source.device)]

    def _named(self) -> tuple[Named, Mapping[str, str]]:
        """Sensors that config.toml does not place where they are now, and where devices are that it mentions."""
        found: dict[tuple[str, Quantity], set[str]] = {}
        moved: dict[str, str] = {}
        for gateway in self._picture.gateways().values():
            for info in gateway.devices:
                wanted = self._mentioned.get(info.id)
                if wanted is not None and not self._is_moved(info):
                    continue
                if wanted is not None:
                    moved[info.id] = info.zone
                state = gateway.states.get(info.id)
                if state is None or state.zone != info.zone or (wanted is None and info.kind != SENSOR):
                    continue
                for quantity in state.values:
                    if quantity in (SENSED if wanted is None else wanted):
                        found.setdefault((info.zone, quantity), set()).add(info.id)
        return {place: frozenset(devices) for place, devices in found.items()}, moved

    def _is_moved(self, info: DeviceInfo) -> bool:
        room = self._plan.rooms.get(info.zone)
        return room is None or not any(info.id in devices for devices in room.sensors.values())


def _with(room: RoomPlan, named: Named, moved: Mapping[str, str]) -> RoomPlan:
    nobody: frozenset[str] = frozenset()
    sensors = {
        quantity: (room.sensors.get(quantity, nobody) - moved.keys()) | named.get((room.config.id, quantity), nobody)
        for quantity in SENSED
    }
    return replace(room, sensors={quantity: devices for quantity, devices in sensors.items() if devices})
