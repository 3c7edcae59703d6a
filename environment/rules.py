"""Rules (S3 to S7): from zone values to each rule's demand. A rule here is its configuration made ready to run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from environment.config import ConditionConfig, InterlockConfig, OnUnknown, RuleConfig, WindowConfig
from environment.hysteresis import NEVER, Threshold
from environment.samples import ZoneMetric, ZoneValues, sources
from environment.schedule import Window, window
from environment.state import Decision, Reason, ReasonCode, RuleStanding, RuleState, WhyNot


@dataclass(frozen=True, slots=True)
class Condition:
    """A measured value, or the difference of two, against a threshold."""

    subject: ZoneMetric
    minus: ZoneMetric | None
    threshold: Threshold

    def read(self, values: ZoneValues) -> float | None:
        """The compared value; None when any part of it is unknown."""
        value = values.get(self.subject)
        if value is None or self.minus is None:
            return value
        other = values.get(self.minus)
        return None if other is None else value - other

    def reads(self) -> set[ZoneMetric]:
        """Each (zone, metric) whose samples can change the value."""
        return sources(self.subject) | (sources(self.minus) if self.minus else set())

    def holds(self, values: ZoneValues, was: bool) -> bool:
        """Truth with its deadband memory; an unknown value is false."""
        value = self.read(values)
        return value is not None and self.threshold.latch(value, was)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, compiled."""

    id: str
    priority: int
    when: Condition
    hold: timedelta
    release: timedelta
    guards: tuple[Condition, ...]
    windows: tuple[Window, ...]
    shifts: tuple[tuple[Window, float], ...]
    actuators: tuple[str, ...]
    value: int
    on_unknown: OnUnknown
    reads: frozenset[ZoneMetric]
    """What is measured for it, and what that is derived from."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What a rule asks of its actuators; value None asks for each one's failsafe."""

    rule: Rule
    value: int | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class Interlock:
    """A condition that forces outputs."""

    id: str
    when: Condition
    force: tuple[tuple[str, int], ...]


def compile_rule(config: RuleConfig) -> Rule:
    """Make a rule ready to run."""
    when = compile_condition(config.zone, config.when)
    guards = tuple(compile_condition(config.zone, guard) for guard in config.guard)
    return Rule(
        id=config.id,
        priority=config.priority,
        when=when,
        hold=timedelta(seconds=config.for_s),
        release=timedelta(seconds=config.release_for_s),
        guards=guards,
        windows=tuple(_window(entry) for entry in config.schedule),
        shifts=tuple((_window(entry), entry.add) for entry in config.shift),
        actuators=config.actuators,
        value=config.set_value,
        on_unknown=config.on_unknown,
        reads=frozenset().union(*(condition.reads() for condition in (when, *guards))),
    )


def compile_interlock(number: int, config: InterlockConfig) -> Interlock:
    """Make an interlock ready to run; interlocks are named by their place in the file, from 1."""
    when = compile_condition(config.zone, config.when)
    return Interlock(f"interlock-{number}", when, tuple(config.force.items()))


def compile_condition(zone: str, config: ConditionConfig) -> Condition:
    """Make a condition ready to run in its zone."""
    minus = None
    if config.minus is not None:
        other, _, metric = config.minus.rpartition(".")
        minus = (other, metric)
    return Condition((zone, config.metric), minus, _threshold(config))


def evaluate(
    rule: Rule, was: RuleState, values: ZoneValues, *, now: datetime, local: datetime
) -> tuple[RuleState, Demand | None]:
    """Advance a rule's memory to `now` and say what it demands."""
    value = rule.when.read(values)
    shift = _shift(rule, local)
    dwell = was.dwell
    if value is not None:
        latch = rule.when.threshold.latch(value, dwell.latch, shift)
        dwell = dwell.advance(latch, now, hold=rule.hold, release=rule.release)
    elif rule.on_unknown == "hold":
        dwell = dwell.pause(now)
    else:
        dwell = NEVER
    guards = _guards(rule, was, values)
    same = (dwell is was.dwell or dwell == was.dwell) and guards == was.guards
    state = was if same else RuleState(dwell, guards)
    if value is None and rule.on_unknown == "failsafe":
        return state, Demand(rule, None, describe(rule.when, rule.id, None, shift=shift, code="sensor_unknown"))
    if dwell.active and all(guards) and _in_schedule(rule, local):
        return state, Demand(rule, rule.value, describe(rule.when, rule.id, value, shift=shift, code="rule"))
    return state, None


def standing(
    rule: Rule, was: RuleState, values: ZoneValues, *, decisions: Sequence[Decision], local: datetime
) -> RuleStanding:
    """How a rule stands after an evaluation that led to `decisions`; `values` and `local` are those of that instant."""
    value = rule.when.read(values)
    dwell = was.dwell
    failsafe = value is None and rule.on_unknown == "failsafe"
    demanding = failsafe or (dwell.active and all(was.guards) and _in_schedule(rule, local))
    won = [row for row in decisions if row.authority == "rule" and row.reason.source == rule.id]
    acting = any(row.commanded == row.wanted for row in won)
    threshold = rule.when.threshold
    return RuleStanding(
        id=rule.id,
        value=value,
        threshold=threshold.limit if threshold.side == "equals" else threshold.limit + _shift(rule, local),
        side=threshold.side,
        latched=dwell.latch,
        active=dwell.active,
        since=dwell.since,
        until=waits_until(rule, was),
        demanding=demanding,
        acting=acting,
        why_not=None if acting else _why_not(was, value, demanding=demanding, won=bool(won)),
    )


def waits_until(rule: Rule, was: RuleState) -> datetime | None:
    """When a running `for_s` or `release_for_s` ends."""
    dwell = was.dwell
    if dwell.latch == dwell.active or dwell.since is None or dwell.paused_at is not None:
        return None
    return dwell.since + (rule.hold if dwell.latch else rule.release)


def rests(rule: Rule, was: RuleState) -> bool:
    """Whether time alone changes nothing about the rule."""
    return not rule.windows and not rule.shifts and waits_until(rule, was) is None


def _why_not(was: RuleState, value: float | None, *, demanding: bool, won: bool) -> WhyNot:
    if demanding:
        return "protected" if won else "outranked"
    if value is None:
        return "sensor_unknown"
    if not was.dwell.active:
        return "waiting" if was.dwell.latch else "condition_false"
    return "guard_closed" if not all(was.guards) else "outside_schedule"


def describe(condition: Condition, source: str, value: float | None, *, code: ReasonCode, shift: float = 0.0) -> Reason:
    """The reason of a rule's or interlock's will, with the numbers that were compared."""
    zone, metric = condition.subject
    threshold = condition.threshold
    return Reason(
        code=code,
        source=source,
        zone=zone,
        metric=metric,
        minus=".".join(condition.minus) if condition.minus else None,
        side=threshold.side,
        value=value,
        threshold=threshold.limit if threshold.side == "equals" else threshold.limit + shift,
    )


def _shift(rule: Rule, local: datetime) -> float:
    return sum(add for span, add in rule.shifts if span.contains(local)) if rule.shifts else 0.0


def _guards(rule: Rule, was: RuleState, values: ZoneValues) -> tuple[bool, ...]:
    if not rule.guards:
        return ()
    before = was.guards if len(was.guards) == len(rule.guards) else (False,) * len(rule.guards)
    return tuple(guard.holds(values, latch) for guard, latch in zip(rule.guards, before, strict=True))


def _in_schedule(rule: Rule, local: datetime) -> bool:
    return not rule.windows or any(span.contains(local) for span in rule.windows)


def _threshold(config: ConditionConfig) -> Threshold:
    if config.above is not None:
        return Threshold("above", config.above, config.hysteresis)
    if config.below is not None:
        return Threshold("below", config.below, config.hysteresis)
    assert config.equals is not None  # the configuration has exactly one limit
    return Threshold("equals", config.equals)


def _window(config: WindowConfig) -> Window:
    return window(config.start, config.end, config.days)
