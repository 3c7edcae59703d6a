"""Device classes as data: endpoint, clusters and attributes (Zigbee cluster library 8, home automation profile)."""

import math
from dataclasses import dataclass, field
from typing import Final, Literal

from firmware_sim.zigbee import zcl

PROFILE: Final = 0x0104
ENDPOINT: Final = 1
MANUFACTURER: Final = "Carrel-Sim"
MANUFACTURER_CODE: Final = 0xFFF1  # set aside for tests; some hosts treat 0, 0x1002 and 0x120B in ways of their own

BASIC: Final = 0x0000
POWER: Final = 0x0001
IDENTIFY: Final = 0x0003
ON_OFF: Final = 0x0006
LEVEL: Final = 0x0008
OTA: Final = 0x0019
POLL_CONTROL: Final = 0x0020
WINDOW_COVERING: Final = 0x0102
THERMOSTAT: Final = 0x0201
FAN: Final = 0x0202
ILLUMINANCE: Final = 0x0400
TEMPERATURE: Final = 0x0402
HUMIDITY: Final = 0x0405
OCCUPANCY: Final = 0x0406
CARBON_DIOXIDE: Final = 0x040D
MEASUREMENTS: Final = frozenset((ILLUMINANCE, TEMPERATURE, HUMIDITY, CARBON_DIOXIDE))
IAS_ZONE: Final = 0x0500
IAS_WARNING: Final = 0x0502
METERING: Final = 0x0702
ELECTRICAL: Final = 0x0B04

Kind = Literal["th", "light", "occupancy", "co2", "curtain", "ac", "vent", "plug", "smoke", "flame", "siren"]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: its start value and what a host may do with it. `allowed` limits what may be written."""

    type: int
    value: zcl.Value
    reportable: bool = False
    writable: bool = False
    allowed: range | frozenset[int] | None = None
    kept: bool = False  # survives a power cut

    def accepts(self, value: zcl.Value) -> bool:
        """Whether the value may be written."""
        return self.allowed is None or value in self.allowed


@dataclass(frozen=True, slots=True)
class Model:
    """One device class; a sleepy one runs on a battery and listens only when it polls its parent."""

    name: str
    kind: Kind
    device_id: int
    router: bool
    server: dict[int, dict[int, Attribute]]
    client: dict[int, dict[int, Attribute]] = field(default_factory=dict)
    sleepy: bool = False


def _basic(model: str, *, battery: bool) -> dict[int, Attribute]:
    return {
        0x0000: Attribute(zcl.UINT8, 3),
        0x0001: Attribute(zcl.UINT8, 1),
        0x0002: Attribute(zcl.UINT8, 2),
        0x0003: Attribute(zcl.UINT8, 1),
        0x0004: Attribute(zcl.STRING, MANUFACTURER),
        0x0005: Attribute(zcl.STRING, model),
        0x0006: Attribute(zcl.STRING, "20260301"),
        0x0007: Attribute(zcl.ENUM8, 3 if battery else 1),
        0x4000: Attribute(zcl.STRING, "1.0.0"),
    }


_SLEEPER: Final = {
    POWER: {
        0x0020: Attribute(zcl.UINT8, 30, reportable=True, kept=True),
        0x0021: Attribute(zcl.UINT8, 200, reportable=True, kept=True),
    },
    POLL_CONTROL: {  # quarters of a second
        0x0000: Attribute(zcl.UINT32, 14400, writable=True, allowed=range(0x6E0001), kept=True),
        0x0001: Attribute(zcl.UINT32, 20),
        0x0002: Attribute(zcl.UINT16, 1),
        0x0003: Attribute(zcl.UINT16, 40, writable=True, kept=True),
    },
}


def _model(
    name: str,
    kind: Kind,
    device_id: int,
    *,
    clusters: dict[int, dict[int, Attribute]],
    router: bool = False,
    sleepy: bool = False,
) -> Model:
    common = {BASIC: _basic(name, battery=sleepy), IDENTIFY: {0x0000: Attribute(zcl.UINT16, 0, writable=True)}}
    common |= _SLEEPER if sleepy else {}
    client = {OTA: {0x0002: Attribute(zcl.UINT32, 0x01000000)}}
    return Model(name, kind, device_id, router, server=common | clusters, client=client, sleepy=sleepy)


def _zone(kind: int) -> dict[int, Attribute]:
    """Attributes of an IAS zone (ZCL 8, 8.2.2.2)."""
    return {
        0x0000: Attribute(zcl.ENUM8, 0, kept=True),
        0x0001: Attribute(zcl.ENUM16, kind),
        0x0002: Attribute(zcl.BITMAP16, 0),
        0x0010: Attribute(zcl.IEEE, 0, writable=True, kept=True),
        0x0011: Attribute(zcl.UINT8, 0xFF, kept=True),
    }


def _on_off() -> dict[int, Attribute]:
    return {
        0x0000: Attribute(zcl.BOOL, 0, reportable=True, kept=True),
        0x4001: Attribute(zcl.UINT16, 0, writable=True),
        0x4002: Attribute(zcl.UINT16, 0, writable=True),
        0x4003: Attribute(zcl.ENUM8, 0xFF, writable=True, allowed=frozenset((0, 1, 2, 0xFF)), kept=True),
    }


TH: Final = _model(
    "SIM-TH",
    "th",
    0x0302,
    clusters={
        TEMPERATURE: {
            0x0000: Attribute(zcl.INT16, -0x8000, reportable=True),
            0x0001: Attribute(zcl.INT16, -4000),
            0x0002: Attribute(zcl.INT16, 8000),
        },
        HUMIDITY: {
            0x0000: Attribute(zcl.UINT16, 0xFFFF, reportable=True),
            0x0001: Attribute(zcl.UINT16, 0),
            0x0002: Attribute(zcl.UINT16, 10000),
        },
    },
)
LIGHT: Final = _model(
    "SIM-LUX",
    "light",
    0x0106,
    clusters={
        ILLUMINANCE: {
            0x0000: Attribute(zcl.UINT16, 0xFFFF, reportable=True),
            0x0001: Attribute(zcl.UINT16, 1),
            0x0002: Attribute(zcl.UINT16, 52000),
        },
    },
)
CURTAIN: Final = _model(
    "SIM-CURTAIN",
    "curtain",
    0x0202,
    router=True,
    clusters={
        WINDOW_COVERING: {
            0x0000: Attribute(zcl.ENUM8, 4),
            0x0007: Attribute(zcl.BITMAP8, 0x0B),
            0x0008: Attribute(zcl.UINT8, 0, reportable=True, kept=True),
            0x0017: Attribute(zcl.BITMAP8, 0),
        },
    },
)
AC: Final = _model(
    "SIM-AC",
    "ac",
    0x0301,
    router=True,
    clusters={
        THERMOSTAT: {
            0x0000: Attribute(zcl.INT16, -0x8000, reportable=True),
            0x0010: Attribute(zcl.INT8, 0, writable=True, allowed=range(-25, 26), kept=True),
            0x0005: Attribute(zcl.INT16, 1600),
            0x0006: Attribute(zcl.INT16, 3200),
            0x0011: Attribute(zcl.INT16, 2600, reportable=True, writable=True, allowed=range(1600, 3201), kept=True),
            0x0017: Attribute(zcl.INT16, 1600),
            0x0018: Attribute(zcl.INT16, 3200),
            0x001B: Attribute(zcl.ENUM8, 0),
            0x001C: Attribute(zcl.ENUM8, 0, reportable=True, writable=True, allowed=frozenset((0, 3, 7)), kept=True),
            0x0029: Attribute(zcl.BITMAP16, 0, reportable=True),
        },
        FAN: {
            0x0000: Attribute(
                zcl.ENUM8, 5, reportable=True, writable=True, allowed=frozenset((0, 1, 2, 3, 4, 5)), kept=True
            ),
            0x0001: Attribute(zcl.ENUM8, 2),  # low, medium, high, automatic
        },
    },
)
VENT: Final = _model(
    "SIM-VENT",
    "vent",
    0x0003,
    router=True,
    clusters={
        ON_OFF: _on_off(),
        LEVEL: {
            0x0000: Attribute(zcl.UINT8, 254, reportable=True, kept=True),
            0x0001: Attribute(zcl.UINT16, 0),
        },
    },
)
OCCUPANCY_SENSOR: Final = _model(
    "SIM-OCC",
    "occupancy",
    0x0107,
    sleepy=True,
    clusters={
        OCCUPANCY: {
            0x0000: Attribute(zcl.BITMAP8, 0, reportable=True),
            0x0001: Attribute(zcl.ENUM8, 0),
            0x0002: Attribute(zcl.BITMAP8, 1),
            0x0010: Attribute(zcl.UINT16, 30, writable=True, kept=True),
        },
    },
)
CO2: Final = _model(
    "SIM-CO2",
    "co2",
    0x0302,
    router=True,
    clusters={
        CARBON_DIOXIDE: {
            0x0000: Attribute(zcl.SINGLE, math.nan, reportable=True),
            0x0001: Attribute(zcl.SINGLE, 0.0),
            0x0002: Attribute(zcl.SINGLE, 0.005),
        },
    },
)
PLUG: Final = _model(
    "SIM-PLUG",
    "plug",
    0x0051,
    router=True,
    clusters={
        ON_OFF: _on_off(),
        METERING: {
            0x0000: Attribute(zcl.UINT48, 0, reportable=True, kept=True),
            0x0200: Attribute(zcl.BITMAP8, 0),
            0x0300: Attribute(zcl.ENUM8, 0),  # kWh
            0x0301: Attribute(zcl.UINT24, 1),
            0x0302: Attribute(zcl.UINT24, 1000),
            0x0303: Attribute(zcl.BITMAP8, 0x2B),
            0x0306: Attribute(zcl.BITMAP8, 0),
        },
        ELECTRICAL: {
            0x0000: Attribute(zcl.BITMAP32, 9),
            0x050B: Attribute(zcl.INT16, 0, reportable=True),
            0x0604: Attribute(zcl.UINT16, 1),
            0x0605: Attribute(zcl.UINT16, 1),
        },
    },
)
FIRE: Final = 0x0028
WARNING_DEVICE: Final = 0x0225
SMOKE: Final = _model("SIM-SMOKE", "smoke", 0x0402, sleepy=True, clusters={IAS_ZONE: _zone(FIRE)})
FLAME: Final = _model("SIM-FLAME", "flame", 0x0402, sleepy=True, clusters={IAS_ZONE: _zone(FIRE)})
SIREN: Final = _model(
    "SIM-SIREN",
    "siren",
    0x0403,
    router=True,
    clusters={
        IAS_ZONE: _zone(WARNING_DEVICE),
        IAS_WARNING: {0x0000: Attribute(zcl.UINT16, 240, writable=True, kept=True)},
    },
)
MODELS: Final = {
    model.name: model for model in (TH, LIGHT, OCCUPANCY_SENSOR, CO2, CURTAIN, AC, VENT, PLUG, SMOKE, FLAME, SIREN)
}
