"""`[zigbee]` of config.toml: the radio, and the devices that belong to it from the start."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from carrel.config import Section
from carrel.contracts.ids import DeviceId, RoomId
from carrel.contracts.network import DeviceKind
from devices.unique import refuse_repeats

Ieee = Annotated[str, StringConstraints(pattern=r"^([0-9a-fA-F]{2}:){7}[0-9a-fA-F]{2}$", to_lower=True)]
"""EUI-64, most significant byte first, as printed on the device."""

DETECTORS: frozenset[DeviceKind] = frozenset(("smoke", "flame"))
"""Kinds whose silence is a fault on the fire panel."""


class ZigbeeDeviceConfig(Section):
    """`[[zigbee.device]]`. `invert`, `lux` and `battery` override what models.toml says of the device's model;
    `setpoint_c` is written at switching on."""

    id: DeviceId
    ieee: Ieee
    zone: RoomId
    kind: DeviceKind
    invert: bool | None = None
    lux: Literal["log", "linear"] | None = None
    battery: Literal["half", "whole"] | None = None
    setpoint_c: float | None = Field(default=None, ge=5, le=35)


class ZigbeeConfig(Section):
    """An empty path means that the library has no radio."""

    kind: Literal["znp", "bellows"] = "znp"
    path: str = ""
    baud: int = Field(default=115200, ge=9600, le=1_000_000)
    database: Path = Path("var/zigbee.db")
    backups: Path = Path("var/backups/zigbee")
    form: bool = False
    join_at_start_s: int = Field(default=0, ge=0, le=254)
    device: tuple[ZigbeeDeviceConfig, ...] = ()

    @field_validator("device")
    @classmethod
    def _named_once(cls, value: tuple[ZigbeeDeviceConfig, ...]) -> tuple[ZigbeeDeviceConfig, ...]:
        refuse_repeats("id", [device.id for device in value])
        refuse_repeats("ieee", [device.ieee for device in value])
        return value
