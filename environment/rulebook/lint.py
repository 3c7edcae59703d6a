"""Reads rules for mistakes before they move anything: conflicts, flapping, rules that cannot fire, missing guards.

A finding is a hint to a person, not an error: `text` says what happens, why it matters and what to do.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from environment.config import ActuatorConfig, ConditionConfig, EnvironmentConfig, RuleConfig
from environment.rulebook import devices, reach

SHADE: Final = 0.85
"""The share of daylight that a closed curtain takes away."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is odd about which rules; `code` is stable."""

    code: str
    rules: tuple[str, ...]
    text: str


def lint(config: EnvironmentConfig) -> list[Finding]:
    """Everything found, in the order of the file."""
    found = [finding for rule in config.rule for check in _OF_ONE for finding in check(rule, config)]
    for one, other in combinations(config.rule, 2):
        found += [finding for check in _OF_TWO for finding in check(one, other, config)]
    return found + list(_interlocks(config))


# ---------------------------------------------------------------- one rule
def _hysteresis(rule: RuleConfig, _config: EnvironmentConfig) -> Iterator[Finding]:
    for name, condition in _conditions(rule):
        noise = reach.noise_of(condition)
        if noise and not condition.hysteresis:
            yield Finding(
                "no_hysteresis",
                (rule.id,),
                f"The {name} of '{rule.id}' has no hysteresis, so at its limit the noise of the sensor switches it to "
                f"and fro: give it at least hysteresis = {noise:g}.",
            )
        elif condition.hysteresis < noise:
            yield Finding(
                "hysteresis_below_noise",
                (rule.id,),
                f"The {name} of '{rule.id}' has a hysteresis of {condition.hysteresis:g}, less than the {noise:g} that "
                f"{condition.metric} wavers by itself: make it larger.",
            )


def _own_shadow(rule: RuleConfig, config: EnvironmentConfig) -> Iterator[Finding]:
    """A closed curtain darkens the sensor that closed it."""
    when = rule.when
    if when.metric != "lux" or when.above is None or when.minus is not None:
        return
    for actuator in devices.moved(rule, config):
        if actuator.type != "level" or actuator.zone != rule.zone or rule.set_value <= actuator.default:
            continue
        taken = SHADE * (rule.set_value - actuator.default) / 100
        if when.above - when.hysteresis >= when.above * (1 - taken):
            left, back = when.above * (1 - taken), when.above - when.hysteresis
            yield Finding(
                "own_shadow",
                (rule.id,),
                f"'{rule.id}' closes {actuator.id} at {when.above:g} lx; behind it about {left:g} lx are left, no more "
                f"than the {back:g} lx at which it opens again, so it never comes to rest: make the hysteresis larger "
                f"than {when.above * taken:g}.",
            )


def _range(rule: RuleConfig, _config: EnvironmentConfig) -> Iterator[Finding]:
    for name, condition in _conditions(rule):
        low, high = reach.range_of(condition)
        band = reach.band_of(rule.zone, condition, (s.add for s in rule.shift) if condition is rule.when else ())
        impossible = {"above": band.limit > high, "below": band.limit < low}
        if impossible.get(band.side, not low <= band.limit <= high):
            yield Finding(
                "never_true",
                (rule.id,),
                f"The {name} of '{rule.id}' can never be true: {condition.metric} stays within {low:g} to {high:g}, "
                f"and its limit is {band.limit:g}.",
            )
        elif (band.side == "above" and band.back < low) or (band.side == "below" and band.back > high):
            yield Finding(
                "no_way_back",
                (rule.id,),
                f"The {name} of '{rule.id}' has no way back: once true it stays so until {condition.metric} reaches "
                f"{band.back:g}, which it never does (it stays within {low:g} to {high:g}): make the hysteresis "
                "smaller.",
            )


def _guards(rule: RuleConfig, _config: EnvironmentConfig) -> Iterator[Finding]:
    bands = reach.bands_of(rule)
    for one, other in combinations(range(len(bands)), 2):
        if not reach.together(bands[one], bands[other]):
            first = "condition" if one == 0 else f"guard {one}"
            yield Finding(
                "guard_contradicts",
                (rule.id,),
                f"'{rule.id}' can never act: its {first} and its guard {other} are never true together.",
            )


def _shifts(rule: RuleConfig, _config: EnvironmentConfig) -> Iterator[Finding]:
    for number, shift in enumerate(rule.shift, start=1):
        if not reach.week([shift]) & reach.week(rule.schedule):
            yield Finding(
                "shift_outside_schedule",
                (rule.id,),
                f"Shift {number} of '{rule.id}' lies outside the hours of its schedule, so it changes nothing.",
            )


def _no_effect(rule: RuleConfig, config: EnvironmentConfig) -> Iterator[Finding]:
    for actuator in devices.moved(rule, config):
        if rule.set_value == actuator.default and not _outranks_another(rule, actuator, config):
            yield Finding(
                "sets_default",
                (rule.id,),
                f"'{rule.id}' sets {actuator.id} to {rule.set_value}, where it is anyway when no rule acts: give it "
                "another value, or remove it.",
            )
        small = 0 < abs(rule.set_value - actuator.default) < actuator.deadband
        if small and rule.set_value not in (0, 100):
            yield Finding(
                "inside_deadband",
                (rule.id,),
                f"'{rule.id}' sets {actuator.id} to {rule.set_value}, nearer to its default {actuator.default} than "
                f"its deadband of {actuator.deadband}, so it does not move: set it further, or make the "
                "deadband smaller.",
            )


def _drying(rule: RuleConfig, config: EnvironmentConfig) -> Iterator[Finding]:
    """Section 3 of the rules' reference: outdoor air may be wetter than it feels, and cooling alone raises RH."""
    if rule.when.metric not in ("rh", "abs_humidity", "dew_point") or rule.when.above is None or rule.when.minus:
        return
    floor = any(guard.metric == "temp" and guard.above is not None and not guard.minus for guard in rule.guard)
    for actuator in devices.moved(rule, config):
        if rule.set_value == actuator.default:
            continue
        if devices.is_cooler(actuator, config) and not floor:
            yield Finding(
                "cooling_for_humidity",
                (rule.id,),
                f"'{rule.id}' cools with {actuator.id} because it is too humid; colder air holds less water, so "
                'humidity rises again and the room grows cold: add a guard such as { metric = "temp", above = 21.0, '
                "hysteresis = 1.0 }.",
            )
        elif devices.is_vent(actuator, config):
            yield from _drying_by_air(rule, actuator, floor=floor)


def _drying_by_air(rule: RuleConfig, actuator: ActuatorConfig, *, floor: bool) -> Iterator[Finding]:
    if not any(_compares_moisture(guard) for guard in rule.guard):
        yield Finding(
            "ventilation_without_dew_point",
            (rule.id,),
            f"'{rule.id}' ventilates with {actuator.id} because it is too humid, whatever the air outside is like; it "
            'may be wetter: add the guard { metric = "dew_point", minus = "out.dew_point", above = 1.0, '
            "hysteresis = 0.5 }.",
        )
    if not floor:
        yield Finding(
            "ventilation_without_floor",
            (rule.id,),
            f"'{rule.id}' ventilates with {actuator.id} even in frost, which cools the room and raises its humidity "
            'again: add a guard such as { metric = "temp", above = 18.0, hysteresis = 0.5 }.',
        )


def _free_cooling(rule: RuleConfig, config: EnvironmentConfig) -> Iterator[Finding]:
    if rule.when.metric != "temp" or rule.when.above is None or rule.when.minus:
        return
    for actuator in devices.moved(rule, config):
        if rule.set_value == actuator.default or not devices.is_vent(actuator, config):
            continue
        colder = any(guard.metric == "temp" and guard.minus and guard.above is not None for guard in rule.guard)
        if not colder or not any(_compares_moisture(guard) for guard in rule.guard):
            yield Finding(
                "free_cooling_unguarded",
                (rule.id,),
                f"'{rule.id}' cools with outdoor air through {actuator.id} without knowing that it is cooler and not "
                'wetter: guard it with { metric = "temp", minus = "out.temp", above = 3.0, hysteresis = 1.0 } and '
                '{ metric = "dew_point", minus = "out.dew_point", above = 0.0, hysteresis = 0.5 }.',
            )


# ---------------------------------------------------------------- two rules
def _conflict(one: RuleConfig, other: RuleConfig, _config: EnvironmentConfig) -> Iterator[Finding]:
    if one.priority != other.priority or one.set_value == other.set_value:
        return
    shared = sorted(set(one.actuators) & set(other.actuators))
    if shared and reach.both_act(one, other):
        yield Finding(
            "conflict",
            (one.id, other.id),
            f"'{one.id}' and '{other.id}' can want {', '.join(shared)} at {one.set_value} and {other.set_value} at the "
            f"same time with the same priority {one.priority}; the first in the file wins: give them different "
            "priorities.",
        )


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
        yield Finding(
            "bands_overlap",
            (one.id, other.id),
            f"'{one.id}' and '{other.id}' pull {one.when.metric} from both sides and their bands overlap, so they can "
            "work against each other: move the limits apart by more than their hysteresis.",
        )


def _shadowed(one: RuleConfig, other: RuleConfig, _config: EnvironmentConfig) -> Iterator[Finding]:
    for strong, weak in ((one, other), (other, one)):
        outranks = strong.priority > weak.priority or (strong.priority == weak.priority and strong is one)
        if outranks and set(weak.actuators) <= set(strong.actuators) and _covers(strong, weak):
            yield Finding(
                "shadowed",
                (weak.id, strong.id),
                f"'{weak.id}' never decides anything: whenever it acts, '{strong.id}' acts too and stands above it.",
            )
            return


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
                yield Finding(
                    "interlock_against_group",
                    (f"interlock-{number}",),
                    f"Interlock {number} forces {' and '.join(away)}, which an exclusive group keeps from running "
                    f"together: only {away[0]} will run.",
                )


def _conditions(rule: RuleConfig) -> Iterator[tuple[str, ConditionConfig]]:
    yield "condition", rule.when
    for number, guard in enumerate(rule.guard, start=1):
        yield f"guard {number}", guard


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
