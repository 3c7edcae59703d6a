"""Chemical decay. PI and TWPI: Image Permanence Institute. Life multiplier: Michalski 2002."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp
from typing import Final

from environment.preservation.limits import check, check_hours, check_moist, check_rh, check_temp
from environment.preservation.moisture import ZERO_CELSIUS_K

GAS_CONSTANT: Final = 8.314
DAYS_A_YEAR: Final = 365.0
PAPER_EA_J_MOL: Final = 100_000.0
"""Activation energy of the decay of paper; varnish has 70,000."""


@dataclass(frozen=True, slots=True)
class ClimateSpan:
    """A stretch of time with one mean climate: hours, °C, % RH."""

    hours: float
    temp_c: float
    rh_pct: float


def pi(temp_c: float, rh_pct: float) -> float:
    """Preservation Index: years until noticeable decay of organic material at a constant climate."""
    check_temp(temp_c)
    check_rh(rh_pct)
    energy = (95_220.0 - 134.9 * rh_pct) / (GAS_CONSTANT * (temp_c + ZERO_CELSIUS_K))
    return exp(energy + 0.0284 * rh_pct - 28.023) / DAYS_A_YEAR


def twpi(spans: Iterable[ClimateSpan]) -> float | None:
    """Time-weighted preservation index in years (harmonic); gaps are simply not passed in; None without any time."""
    hours = decay = 0.0
    for span in spans:
        check_hours(span.hours)
        hours += span.hours
        decay += span.hours / pi(span.temp_c, span.rh_pct)
    return hours / decay if decay > 0.0 else None


def life_multiplier(temp_c: float, rh_pct: float, ea_j_mol: float = PAPER_EA_J_MOL) -> float:
    """Chemical life relative to 20 °C and 50 % RH."""
    check_temp(temp_c)
    check_moist(rh_pct)
    check("ea_j_mol", ea_j_mol, 0.0, 1_000_000.0, unit="J/mol")
    warmth = 1.0 / (temp_c + ZERO_CELSIUS_K) - 1.0 / (20.0 + ZERO_CELSIUS_K)
    return float((50.0 / rh_pct) ** 1.3 * exp(ea_j_mol / GAS_CONSTANT * warmth))
