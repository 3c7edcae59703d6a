"""The network as NetworkState tells it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

from zigpy.application import ControllerApplication
from zigpy.device import ZigbeeDevice

from carrel.contracts.network import DeviceKind, NetworkDevice
from carrel.contracts.telemetry import Quantity
from devices.zigbee.clusters import (
    CO2,
    COVERING,
    HUMIDITY,
    IAS_WARNING,
    ILLUMINANCE,
    LEVEL,
    OCCUPANCY,
    ON_OFF,
    TEMPERATURE,
    THERMOSTAT,
)
from devices.zigbee.member import Member
from devices.zigbee.models import traits_of

STEPS_SHOWN = timedelta(minutes=15)
"""So long the steps of a finished way in are told; afterwards they would only make the message long."""

KINDS: tuple[tuple[int, DeviceKind], ...] = (
    (IAS_WARNING, "siren"),
    (COVERING, "curtain"),
    (THERMOSTAT, "ac"),
    (LEVEL, "vent"),
    (ON_OFF, "plug"),
    (TEMPERATURE, "sensor"),
    (HUMIDITY, "sensor"),
    (ILLUMINANCE, "sensor"),
    (OCCUPANCY, "sensor"),
    (CO2, "sensor"),
)
"""What a device with this cluster mostly is; the first one counts."""

MemberState = Literal["awaited", "joining", "online", "silent", "left"]


def device_view(member: Member, app: ControllerApplication | None, now: datetime) -> NetworkDevice:
    """One device; while the radio is away, as it was last known."""
    found = app.devices.get(member.ieee) if app is not None else None
    device = found if isinstance(found, ZigbeeDevice) else None
    config = member.config
    seen = datetime.fromtimestamp(device.last_seen, UTC) if device and device.last_seen else member.last_seen
    member.last_seen = seen
    if device is not None:
        member.model, member.manufacturer = device.model or "", device.manufacturer or ""
    return NetworkDevice(
        ieee=str(member.ieee),
        id=config.id if config else None,
        zone=config.zone if config else None,
        kind=config.kind if config else _proposed(member),
        model=member.model,
        manufacturer=member.manufacturer,
        sleepy=sleeps(device),
        state=state_of(member, device),
        last_seen=seen,
        lqi=device.lqi if device else None,
        battery_pct=member.values.get(Quantity.BATTERY),
        silent=member.silent,
        steps=() if member.report.finished_before(now - STEPS_SHOWN) else member.report.steps,
    )


def _proposed(member: Member) -> DeviceKind | None:
    """What a device without a name seems to be; a person decides."""
    by_model = traits_of(member.model, member.manufacturer).kind
    return by_model or next((kind for cluster, kind in KINDS if cluster in member.clusters), None)


def state_of(member: Member, device: ZigbeeDevice | None) -> MemberState:
    """Where a device stands. While the radio is away `device` is None, and one that was met is as it was."""
    if member.left:
        return "left"
    if device is None and not member.met:
        return "awaited"
    if not member.met and not member.report.complete:
        return "joining"
    return "silent" if member.is_silent else "online"


def sleeps(device: ZigbeeDevice | None) -> bool:
    """Whether it listens only after it has spoken."""
    descriptor = device.node_desc if device is not None else None
    return descriptor is not None and not descriptor.is_receiver_on_when_idle
