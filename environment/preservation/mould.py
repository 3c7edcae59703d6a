"""Mould: critical RH and index M of Hukka and Viitanen 1999, hourly Euler steps; lowest isoline of Zeng 2023.

The model is of pine sapwood (W = SQ = 0). For paper and leather use class "very" or "sensitive".
"""

from dataclasses import dataclass
from math import cosh, exp, log
from typing import Final, Literal, get_args

from environment.preservation.limits import check, check_hours, check_rh, check_temp

MouldClass = Literal["very", "sensitive", "medium", "resistant"]
MOULD_CLASSES: Final[tuple[MouldClass, ...]] = get_args(MouldClass)
HIGHEST_INDEX: Final = 6.0


@dataclass(frozen=True, slots=True)
class _Constants:
    """Lowest critical RH; speed below and from M = 1; highest index is a + b x - c x²."""

    rh_floor: float
    k1_young: float
    k1_old: float
    a: float
    b: float
    c: float


_CLASSES: Final[dict[str, _Constants]] = {
    "very": _Constants(80.0, 1.0, 2.0, 1.0, 7.0, 2.0),
    "sensitive": _Constants(80.0, 0.578, 0.386, 0.3, 6.0, 1.0),
    "medium": _Constants(85.0, 0.072, 0.097, 0.0, 5.0, 1.5),
    "resistant": _Constants(85.0, 0.033, 0.014, 0.0, 3.0, 1.0),
}


@dataclass(frozen=True, slots=True)
class MouldState:
    """Index M (0 none, 1 seen under a microscope, 3 seen by eye, 6 covered) and hours since growth stopped."""

    index: float = 0.0
    idle_hours: float = 0.0


def mould_critical_rh(temp_c: float, mould_class: str = "very") -> float | None:
    """RH in % from which mould grows; None outside 0..50 °C, where it does not."""
    check_temp(temp_c)
    floor = _constants(mould_class).rh_floor
    if not 0.0 < temp_c <= 50.0:
        return None
    if temp_c > 20.0:
        return floor
    return max(floor, -0.00267 * temp_c**3 + 0.160 * temp_c**2 - 3.13 * temp_c + 100.0)


def mould_step(
    state: MouldState, temp_c: float, rh_pct: float, mould_class: str = "very", *, hours: float = 1.0
) -> MouldState:
    """The state after one Euler step, meant to be an hour or less."""
    check_rh(rh_pct)
    limit = mould_critical_rh(temp_c, mould_class)
    if limit is None or rh_pct < limit:
        idle = state.idle_hours + hours
        return MouldState(max(0.0, state.index - _lost(idle) + _lost(state.idle_hours)), idle)
    constants = _constants(mould_class)
    wetness = (rh_pct - limit) / (100.0 - limit) if limit < 100.0 else 1.0
    highest = constants.a + constants.b * wetness - constants.c * wetness**2
    slowing = max(1.0 - exp(2.3 * (state.index - highest)), 0.0)
    speed = constants.k1_young if state.index < 1.0 else constants.k1_old
    weeks = exp(-0.68 * log(temp_c) - 13.9 * log(rh_pct) + 66.02)
    return MouldState(state.index + hours / 24.0 * speed * slowing / (7.0 * weeks))


def mould_index(hours: float, temp_c: float, rh_pct: float, mould_class: str = "very", *, start: float = 0.0) -> float:
    """Index M after a constant climate, from index `start` with growth just stopped; the last step may be shorter."""
    check_hours(hours)
    check("start", start, 0.0, HIGHEST_INDEX, unit="")
    state = MouldState(start)
    for _ in range(int(hours)):
        state = mould_step(state, temp_c, rh_pct, mould_class)
    return mould_step(state, temp_c, rh_pct, mould_class, hours=hours - int(hours)).index


def lowest_isoline_rh(temp_c: float) -> float:
    """RH in % below which no mould at all is to be expected; a quick screen, stricter than the critical RH."""
    check("temp_c", temp_c, 0.0, 50.0, unit="°C")
    return 100.0 * (0.02633 * cosh(0.10083 * (temp_c - 30.0)) + 0.7153)


def _lost(idle_hours: float) -> float:
    """Decline of M since growth stopped: hours 1 to 6, a pause, then slowly from hour 25."""
    return 0.00133 * min(idle_hours, 6.0) + 0.000667 * max(idle_hours - 24.0, 0.0)


def _constants(mould_class: str) -> _Constants:
    if mould_class not in _CLASSES:
        raise ValueError(f"class is {mould_class!r}: give one of {', '.join(MOULD_CLASSES)}")
    return _CLASSES[mould_class]
