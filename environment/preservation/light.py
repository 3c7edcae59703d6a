"""Light dose and what a collection may take in a year (CIE 157 classes, as editable guidance)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from environment.preservation.limits import check, check_hours

Responsivity = Literal["high", "medium", "low"]
BRIGHTEST_LUX: Final = 200_000.0


@dataclass(frozen=True, slots=True)
class LightLimit:
    """Illuminance on display in lx and dose in lx·h a year."""

    lux: float
    dose_lux_h: float


LIGHT_LIMITS: Final[dict[Responsivity, LightLimit]] = {
    "high": LightLimit(50.0, 15_000.0),
    "medium": LightLimit(50.0, 150_000.0),
    "low": LightLimit(200.0, 600_000.0),
}


def light_dose(intervals_h_lux: Iterable[tuple[float, float]]) -> float:
    """Dose in lx·h of (hours, lux) stretches."""
    dose = 0.0
    for hours, lux in intervals_h_lux:
        check_hours(hours)
        check("lux", lux, 0.0, BRIGHTEST_LUX, unit="lx")
        dose += hours * lux
    return dose


def year_end_dose(dose_lux_h: float, elapsed_days: float) -> float:
    """The dose at the year's end if light goes on as in the days so far; alarm on this, not only on the total."""
    check("dose_lux_h", dose_lux_h, 0.0, BRIGHTEST_LUX * 1_000_000.0, unit="lx·h")
    check("elapsed_days", elapsed_days, 0.0, 36_600.0, unit="days")
    if elapsed_days == 0.0:
        raise ValueError("elapsed_days is 0: nothing can be projected from no time, give a number above 0")
    return dose_lux_h * 365.0 / elapsed_days
