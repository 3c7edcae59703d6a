"""The range in which the formulas are used; outside it a ValueError says what to give."""

from typing import Final

COLDEST_C: Final = -50.0
HOTTEST_C: Final = 100.0
LONGEST_H: Final = 1_000_000.0
"""A century is 876,600 hours; more is a mistake in the unit."""


def check(name: str, value: float, low: float, high: float, *, unit: str) -> None:
    """Refuse a value outside low..high, and NaN."""
    if not low <= value <= high:
        raise ValueError(f"{name} is {value:g}: give a number from {low:g} to {high:g}{unit and ' '}{unit}")


def check_temp(temp_c: float) -> None:
    """Refuse a temperature outside -50..100 °C."""
    check("temp_c", temp_c, COLDEST_C, HOTTEST_C, unit="°C")


def check_rh(rh_pct: float) -> None:
    """Refuse a relative humidity outside 0..100 %."""
    check("rh_pct", rh_pct, 0.0, 100.0, unit="%")


def check_moist(rh_pct: float) -> None:
    """Refuse a relative humidity outside 0..100 %, and 0, where a logarithm or quotient has no value."""
    check_rh(rh_pct)
    if rh_pct == 0.0:
        raise ValueError("rh_pct is 0: this formula needs some water in the air, give a number above 0 up to 100 %")


def check_hours(hours: float) -> None:
    """Refuse negative time, and more than a century."""
    check("hours", hours, 0.0, LONGEST_H, unit="h")
