"""Reads rules for mistakes before they move anything: conflicts, flapping, rules that cannot fire, missing guards.

A finding says what happens, why it matters and what to do; findings.py has the sentences.
"""

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Final

from environment.config import ActuatorConfig, ConditionConfig, EnvironmentConfig, RuleConfig
from environment.rulebook import devices, reach
from environment.rulebook.findings import Finding

SHADE: Final = 0.85
"""The share of daylight that a closed curtain takes away."""


def lint(config: EnvironmentConfig) -> list[Finding]:
    """Everything found, in the order of the file."""
    found = [finding for rule in config.rule for check in _OF_ONE for finding in check(rule, config)]
    for one, other in combinations(config.rule, 2):
        found += [finding for check in _OF_TWO for finding in check(one, other, config)]
    return found + list(_interlocks(config))


# ---------------------------------------------------------------- one rule
def _hysteresis(rule: RuleConfig, _config: EnvironmentConfig) -> Iterator[Finding]:
    for guard, condition in _conditions(rule):
        noise = reach.noise_of(condition)
        said: dict[str, str | float] = {"rule": rule.id, "noise": noise, "metric": condition.metric}
        if noise and not condition.hysteresis:
            yield Finding("no_hysteresis", (rule.id,), said, guard)
        elif condition.hysteresis < noise:
            said["hysteresis"] = condition.hysteresis
            yield Finding("hysteresis_below_noise", (rule.id,), said, guard)


def _own_shadow(rule: RuleConfig, config: EnvironmentConfig) -> Iterator[Finding]:
    """A closed curtain darkens the sensor that closed it."""
    when = rule.when
    if when.metric != "lux" or when.above is None or when.minus is not None:
        return
    for actuator in devices.moved(rule, config):
        if actuator.type != "level" or actuator.zone != rule.zone or rule.set_value <= actuator.default:
            continue
        taken = SHADE * (rule.set_value - actuator.default) / 100
        left, back = when.above * (1 - taken), when.above - when.hysteresis
        if back >= left:
            said: dict[str, str | float] = {"rule": rule.id, "actuator": actuator.id, "limit": when.above}
            said |= {"left": left, "back": back, "least": when.above * taken}
            yield Finding("own_shadow", (rule.id,), said)


def _range(rule: RuleConfig, _config: EnvironmentConfig) -> Iterator[Finding]:
    for guard, condition in _conditions(rule):
        low, high = reach.range_of(condition)
        band = reach.band_of(rule.zone, condition, (s.add for s in rule.shift) if condition is rule.when else ())
        said: dict[str, str | float] = {"rule": rule.id, "metric": condition.metric, "low": low, "high": high}
        impossible = {"above": band.limit > high, "below": band.limit < low}
        if impossible.get(band.side, not low <= band.limit <= high):
            yield Finding("never_true", (rule.id,), said | {"limit": band.limit}, guard)
        elif (band.side == "above" and band.back < low) or (band.side == "below" and band.back > high):
            yield Finding("no_way_back", (rule.id,), said | {"back": band.back}, guard)


def _guards(rule: RuleConfig, _config: EnvironmentConfig) -> Iterator[Finding]:
    bands = reach.bands_of(rule)
    for one, other in combinations(range(len(bands)), 2):
        if not reach.together(bands[one], bands[other]):
            yield Finding("guard_contradicts", (rule.id,), {"rule": rule.id, "second": other}, one)


def _shifts(rule: RuleConfig, _config: EnvironmentConfig) -> Iterator[Finding]:
    for number, shift in enumerate(rule.shift, start=1):
        if not reach.week([shift]) & reach.week(rule.schedule):
            yield Finding("shift_outside_schedule", (rule.id,), {"rule": rule.id, "number": number})


def _no_effect(rule: RuleConfig, config: EnvironmentConfig) -> Iterator[Finding]:
    for actuator in devices.moved(rule, config):
        said: dict[str, str | float] = {"rule": rule.id, "actuator": actuator.id, "value": rule.set_value}
        if rule.set_value == actuator.default and not _outranks_another(rule, actuator, config):
            yield Finding("sets_default", (rule.id,), said)
        small = 0 < abs(rule.set_value - actuator.default) < actuator.deadband
        if small and rule.set_value not in (0, 100):
            said |= {"default": actuator.default, "deadband": actuator.deadband}
            yield Finding("inside_deadband", (rule.id,), said)


def _drying(rule: RuleConfig, config: EnvironmentConfig) -> Iterator[Finding]:
    """Section 3 of the rules' reference: outdoor air may be wetter than it feels, and cooling alone raises RH."""
    if rule.when.metric not in ("rh", "abs_humidity", "dew_point") or rule.when.above is None or rule.when.minus:
        return
    floor = any(guard.metric == "temp" and guard.above is not None and not guard.minus for guard in rule.guard)
    for actuator in devices.moved(rule, config):
        said = {"rule": rule.id, "actuator": actuator.id}
        if rule.set_value == actuator.default:
            continue
        if devices.is_cooler(actuator, config) and not floor:
            yield Finding("cooling_for_humidity", (rule.id,), said)
        elif devices.is_vent(actuator, config):
            if not any(_compares_moisture(guard) for guard in rule.guard):
                yield Finding("ventilation_without_dew_point", (rule.id,), said)
            if not floor:
                yield Finding("ventilation_without_floor", (rule.id,), said)


def _free_cooling(rule: RuleConfig, config: EnvironmentConfig) -> Iterator[Finding]:
    if rule.when.metric != "temp" or rule.when.above is None or rule.when.minus:
        return
    for actuator in devices.moved(rule, config):
        if rule.set_value == actuator.default or not devices.is_vent(actuator, config):
            continue
        colder = any(guard.metric == "temp" and guard.minus and guard.above is not None for guard in rule.guard)
        if not colder or not any(_compares_moisture(guard) for guard in rule.guard):
            yield Finding("free_cooling_unguarded", (rule.id,), {"rule": rule.id, "actuator": actuator.id})


# ---------------------------------------------------------------- two rules
def _conflict(one: RuleConfig, other: RuleConfig, _config: EnvironmentConfig) -> Iterator[Finding]:
    if one.priority != other.priority or one.set_value == other.set_value:
        return
    shared = sorted(set(one.actuators) & set(other.actuators))
    if shared and reach.both_act(one, other):
        said = _pair(one, other) | {"actuators": ", ".join(shared), "priority": one.priority}
        said |= {"value": one.set_value, "others_value": other.set_value}
        yield Finding("conflict", (one.id, other.id), said)


def _opposites(one: RuleConfig, other: RuleConfig, config: EnvironmentConfig) -> Iterator[Finding]:
    """Two rules that pull a value from both sides must leave a gap between them."""
    if reach.subject_of(one.zone, one.when) != reach.subject_of(other.zone, other.when):
        return
    sides = {reach.limit_of(one.when)[0], reach.limit_of(other.when)[0]}
    if sides != {"above", "below"} or not (devices.acts(one, config) and devices.acts(other, config)):
        return
    if _same_deed(one, other) or (one.priority == other.priority and set(one.actuators) & set(other.actuators)):
        return
    if reach.both_act(one, other, but_for_gap=True):
        yield Finding("bands_overlap", (one.id, other.id), _pair(one, other) | {"metric": one.when.metric})


def _shadowed(one: RuleConfig, other: RuleConfig, _config: EnvironmentConfig) -> Iterator[Finding]:
    for strong, weak in ((one, other), (other, one)):
        outranks = strong.priority > weak.priority or (strong.priority == weak.priority and strong is one)
        if outranks and set(weak.actuators) <= set(strong.actuators) and _covers(strong, weak):
            yield Finding("shadowed", (weak.id, strong.id), _pair(weak, strong))
            return


def _pair(one: RuleConfig, other: RuleConfig) -> dict[str, str | float]:
    return {"rule": one.id, "other": other.id}


def _covers(strong: RuleConfig, weak: RuleConfig) -> bool:
    """Whether `strong` demands at every moment at which `weak` does."""
    if reach.subject_of(strong.zone, strong.when) != reach.subject_of(weak.zone, weak.when):
        return False
    if strong.shift or weak.shift or weak.on_unknown != strong.on_unknown:
        return False
    if reach.week(weak.schedule) & ~reach.week(strong.schedule) or not set(strong.guard) <= set(weak.guard):
        return False
    if strong.for_s > weak.for_s or strong.release_for_s < weak.release_for_s:
        return False
    return _looser(reach.band_of(strong.zone, strong.when), reach.band_of(weak.zone, weak.when))


def _looser(one: reach.Band, other: reach.Band) -> bool:
    if one.side != other.side:
        return False
    if one.side == "above":
        return one.limit <= other.limit and one.back <= other.back
    if one.side == "below":
        return one.limit >= other.limit and one.back >= other.back
    return one.limit == other.limit


# ---------------------------------------------------------------- the rest
def _interlocks(config: EnvironmentConfig) -> Iterator[Finding]:
    defaults = {actuator.id: actuator.default for actuator in config.actuator}
    for number, interlock in enumerate(config.interlock, start=1):
        for group in config.exclusive.groups:
            away = [name for name in group if interlock.force.get(name, defaults[name]) != defaults[name]]
            if len(away) > 1:
                said: dict[str, str | float] = {"number": number, "actuators": ", ".join(away), "first": away[0]}
                yield Finding("interlock_against_group", (f"interlock-{number}",), said)


def _conditions(rule: RuleConfig) -> Iterator[tuple[int, ConditionConfig]]:
    """The condition (0) and the guards by number."""
    return enumerate((rule.when, *rule.guard))


def _outranks_another(rule: RuleConfig, actuator: ActuatorConfig, config: EnvironmentConfig) -> bool:
    return any(
        other.id != rule.id
        and actuator.id in other.actuators
        and other.set_value != rule.set_value
        and other.priority <= rule.priority
        for other in config.rule
    )


def _compares_moisture(guard: ConditionConfig) -> bool:
    return guard.metric in ("dew_point", "abs_humidity") and guard.minus is not None and guard.above is not None


def _same_deed(one: RuleConfig, other: RuleConfig) -> bool:
    return set(one.actuators) == set(other.actuators) and one.set_value == other.set_value


_OF_ONE: Final[tuple[Callable[[RuleConfig, EnvironmentConfig], Iterator[Finding]], ...]] = (
    _hysteresis,
    _own_shadow,
    _range,
    _guards,
    _shifts,
    _no_effect,
    _drying,
    _free_cooling,
)
_OF_TWO: Final[tuple[Callable[[RuleConfig, RuleConfig, EnvironmentConfig], Iterator[Finding]], ...]] = (
    _conflict,
    _opposites,
    _shadowed,
)
