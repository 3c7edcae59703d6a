"""Preservation figures of one zone over a time series with gaps: gaps are left out, and how much was known is said."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from environment.preservation.chemistry import ClimateSpan, pi, twpi
from environment.preservation.light import BRIGHTEST_LUX, light_dose, year_end_dose
from environment.preservation.moisture import emc
from environment.preservation.mould import MouldState, mould_critical_rh, mould_step

COLDEST_C: Final = -30.0
HOTTEST_C: Final = 85.0
SHORTEST_H: Final = 1.0 / 3600.0
"""Less than a second of an hour is nothing known."""


@dataclass(frozen=True, slots=True)
class HourRow:
    """Means of one hour of the period; None is unknown, `coverage` the known fraction of the hour (0..1)."""

    hour: int
    temp_c: float | None = None
    rh_pct: float | None = None
    lux: float | None = None
    coverage: float = 1.0


@dataclass(frozen=True, slots=True)
class Figure:
    """A value (None: nothing known) and the fraction of the period it rests on."""

    value: float | None
    coverage: float


@dataclass(frozen=True, slots=True)
class ZoneFigures:
    """Years, %, hours and lx·h of one zone and period. `mould` carries on into the next period."""

    pi_now: Figure
    twpi: Figure
    emc_mean: Figure
    mould_index: Figure
    hours_over_critical: Figure
    light_dose: Figure
    light_year_end: Figure
    mould: MouldState


def zone_figures(
    rows: Sequence[HourRow], hours: int, mould_class: str = "very", mould: MouldState | None = None
) -> ZoneFigures:
    """Figures of a period of `hours` hours (rows numbered from 0, oldest first; hours without a row are gaps).

    The mould index stands still during gaps. A value outside what the formulas allow counts as unknown.
    `pi_now` is that of the last hour. The light of a year is projected from the hours known.
    """
    if any(later.hour <= row.hour for row, later in pairwise(rows)):
        raise ValueError("rows must be in order of their hour, one an hour")
    if rows and not 0 <= rows[0].hour <= rows[-1].hour < hours:
        raise ValueError(f"rows must be of hours 0 to {hours - 1}")
    climate = [span for row in rows if (span := _span(row)) is not None]
    known = sum(span.hours for span in climate) / hours if hours else 0.0
    newest = _span(rows[-1]) if rows and rows[-1].hour == hours - 1 else None
    dose, year_end = light_figures(rows, hours)
    index, over = _mould(climate, mould_class, mould or MouldState())
    return ZoneFigures(
        pi_now=Figure(pi(newest.temp_c, newest.rh_pct), newest.hours) if newest else Figure(None, 0.0),
        twpi=Figure(twpi(climate), known),
        emc_mean=Figure(_mean_emc(climate), known),
        mould_index=Figure(index.index if known else None, known),
        hours_over_critical=Figure(over if known else None, known),
        light_dose=dose,
        light_year_end=year_end,
        mould=index,
    )


def light_figures(rows: Sequence[HourRow], hours: int) -> tuple[Figure, Figure]:
    """Dose in lx·h of a period of `hours` hours, and that of a year at the same rate, from the hours known."""
    light = [span for row in rows if (span := _lit(row)) is not None]
    known = sum(part for part, _ in light)
    if not known:
        return Figure(None, 0.0), Figure(None, 0.0)
    dose = light_dose(light)
    return Figure(dose, known / hours), Figure(year_end_dose(dose, known / 24.0), known / hours)


def _span(row: HourRow) -> ClimateSpan | None:
    """The known part of an hour, or None when its climate is unknown."""
    if row.temp_c is None or row.rh_pct is None or not SHORTEST_H <= row.coverage <= 1.0:
        return None
    if not (COLDEST_C <= row.temp_c <= HOTTEST_C and 0.0 <= row.rh_pct <= 100.0):
        return None
    return ClimateSpan(row.coverage, row.temp_c, row.rh_pct)


def _lit(row: HourRow) -> tuple[float, float] | None:
    """The known part of an hour and its light, or None when unknown."""
    if row.lux is None or not (0.0 <= row.lux <= BRIGHTEST_LUX and SHORTEST_H <= row.coverage <= 1.0):
        return None
    return row.coverage, row.lux


def _mean_emc(climate: Sequence[ClimateSpan]) -> float | None:
    hours = sum(span.hours for span in climate)
    if not hours:
        return None
    return sum(span.hours * emc(span.temp_c, span.rh_pct) for span in climate) / hours


def _mould(climate: Sequence[ClimateSpan], mould_class: str, state: MouldState) -> tuple[MouldState, float]:
    """The state at the end, and the hours in which mould could grow."""
    over = 0.0
    for span in climate:
        limit = mould_critical_rh(span.temp_c, mould_class)
        if limit is not None and span.rh_pct >= limit:
            over += span.hours
        state = mould_step(state, span.temp_c, span.rh_pct, mould_class, hours=span.hours)
    return state, over
