"""Water in air and in wood. Saturation: Alduchov and Eskridge 1996, over water. EMC: Hailwood and Horrobin, wood.

Every function raises ValueError outside -50..100 °C and 0..100 % RH. Below 0 °C the dew point is over water too, so it
lies below the frost point.
"""

from math import exp, log
from typing import Final

from environment.preservation.limits import check, check_moist, check_rh, check_temp

ZERO_CELSIUS_K: Final = 273.15
STANDARD_PRESSURE_PA: Final = 101_325.0
VAPOUR_GAS_CONSTANT: Final = 461.5
WATER_TO_AIR: Final = 0.621945
"""Molar mass of water over that of dry air."""


def saturation_pressure_hpa(temp_c: float) -> float:
    """Saturation vapour pressure over water in hPa; error under 0.4 % for -40..50 °C."""
    return 6.1094 * exp(17.625 * temp_c / (243.04 + temp_c))


def dew_point(temp_c: float, rh_pct: float) -> float:
    """Dew point over water in °C; dry air (0 %) has none."""
    check_temp(temp_c)
    check_moist(rh_pct)
    gamma = log(rh_pct / 100.0) + 17.625 * temp_c / (243.04 + temp_c)
    return 243.04 * gamma / (17.625 - gamma)


def rh_from_dew_point(temp_c: float, dew_point_c: float) -> float:
    """RH in % of air with this dew point when brought to `temp_c`; 100 or more means condensation."""
    check_temp(temp_c)
    check("dew_point_c", dew_point_c, -120.0, 110.0, unit="°C")
    return 100.0 * saturation_pressure_hpa(dew_point_c) / saturation_pressure_hpa(temp_c)


def absolute_humidity(temp_c: float, rh_pct: float) -> float:
    """Water in the air in g/m³."""
    return 1000.0 * _vapour_pa(temp_c, rh_pct) / (VAPOUR_GAS_CONSTANT * (temp_c + ZERO_CELSIUS_K))


def humidity_ratio(temp_c: float, rh_pct: float, pressure_pa: float = STANDARD_PRESSURE_PA) -> float:
    """Water per dry air in kg/kg."""
    vapour_pa = _vapour_pa(temp_c, rh_pct)
    check("pressure_pa", pressure_pa, 10_000.0, 200_000.0, unit="Pa")
    if pressure_pa <= vapour_pa:
        raise ValueError(
            f"pressure_pa is {pressure_pa:g}, which the vapour alone exceeds: give more than {vapour_pa:g} Pa"
        )
    return WATER_TO_AIR * vapour_pa / (pressure_pa - vapour_pa)


def emc(temp_c: float, rh_pct: float) -> float:
    """Equilibrium moisture content of wood in % of dry mass; refuses less than -30 °C, where a constant turns over."""
    check("temp_c", temp_c, -30.0, 100.0, unit="°C")
    check_rh(rh_pct)
    w = 349.0 + 1.29 * temp_c + 0.0135 * temp_c**2
    k = 0.805 + 0.000736 * temp_c - 0.00000273 * temp_c**2
    k1 = 6.27 - 0.00938 * temp_c - 0.000303 * temp_c**2
    k2 = 1.91 + 0.0407 * temp_c - 0.000293 * temp_c**2
    kh = k * rh_pct / 100.0
    bound = (k1 * kh + 2.0 * k1 * k2 * kh**2) / (1.0 + k1 * kh + k1 * k2 * kh**2)
    return 1800.0 / w * (kh / (1.0 - kh) + bound)


def _vapour_pa(temp_c: float, rh_pct: float) -> float:
    """Vapour pressure; hPa times % is Pa."""
    check_temp(temp_c)
    check_rh(rh_pct)
    return saturation_pressure_hpa(temp_c) * rh_pct
