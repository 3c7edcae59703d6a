"""What particular models do otherwise than the standard: the table models.toml, and config.toml above it."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict

from carrel.contracts.network import DeviceKind
from devices.zigbee.config import ZigbeeDeviceConfig


class Traits(BaseModel):
    """One line of the table; the default is a device that keeps to the standard."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = ""
    manufacturer: str | None = None
    kind: DeviceKind | None = None
    lux: Literal["log", "linear"] = "log"
    invert: bool = False
    battery: Literal["half", "whole"] = "half"


STANDARD = Traits()


@cache
def table() -> tuple[Traits, ...]:
    """models.toml, read once."""
    text = files("devices.zigbee").joinpath("models.toml").read_text(encoding="utf-8")
    return tuple(Traits.model_validate(entry) for entry in tomllib.loads(text)["model"])


def traits_of(model: str, manufacturer: str, config: ZigbeeDeviceConfig | None = None) -> Traits:
    """A device's traits: its configuration above its model's line above the standard."""
    found = next((line for line in table() if _fits(line, model, manufacturer)), STANDARD)
    if config is None:
        return found
    own = {"invert": config.invert, "lux": config.lux, "battery": config.battery, "kind": config.kind}
    return found.model_copy(update={name: value for name, value in own.items() if value is not None})


def _fits(line: Traits, model: str, manufacturer: str) -> bool:
    return line.model == model and line.manufacturer in (None, manufacturer)
