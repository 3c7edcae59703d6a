"""What Carrel understands of Zigbee clusters: one description per attribute, as data. Pure.

ZCL 8 chapters 3 (general), 4 (measurement), 6 (HVAC) and 7 (closures).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

from carrel.contracts.telemetry import Quantity

POWER = 0x0001
ON_OFF = 0x0006
LEVEL = 0x0008
COVERING = 0x0102
THERMOSTAT = 0x0201
ILLUMINANCE = 0x0400
TEMPERATURE = 0x0402
HUMIDITY = 0x0405
OCCUPANCY = 0x0406
CO2 = 0x040D
IAS_ZONE = 0x0500
IAS_WARNING = 0x0502
METERING = 0x0702
ELECTRICAL = 0x0B04

COOLING_SETPOINT = 0x0011
SYSTEM_MODE = 0x001C
LIFT_PERCENTAGE = 0x0008

FULL_LEVEL = 254
"""Greatest value of Level Control; 255 is invalid."""


@dataclass(frozen=True, slots=True)
class Reporting:
    """When a device reports: at a change of `change` raw units, not before `min_s`, at the latest after `max_s`."""

    min_s: int
    max_s: int
    change: float = 0


@dataclass(frozen=True, slots=True)
class Scale:
    """Attributes of the same cluster by which each device tells what its raw values count: value = raw * multiplier /
    divisor, where the enumeration `unit`, if there is one, says `unit_value`."""

    multiplier: int
    divisor: int
    unit: int | None = None
    unit_value: int = 0

    @property
    def attributes(self) -> tuple[int, ...]:
        """All of them."""
        return (self.multiplier, self.divisor) if self.unit is None else (self.multiplier, self.divisor, self.unit)


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of one cluster: what it measures, how its raw value becomes one, and which values mean unknown.

    Where a device tells its own `scale`, the change that is worth a report is in the quantity's unit.
    """

    cluster: int
    attribute: int
    quantity: Quantity
    convert: Callable[[float], float]
    reporting: Reporting
    invalid: frozenset[int] = frozenset()
    invertible: bool = False
    scale: Scale | None = None

    def read(
        self, raw: float, *, invert: bool = False, convert: Callable[[float], float] | None = None
    ) -> float | None:
        """The value in the quantity's unit; None when the device says that it does not know. `convert` is for models
        that count otherwise than the standard."""
        if raw in self.invalid or not isfinite(raw):
            return None
        value = (convert or self.convert)(raw)
        return 100.0 - value if invert and self.invertible else value


def _hundredths(raw: float) -> float:
    return raw / 100


def _lux(raw: float) -> float:
    """0 is too dark to measure, which is a value; otherwise 10000 log10(lux) + 1."""
    return round(10 ** ((raw - 1) / 10000), 2) if raw else 0.0


def _per_cent(raw: float) -> float:
    return float(min(raw, 100))


def _level(raw: float) -> float:
    return round(min(raw, FULL_LEVEL) * 100 / FULL_LEVEL, 1)


def _half_per_cent(raw: float) -> float:
    return raw / 2


def whole_per_cent(raw: float) -> float:
    """Batteries of models that do not count in halves."""
    return float(min(raw, 100))


def _switch(raw: float) -> float:
    return 1.0 if raw else 0.0


def _occupied(raw: float) -> float:
    return float(int(raw) & 1)


def _parts_per_million(raw: float) -> float:
    return round(raw * 1e6, 1)


INVALID_U8 = frozenset({0xFF})
INVALID_U16 = frozenset({0xFFFF})
INVALID_S16 = frozenset({-0x8000, 0x8000})  # signed by its type; some libraries hand it on unsigned

INVALID_U48 = frozenset({0xFFFF_FFFF_FFFF})

_MEASURED = 0x0000

ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute(TEMPERATURE, _MEASURED, Quantity.TEMP, _hundredths, Reporting(10, 300, 20), INVALID_S16),
    Attribute(HUMIDITY, _MEASURED, Quantity.RH, _hundredths, Reporting(10, 300, 100), INVALID_U16),
    # 500 log units are about 12 %: a difference of logarithms is a ratio.
    Attribute(ILLUMINANCE, _MEASURED, Quantity.LUX, _lux, Reporting(5, 300, 500), INVALID_U16),
    Attribute(OCCUPANCY, _MEASURED, Quantity.OCCUPANCY, _occupied, Reporting(0, 300)),
    # A fraction of one, as a float; 50 ppm.
    Attribute(CO2, _MEASURED, Quantity.CO2, _parts_per_million, Reporting(10, 300, 0.00005)),
    Attribute(
        COVERING, LIFT_PERCENTAGE, Quantity.POSITION, _per_cent, Reporting(1, 600, 1), INVALID_U8, invertible=True
    ),
    Attribute(THERMOSTAT, 0x0000, Quantity.TEMP, _hundredths, Reporting(5, 600, 20), INVALID_S16),
    Attribute(THERMOSTAT, COOLING_SETPOINT, Quantity.SETPOINT, _hundredths, Reporting(0, 600, 10), INVALID_S16),
    Attribute(THERMOSTAT, SYSTEM_MODE, Quantity.ON, _switch, Reporting(0, 600)),
    Attribute(ON_OFF, 0x0000, Quantity.ON, _switch, Reporting(0, 600)),
    Attribute(LEVEL, 0x0000, Quantity.LEVEL, _level, Reporting(1, 600, 3), INVALID_U8),
    Attribute(
        ELECTRICAL, 0x050B, Quantity.POWER, float, Reporting(10, 600, 5), INVALID_S16, scale=Scale(0x0604, 0x0605)
    ),
    Attribute(
        METERING,
        0x0000,
        Quantity.ENERGY,
        float,
        Reporting(60, 600, 0.01),
        INVALID_U48,
        scale=Scale(0x0301, 0x0302, unit=0x0300),  # 0 is kWh; a plug that counts water has no reading
    ),
    Attribute(POWER, 0x0021, Quantity.BATTERY, _half_per_cent, Reporting(3600, 21600, 2), INVALID_U8),
)

BY_CLUSTER: dict[int, dict[int, Attribute]] = {}
for _description in ATTRIBUTES:
    BY_CLUSTER.setdefault(_description.cluster, {})[_description.attribute] = _description
