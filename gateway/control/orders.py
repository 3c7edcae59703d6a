"""An actuator's value -> the order its kind of device understands. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from carrel.contracts.actuation import DeviceOrder, SetLevel, SetOutput, SetPosition, SetSwitch
from carrel.contracts.telemetry import Quantity

Kind = Literal["curtain", "ac", "vent", "other"]

REPORTED: dict[Kind, Quantity] = {
    "curtain": Quantity.POSITION,
    "ac": Quantity.ON,
    "vent": Quantity.LEVEL,
    "other": Quantity.ON,
}
"""The quantity by which a device of this kind tells where it is."""


@dataclass(frozen=True, slots=True)
class ControlledDevice:
    """A device that carries out orders."""

    id: str
    kind: Kind
    setpoint_c: float | None = None


def order_for(device: ControlledDevice, value: float) -> DeviceOrder:
    """The order that brings a device to a value: 0/1 for a switch, per cent for a level."""
    match device.kind:
        case "curtain":
            return SetPosition(device=device.id, closed_pct=value)
        case "vent":
            return SetLevel(device=device.id, level_pct=value)
        case "ac":
            on = value >= 0.5
            return SetSwitch(device=device.id, on=on, setpoint_c=device.setpoint_c if on else None)
        case "other":
            return SetSwitch(device=device.id, on=value >= 0.5)


def percent_of(order: DeviceOrder) -> float:
    """Where an order wants a device: per cent, and 0 or 100 for what is off or on."""
    match order:
        case SetPosition():
            return order.closed_pct
        case SetLevel():
            return order.level_pct
        case SetSwitch() | SetOutput():
            return 100.0 if order.on else 0.0


def target_of(order: DeviceOrder) -> str:
    """The output an order is for."""
    return order.output if isinstance(order, SetOutput) else order.device
