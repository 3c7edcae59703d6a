"""Measured values: the latest state of a device, and batches for the store."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime, Field

from carrel.contracts.base import Contract
from carrel.contracts.ids import Count, DeviceId, RoomId


class Quantity(StrEnum):
    """What a value measures; the unit is fixed by UNITS."""

    TEMP = "temp"
    RH = "rh"
    LUX = "lux"
    CO2 = "co2"
    OCCUPANCY = "occupancy"
    BATTERY = "battery"
    POSITION = "position"
    ON = "on"
    LEVEL = "level"
    SETPOINT = "setpoint"
    POWER = "power"
    ENERGY = "energy"


UNITS: dict[Quantity, str] = {
    Quantity.TEMP: "°C",
    Quantity.RH: "%",
    Quantity.LUX: "lx",
    Quantity.CO2: "ppm",
    Quantity.OCCUPANCY: "",
    Quantity.BATTERY: "%",
    Quantity.POSITION: "%",
    Quantity.ON: "",
    Quantity.LEVEL: "%",
    Quantity.SETPOINT: "°C",
    Quantity.POWER: "W",
    Quantity.ENERGY: "kWh",
}
"""POSITION is per cent closed (0 open, 100 closed); LEVEL is per cent of full output; ENERGY is what a meter shows: it
only rises, unless the meter begins anew."""


class Reading(Contract):
    """One measured value of one device, in the unit of its quantity."""

    device: DeviceId
    zone: RoomId
    quantity: Quantity
    value: float = Field(allow_inf_nan=False)
    at: AwareDatetime


class DeviceState(Contract):
    """Everything last known of a device; `at` holds the time of each value's own report."""

    ts: AwareDatetime
    seq: int
    zone: RoomId
    values: dict[Quantity, float]
    at: dict[Quantity, AwareDatetime]


class DeviceInfo(Contract):
    """What a device is: `kind` is one of sensor, curtain, ac, vent, io, pad."""

    id: DeviceId
    zone: RoomId
    kind: str
    model: str = ""
    simulated: bool = False


class DeviceList(Contract):
    """All devices of a gateway."""

    devices: tuple[DeviceInfo, ...]


class TelemetryPoint(Contract):
    """One row for the store."""

    ts: AwareDatetime
    device: DeviceId
    zone: RoomId
    quantity: Quantity
    value: float = Field(allow_inf_nan=False)


class TelemetryBatch(Contract):
    """Consecutive rows `first` .. `first + len(points) - 1` of the gateway's durable log."""

    session: Count
    first: Count
    points: tuple[TelemetryPoint, ...]


class StoredAck(Contract):
    """The server has stored everything up to and including `seq`."""

    session: Count
    seq: Count
