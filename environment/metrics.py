"""Climate and preservation formulas. Units: °C, % RH, hPa, years. Pure functions of their arguments.

Saturation pressure: Alduchov and Eskridge 1996, over water. EMC: Hailwood and Horrobin, wood constants.
PI and TWPI: Image Permanence Institute. Life multiplier: Michalski 2002. Critical RH: Hukka and Viitanen 1999.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, log
from typing import Final, Literal

ZERO_CELSIUS_K: Final = 273.15
GAS_CONSTANT: Final = 8.314
STANDARD_PRESSURE_PA: Final = 101_325.0
VAPOUR_GAS_CONSTANT: Final = 461.5

Material = Literal["paper", "varnish"]
MouldClass = Literal["very", "sensitive", "medium", "resistant"]

_ACTIVATION_J_PER_MOL: Final[dict[Material, float]] = {"paper": 100_000.0, "varnish": 70_000.0}
_MOULD_RH_FLOOR: Final[dict[MouldClass, float]] = {"very": 80.0, "sensitive": 80.0, "medium": 85.0, "resistant": 85.0}


@dataclass(frozen=True, slots=True)
class ClimateSpan:
    """A stretch of time with one mean climate."""

    hours: float
    temp: float
    rh: float


def saturation_pressure_hpa(temp: float) -> float:
    """Saturation vapour pressure over water in hPa; error under 0.4 % for -40..50 °C."""
    return 6.1094 * exp(17.625 * temp / (243.04 + temp))


def dew_point(temp: float, rh: float) -> float:
    """Dew point over water in °C; `rh` must be above 0."""
    gamma = log(rh / 100.0) + 17.625 * temp / (243.04 + temp)
    return 243.04 * gamma / (17.625 - gamma)


def rh_at_dew_point(temp: float, dew: float) -> float:
    """RH in % of air with the given dew point when brought to `temp`; 100 or more means condensation."""
    return 100.0 * saturation_pressure_hpa(dew) / saturation_pressure_hpa(temp)


def absolute_humidity(temp: float, rh: float) -> float:
    """Water in the air in g/m³."""
    vapour_pa = saturation_pressure_hpa(temp) * rh
    return 1000.0 * vapour_pa / (VAPOUR_GAS_CONSTANT * (temp + ZERO_CELSIUS_K))


def humidity_ratio(temp: float, rh: float, pressure_pa: float = STANDARD_PRESSURE_PA) -> float:
    """Water per dry air in kg/kg."""
    vapour_pa = saturation_pressure_hpa(temp) * rh
    return 0.621945 * vapour_pa / (pressure_pa - vapour_pa)


def equilibrium_moisture(temp: float, rh: float) -> float:
    """Equilibrium moisture content of wood in % of dry mass."""
    w = 349.0 + 1.29 * temp + 0.0135 * temp**2
    k = 0.805 + 0.000736 * temp - 0.00000273 * temp**2
    k1 = 6.27 - 0.00938 * temp - 0.000303 * temp**2
    k2 = 1.91 + 0.0407 * temp - 0.000293 * temp**2
    kh = k * rh / 100.0
    bound = (k1 * kh + 2.0 * k1 * k2 * kh**2) / (1.0 + k1 * kh + k1 * k2 * kh**2)
    return 1800.0 / w * (kh / (1.0 - kh) + bound)


def preservation_index(temp: float, rh: float) -> float:
    """Years until noticeable decay of organic material at a constant climate."""
    kelvin = temp + ZERO_CELSIUS_K
    return exp((95_220.0 - 134.9 * rh) / (GAS_CONSTANT * kelvin) + 0.0284 * rh - 28.023) / 365.0


def twpi(spans: Iterable[ClimateSpan]) -> float | None:
    """Time-weighted preservation index in years (harmonic); gaps are simply not passed in; None without any time."""
    hours = decay = 0.0
    for span in spans:
        hours += span.hours
        decay += span.hours / preservation_index(span.temp, span.rh)
    return hours / decay if decay > 0.0 else None


def life_multiplier(temp: float, rh: float, material: Material = "paper") -> float:
    """Chemical life relative to 20 °C and 50 % RH; `rh` must be above 0."""
    kelvin = temp + ZERO_CELSIUS_K
    energy = _ACTIVATION_J_PER_MOL[material]
    return math.pow(50.0 / rh, 1.3) * exp(energy / GAS_CONSTANT * (1.0 / kelvin - 1.0 / 293.15))


def mould_critical_rh(temp: float, mould_class: MouldClass = "very") -> float | None:
    """RH in % from which mould grows; None outside 0..50 °C, where it does not."""
    if not 0.0 < temp <= 50.0:
        return None
    floor = _MOULD_RH_FLOOR[mould_class]
    if temp > 20.0:
        return floor
    return max(floor, -0.00267 * temp**3 + 0.160 * temp**2 - 3.13 * temp + 100.0)
