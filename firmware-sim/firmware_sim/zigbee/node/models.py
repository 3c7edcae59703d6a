"""Device classes as data: endpoint, clusters and attributes (Zigbee cluster library 8, home automation profile)."""

from dataclasses import dataclass, field
from typing import Final, Literal

from firmware_sim.zigbee import zcl

PROFILE: Final = 0x0104
ENDPOINT: Final = 1
MANUFACTURER: Final = "Carrel-Sim"
MANUFACTURER_CODE: Final = 0xFFF1  # set aside for tests; some hosts treat 0, 0x1002 and 0x120B in ways of their own

BASIC: Final = 0x0000
IDENTIFY: Final = 0x0003
ON_OFF: Final = 0x0006
LEVEL: Final = 0x0008
OTA: Final = 0x0019
WINDOW_COVERING: Final = 0x0102
THERMOSTAT: Final = 0x0201
ILLUMINANCE: Final = 0x0400
TEMPERATURE: Final = 0x0402
HUMIDITY: Final = 0x0405

Kind = Literal["th", "light", "curtain", "ac", "vent"]


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
    """One device class."""

    name: str
    kind: Kind
    device_id: int
    router: bool
    server: dict[int, dict[int, Attribute]]
    client: dict[int, dict[int, Attribute]] = field(default_factory=dict)


def _basic(model: str) -> dict[int, Attribute]:
    return {
        0x0000: Attribute(zcl.UINT8, 3),
        0x0001: Attribute(zcl.UINT8, 1),
        0x0002: Attribute(zcl.UINT8, 2),
        0x0003: Attribute(zcl.UINT8, 1),
        0x0004: Attribute(zcl.STRING, MANUFACTURER),
        0x0005: Attribute(zcl.STRING, model),
        0x0006: Attribute(zcl.STRING, "20260301"),
        0x0007: Attribute(zcl.ENUM8, 1),
        0x4000: Attribute(zcl.STRING, "1.0.0"),
    }


def _model(name: str, kind: Kind, device_id: int, *, router: bool, clusters: dict[int, dict[int, Attribute]]) -> Model:
    common = {BASIC: _basic(name), IDENTIFY: {0x0000: Attribute(zcl.UINT16, 0, writable=True)}}
    client = {OTA: {0x0002: Attribute(zcl.UINT32, 0x01000000)}}
    return Model(name, kind, device_id, router=router, server=common | clusters, client=client)


TH: Final = _model(
    "SIM-TH",
    "th",
    0x0302,
    router=False,
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
    router=False,
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
            0x0005: Attribute(zcl.INT16, 1600),
            0x0006: Attribute(zcl.INT16, 3200),
            0x0011: Attribute(zcl.INT16, 2600, reportable=True, writable=True, allowed=range(1600, 3201), kept=True),
            0x0017: Attribute(zcl.INT16, 1600),
            0x0018: Attribute(zcl.INT16, 3200),
            0x001B: Attribute(zcl.ENUM8, 0),
            0x001C: Attribute(zcl.ENUM8, 0, reportable=True, writable=True, allowed=frozenset((0, 3)), kept=True),
            0x0029: Attribute(zcl.BITMAP16, 0, reportable=True),
        },
    },
)
VENT: Final = _model(
    "SIM-VENT",
    "vent",
    0x0003,
    router=True,
    clusters={
        ON_OFF: {
            0x0000: Attribute(zcl.BOOL, 0, reportable=True, kept=True),
            0x4001: Attribute(zcl.UINT16, 0, writable=True),
            0x4002: Attribute(zcl.UINT16, 0, writable=True),
            0x4003: Attribute(zcl.ENUM8, 0xFF, writable=True, allowed=frozenset((0, 1, 2, 0xFF)), kept=True),
        },
        LEVEL: {
            0x0000: Attribute(zcl.UINT8, 254, reportable=True, kept=True),
            0x0001: Attribute(zcl.UINT16, 0),
        },
    },
)
