"""`[[modbus]]` of config.toml: one I/O module."""

from __future__ import annotations

from typing import Self

from pydantic import Field, field_validator, model_validator

from carrel.config import Section
from carrel.contracts.ids import Slug
from devices.modbus.map import MODULE_MAPS
from devices.unique import refuse_repeats

RTU_SCHEME = "rtu:"
NETWORK_SCHEMES = ("tcp://", "rtu+tcp://")


class ModbusConfig(Section):
    """Names of points are unique within a module; their numbers are those of its maker, from 0."""

    id: Slug
    url: str
    map: str
    unit: int = Field(default=1, ge=1, le=247)
    baud: int = Field(default=9600, ge=1200, le=115200)
    poll_ms: int = Field(default=100, ge=20, le=10_000)
    inputs: dict[Slug, int] = Field(default_factory=dict)
    outputs: dict[Slug, int] = Field(default_factory=dict)

    @field_validator("url")
    @classmethod
    def _known_transport(cls, value: str) -> str:
        if not value.startswith((RTU_SCHEME, *NETWORK_SCHEMES)):
            raise ValueError("use rtu:/dev/..., rtu+tcp://host:port or tcp://host:port")
        if value.startswith(NETWORK_SCHEMES) and not value.rpartition(":")[2].isdecimal():
            raise ValueError("the port is missing: use rtu+tcp://host:port or tcp://host:port")
        return value

    @field_validator("map")
    @classmethod
    def _known_map(cls, value: str) -> str:
        if value not in MODULE_MAPS:
            raise ValueError(f"no such register map; there are: {', '.join(sorted(MODULE_MAPS))}")
        return value

    @model_validator(mode="after")
    def _points_exist(self) -> Self:
        module = MODULE_MAPS[self.map]
        for kind, points, count in (
            ("input", self.inputs, module.inputs.count),
            ("output", self.outputs, module.outputs.count),
        ):
            refuse_repeats(f"{kind} number", points.values())
            for name, number in points.items():
                if not 0 <= number < count:
                    raise ValueError(f"{kind} '{name}' = {number}: {self.map} has {kind}s 0 to {count - 1}")
        return self
