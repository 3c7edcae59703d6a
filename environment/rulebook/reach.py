"""What a rule's conditions can reach: plausible values, sensor noise, and whether two rules can act together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from environment.config import ConditionConfig, RuleConfig, WindowConfig
from environment.hysteresis import Side
from environment.samples import PLAUSIBLE
from environment.schedule import DAYS

RANGES: Final[Mapping[str, tuple[float, float]]] = {
    **PLAUSIBLE,
    "dew_point": (-90.0, 85.0),
    "abs_humidity": (0.0, 360.0),
}
NOISE: Final[Mapping[str, float]] = {"temp": 0.2, "rh": 2.0, "dew_point": 0.4, "abs_humidity": 0.3, "co2": 30.0}
"""What a value wavers by itself: twice the noise of a usual sensor (0.1 K, 1 % RH), carried into derived values."""
LUX_NOISE: Final = 0.06
"""Twice 3 % of the value."""
DAY_MIN: Final = 1440
WEEK_MIN: Final = 7 * DAY_MIN
ALWAYS: Final = (1 << WEEK_MIN) - 1

Subject = tuple[str, str, str | None]
"""Zone, metric and what is taken off it."""


@dataclass(frozen=True, slots=True)
class Band:
    """A condition as its loosest: `limit` sets it, `back` clears it (for `equals` both are the value)."""

    subject: Subject
    side: Side
    limit: float
    back: float


def subject_of(zone: str, condition: ConditionConfig) -> Subject:
    """What a condition looks at."""
    return zone, condition.metric, condition.minus


def limit_of(condition: ConditionConfig) -> tuple[Side, float]:
    """Its side and limit, without shifts."""
    if condition.above is not None:
        return "above", condition.above
    if condition.below is not None:
        return "below", condition.below
    assert condition.equals is not None  # the configuration has exactly one limit
    return "equals", condition.equals


def band_of(zone: str, condition: ConditionConfig, shifts: Iterable[float] = ()) -> Band:
    """The condition with the shift that makes it true soonest."""
    side, limit = limit_of(condition)
    subject = subject_of(zone, condition)
    if side == "equals":
        return Band(subject, side, limit, limit)
    moved = [limit, *(limit + shift for shift in shifts)]
    if side == "above":
        return Band(subject, side, min(moved), min(moved) - condition.hysteresis)
    return Band(subject, side, max(moved), max(moved) + condition.hysteresis)


def bands_of(rule: RuleConfig) -> tuple[Band, ...]:
    """The condition and the guards of a rule."""
    own = band_of(rule.zone, rule.when, (shift.add for shift in rule.shift))
    return own, *(band_of(rule.zone, guard) for guard in rule.guard)


def range_of(condition: ConditionConfig) -> tuple[float, float]:
    """The values that can be compared at all."""
    low, high = RANGES[condition.metric]
    if condition.minus is None:
        return low, high
    other_low, other_high = RANGES[condition.minus.rpartition(".")[2]]
    return low - other_high, high - other_low


def noise_of(condition: ConditionConfig) -> float:
    """How far the compared value wavers by itself; 0 for what is counted."""
    side, limit = limit_of(condition)
    if side == "equals":
        return 0.0
    noise = LUX_NOISE * abs(limit) if condition.metric == "lux" else NOISE.get(condition.metric, 0.0)
    if condition.minus is None or condition.metric == "lux":
        return noise
    return max(noise, NOISE.get(condition.minus.rpartition(".")[2], 0.0))


def together(one: Band, other: Band) -> bool:
    """Whether two conditions can be true at the same time; different subjects always can."""
    if one.subject != other.subject:
        return True
    if one.side == "equals" or other.side == "equals":
        return _allows(one, other.limit) if other.side == "equals" else _allows(other, one.limit)
    if one.side == other.side:
        return True
    above, below = (one, other) if one.side == "above" else (other, one)
    return above.limit < below.back or below.limit > above.back


def both_act(one: RuleConfig, other: RuleConfig, *, but_for_gap: bool = False) -> bool:
    """Whether two rules can demand at the same time: conditions, guards and schedules.

    With `but_for_gap` the conditions themselves, which look at the same thing from both sides, need only have dead
    bands that overlap: then one takes over where the other has not yet let go.
    """
    if not week(one.schedule) & week(other.schedule):
        return False
    (mine, *guards), (theirs, *others) = bands_of(one), bands_of(other)
    if not all(together(a, b) for a in (mine, *guards) for b in (theirs, *others) if (a, b) != (mine, theirs)):
        return False
    return _overlap(mine, theirs) if but_for_gap else together(mine, theirs)


def week(windows: Iterable[WindowConfig]) -> int:
    """The minutes of the week that lie in any window, as bits; no window means always."""
    found, any_window = 0, False
    for window in windows:
        any_window = True
        start, end = _minutes(window.start), _minutes(window.end)
        length = end - start if end > start else end - start + DAY_MIN
        for day in window.days:
            first = DAYS.index(day) * DAY_MIN + start
            span = ((1 << length) - 1) << first
            found |= (span & ALWAYS) | (span >> WEEK_MIN)
    return found if any_window else ALWAYS


def _overlap(one: Band, other: Band) -> bool:
    above, below = (one, other) if one.side == "above" else (other, one)
    return above.back < below.back


def _allows(band: Band, value: float) -> bool:
    if band.side == "equals":
        return band.limit == value
    return value > band.back if band.side == "above" else value < band.back


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)
