"""The rating ladder: what a figure means in a word. Guidance, not compliance."""

from typing import Literal

Rating = Literal["good", "fair", "risk"]
MouldRating = Literal["good", "warn", "alarm"]


def rate_decay(years: float) -> Rating:
    """Chemical decay, by PI or TWPI in years."""
    if years >= 75.0:
        return "good"
    return "fair" if years >= 45.0 else "risk"


def rate_mechanical(emc_pct: float) -> Literal["good", "risk"]:
    """Mechanical damage (cracks, warping), by EMC in %."""
    return "good" if 5.0 <= emc_pct <= 12.5 else "risk"


def rate_corrosion(emc_pct: float) -> Rating:
    """Corrosion of metals (clasps, staples), by EMC in %."""
    if emc_pct < 7.0:
        return "good"
    return "fair" if emc_pct < 10.5 else "risk"


def rate_mould(index: float) -> MouldRating:
    """Mould, by index M: warn from growth under the microscope, alarm from growth that is seen."""
    if index < 1.0:
        return "good"
    return "warn" if index < 3.0 else "alarm"
