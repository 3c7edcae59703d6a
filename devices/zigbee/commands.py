"""What is sent to a device for an order: cluster commands and attribute writes, in order. Pure."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from carrel.contracts.actuation import DeviceOrder, SetLevel, SetPosition, SetSwitch
from devices.orders import OrderResult, rejected
from devices.zigbee.clusters import (
    COOLING_SETPOINT,
    COVERING,
    FULL_LEVEL,
    LEVEL,
    ON_OFF,
    SYSTEM_MODE,
    THERMOSTAT,
)

GO_TO_LIFT = 0x05
OFF, ON = 0x00, 0x01  # never toggle: a repeat would flip it back
MOVE_TO_LEVEL_WITH_ON_OFF = 0x04
MODE_OFF, MODE_COOL = 0, 3


@dataclass(frozen=True, slots=True)
class ClusterCommand:
    """A cluster-specific command with its arguments in the standard's order."""

    cluster: int
    command: int
    arguments: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class AttributeWrite:
    """Attributes of one cluster, written in one frame: (attribute, raw value)."""

    cluster: int
    values: tuple[tuple[int, int], ...]


Step = ClusterCommand | AttributeWrite


def plan(
    order: DeviceOrder, clusters: Set[int], *, invert: bool = False, setpoint_c: float | None = None
) -> tuple[Step, ...] | OrderResult:
    """The steps for a device with these clusters, or why it cannot do it.

    `invert` is for coverings that count the other way; `setpoint_c` serves when the order names no setpoint.
    """
    if isinstance(order, SetPosition) and COVERING in clusters:
        return (ClusterCommand(COVERING, GO_TO_LIFT, (_lift(order.closed_pct, invert),)),)
    if isinstance(order, SetLevel):
        return _level(order.level_pct, clusters)
    if isinstance(order, SetSwitch) and THERMOSTAT in clusters:
        return (_thermostat(order, setpoint_c),)
    if isinstance(order, SetSwitch) and ON_OFF in clusters:
        return (ClusterCommand(ON_OFF, ON if order.on else OFF),)
    return _cannot(order)


def _level(level_pct: float, clusters: Set[int]) -> tuple[Step, ...] | OrderResult:
    """Without Level Control a fan only knows on and off."""
    if LEVEL in clusters:
        return (ClusterCommand(LEVEL, MOVE_TO_LEVEL_WITH_ON_OFF, (round(level_pct * FULL_LEVEL / 100), 0)),)
    if ON_OFF in clusters:
        return (ClusterCommand(ON_OFF, ON if level_pct > 0 else OFF),)
    return rejected("not_supported", "the device has neither Level Control nor On/Off")


def _lift(closed_pct: float, invert: bool) -> int:
    return round(100 - closed_pct if invert else closed_pct)


def _thermostat(order: SetSwitch, setpoint_c: float | None) -> AttributeWrite:
    """The setpoint first, so that a cooler never starts with yesterday's."""
    if not order.on:
        return AttributeWrite(THERMOSTAT, ((SYSTEM_MODE, MODE_OFF),))
    wanted_c = setpoint_c if order.setpoint_c is None else order.setpoint_c
    if wanted_c is None:
        return AttributeWrite(THERMOSTAT, ((SYSTEM_MODE, MODE_COOL),))
    return AttributeWrite(THERMOSTAT, ((COOLING_SETPOINT, round(wanted_c * 100)), (SYSTEM_MODE, MODE_COOL)))


def _cannot(order: DeviceOrder) -> OrderResult:
    return rejected("not_supported", f"the device has no cluster for {type(order).__name__}")
