"""One place decides each actuator: who wins (S8 to S11) and whether it may move now (S12, S13)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from environment.config import ActuatorConfig
from environment.rules import Demand
from environment.state import ActuatorState, Authority, Hold, HoldCode, ManualOverride, Reason

_RANK: Final[Mapping[Authority, int]] = {"interlock": 3, "override": 2, "rule": 1, "default": 0}
_DEFAULT: Final = Reason("default")
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Wish:
    """What wins an actuator, before its protections."""

    value: int
    authority: Authority
    reason: Reason
    priority: int = 0
    override_end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claims:
    """Everything that wants something of actuators at one instant, by actuator."""

    forced: Mapping[str, tuple[int, Reason]]
    overrides: Mapping[str, ManualOverride]
    demands: Mapping[str, Demand]


def strongest(demands: Iterable[Demand]) -> dict[str, Demand]:
    """Per actuator the demand with the highest priority; the first in the file wins a tie."""
    best: dict[str, Demand] = {}
    for demand in demands:
        for actuator in demand.rule.actuators:
            if actuator not in best or demand.rule.priority > best[actuator].rule.priority:
                best[actuator] = demand
    return best


def arbitrate(actuator: ActuatorConfig, claims: Claims) -> Wish:
    """S8: interlock, else override, else the strongest rule, else the default."""
    name = actuator.id
    if name in claims.forced:
        value, reason = claims.forced[name]
        return Wish(value, "interlock", reason)
    if name in claims.overrides:
        manual = claims.overrides[name]
        reason = Reason("override", source=manual.id, by=manual.by)
        return Wish(manual.value, "override", reason, override_end=manual.end)
    if name in claims.demands:
        demand = claims.demands[name]
        value = actuator.failsafe if demand.value is None else demand.value
        return Wish(value, "rule", demand.reason, demand.rule.priority)
    return Wish(actuator.default, "default", _DEFAULT)


def exclude(
    wishes: dict[str, Wish], groups: Iterable[tuple[str, ...]], actuators: Mapping[str, ActuatorConfig]
) -> None:
    """S10: of each group only the strongest member that leaves its default keeps its wish; edits `wishes`."""
    for group in groups:
        away = [name for name in group if wishes[name].value != actuators[name].default]
        if len(away) < 2:
            continue
        winner = max(away, key=lambda name: (_RANK[wishes[name].authority], wishes[name].priority))
        for name in away:
            if name != winner:
                reason = Reason("exclusive", yielded_to=winner)
                wishes[name] = Wish(actuators[name].default, "default", reason)


def held(actuator: ActuatorConfig, past: ActuatorState, target: int, now: datetime) -> Hold | None:
    """S12 and S13: what keeps an actuator from moving to `target` now, for people and rules alike."""
    if target == past.commanded:
        return None
    if actuator.type == "level":
        return _level_held(actuator, past, target, now)
    if target == 0:
        return _until("min_on", past.changed_at, actuator.min_on_s, now)
    hold = _until("min_off", past.changed_at, actuator.min_off_s, now)
    limit = actuator.max_starts_per_h
    recent = _within_hour(past.starts, now)
    if hold is None and limit is not None and len(recent) >= limit:
        return Hold("max_starts", recent[-limit] + _HOUR)
    return hold


def moved(actuator: ActuatorConfig, past: ActuatorState, target: int, now: datetime) -> ActuatorState:
    """The actuator's memory after a command to `target`."""
    starts = _within_hour(past.starts, now)
    if actuator.type == "switch" and target == 1:
        starts = (*starts, now)
    return ActuatorState(target, now, starts)


def _level_held(actuator: ActuatorConfig, past: ActuatorState, target: int, now: datetime) -> Hold | None:
    if abs(target - past.commanded) < actuator.deadband and target not in (0, 100):
        return Hold("deadband", None)
    return _until("min_move_interval", past.changed_at, actuator.min_move_interval_s, now)


def _until(code: HoldCode, since: datetime | None, wait_s: float, now: datetime) -> Hold | None:
    if since is None:
        return None
    until = since + timedelta(seconds=wait_s)
    return Hold(code, until) if now < until else None


def _within_hour(starts: tuple[datetime, ...], now: datetime) -> tuple[datetime, ...]:
    return tuple(start for start in starts if now - start < _HOUR)
