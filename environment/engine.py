"""The environment engine: `step(state, event, now) -> Step(state, effects)`, semantics S0 to S15 of the rule schema.

`now` is an aware UTC datetime that should not run backwards; schedules are read in the engine's time zone.
An engine belongs to one configuration. For a new one build a new engine and step it with `ConfigChanged`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from environment.arbitration import Claims, Wish, arbitrate, exclude, held, moved, strongest
from environment.config import EnvironmentConfig
from environment.rules import Demand, compile_interlock, compile_rule, describe, evaluate, rests, standing, waits_until
from environment.samples import ZoneMetric, ZoneValues, judge, sensors_by_zone
from environment.state import (
    Accepted,
    ActuatorState,
    Batch,
    CancelOverride,
    Command,
    Decision,
    Effect,
    Event,
    ManualOverride,
    Override,
    OverrideEnded,
    OverrideRefused,
    OverrideStarted,
    Reason,
    RefusalCode,
    RuleStanding,
    RuleState,
    Sample,
    SampleDropped,
    SingleEvent,
    State,
    Step,
)

MAX_OVERRIDE_S: Final = 43_200.0
_A_MOMENT: Final = timedelta(microseconds=1)
_MINUTE: Final = timedelta(minutes=1)
"""Windows begin and end on full minutes of local time, which are full minutes of UTC."""
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
_LATEST: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Taken:
    """State after an event was taken in, before evaluation."""

    state: State
    effects: tuple[Effect, ...]
    accepted: bool


class Engine:
    """An environment configuration ready to run. Memory is in `State`; `_latest`, `_settled`, `_acted` save time."""

    __slots__ = (
        "_acted",
        "_actuators",
        "_groups",
        "_interlocks",
        "_latest",
        "_metrics",
        "_places",
        "_rules",
        "_sensors",
        "_settled",
        "_stale_after",
        "_timed",
        "_zone",
    )

    def __init__(self, config: EnvironmentConfig, zone: ZoneInfo) -> None:
        self._zone = zone
        self._stale_after = timedelta(seconds=config.stale_after_s)
        self._metrics = {sensor.id: sensor.metric for sensor in config.sensor}
        self._places = {sensor.id: (sensor.zone, sensor.metric) for sensor in config.sensor}
        self._sensors = sensors_by_zone(config.sensor)
        self._actuators = {actuator.id: actuator for actuator in config.actuator}
        self._rules = tuple(compile_rule(rule) for rule in config.rule)
        self._interlocks = tuple(compile_interlock(n, entry) for n, entry in enumerate(config.interlock, start=1))
        self._groups = config.exclusive.groups
        self._latest: ZoneValues | None = None
        self._settled: dict[str, tuple[RuleState, Demand | None]] = {}
        self._acted: _Acted | None = None
        self._timed = any(rule.windows or rule.shifts for rule in self._rules)

    def step(self, state: State, event: Event, now: datetime) -> Step:
        """Take one event (or one instant's batch) and evaluate; what is dropped or refused changes nothing."""
        if now.tzinfo is None:
            raise ValueError("now must be an aware datetime")
        events = event.events if isinstance(event, Batch) else (event,)
        samples = [single for single in events if isinstance(single, Sample)]
        others = [single for single in events if not isinstance(single, Sample)]
        after, effects, due = state, list[Effect](), False
        for single in (*samples, *others):
            taken = self._take(after, single, now)
            after, due = taken.state, due or taken.accepted
            effects.extend(taken.effects)
        if not due:
            return Step(after, tuple(effects), store=False)
        values = self._zone_values(after, now)
        new = {self._places[s.sensor] for s in samples if s.sensor in self._places}
        if self._latest is None or not self._latest.of(state.samples) or not values.take_over(self._latest, new):
            self._settled.clear()
        self._latest = values
        after = self._evaluate(after, values, now, effects, new=new)
        return Step(after, tuple(effects), store=_durable(after) != _durable(state))

    def quiet_until(self, state: State) -> datetime:
        """Before this instant a Tick changes nothing: no timer ends, nothing grows stale, no window begins or ends."""
        now = state.evaluated_at
        if now is None:
            return _EARLIEST
        oldest = now - self._stale_after
        times = [
            kept.arrival + self._stale_after + _A_MOMENT for kept in state.samples.values() if kept.arrival >= oldest
        ]
        times += [override.end for override in state.overrides.values()]
        times += [row.hold.until for row in state.decisions if row.hold is not None and row.hold.until is not None]
        times += [
            until for rule in self._rules if (until := waits_until(rule, state.rules.get(rule.id, _FRESH))) is not None
        ]
        if self._timed:
            times.append(now.replace(second=0, microsecond=0) + _MINUTE)
        return min(times, default=_LATEST)

    def standings(self, state: State) -> tuple[RuleStanding, ...]:
        """How each rule stands after the last evaluation, in the order of the configuration; empty before the first."""
        now = state.evaluated_at
        if now is None:
            return ()
        values = self._zone_values(state, now)
        local = now.astimezone(self._zone)
        return tuple(
            standing(rule, state.rules.get(rule.id, _FRESH), values, decisions=state.decisions, local=local)
            for rule in self._rules
        )

    def _take(self, state: State, event: SingleEvent, now: datetime) -> _Taken:
        if isinstance(event, Sample):
            return self._take_sample(state, event)
        if isinstance(event, Override):
            return self._take_override(state, event, now)
        if isinstance(event, CancelOverride):
            return _cancel(state, event)
        return _Taken(state, (), accepted=True)

    def _take_sample(self, state: State, sample: Sample) -> _Taken:
        verdict = judge(sample, self._metrics.get(sample.sensor), state.samples.get(sample.sensor))
        if not isinstance(verdict, Accepted):
            return _Taken(state, (SampleDropped(sample, verdict),), accepted=False)
        return _Taken(replace(state, samples={**state.samples, sample.sensor: verdict}), (), accepted=True)

    def _take_override(self, state: State, wish: Override, now: datetime) -> _Taken:
        refusal = self._refusal(state, wish)
        if refusal is not None:
            return _Taken(state, (OverrideRefused(wish.id, refusal),), accepted=False)
        overrides, effects = dict(state.overrides), list[Effect]()
        before = overrides.pop(wish.actuator, None)
        if before is not None:
            effects.append(OverrideEnded(before, "cancelled" if wish.value is None else "replaced", wish.by))
        if wish.value is not None:
            end = now + timedelta(seconds=wish.duration_s)
            started = ManualOverride(wish.id, wish.actuator, wish.value, wish.by, now, end)
            overrides[wish.actuator] = started
            effects.append(OverrideStarted(started))
        return _Taken(replace(state, overrides=overrides), tuple(effects), accepted=True)

    def _refusal(self, state: State, wish: Override) -> RefusalCode | None:
        actuator = self._actuators.get(wish.actuator)
        if actuator is None:
            return "unknown_actuator"
        if wish.value is None:
            return None if wish.actuator in state.overrides else "unknown_override"
        if not actuator.accepts(wish.value):
            return "value_out_of_range"
        return None if 0 < wish.duration_s <= MAX_OVERRIDE_S else "duration_out_of_range"

    def _zone_values(self, state: State, now: datetime) -> ZoneValues:
        return ZoneValues(self._sensors, state.samples, now, self._stale_after)

    def _evaluate(
        self, state: State, values: ZoneValues, now: datetime, effects: list[Effect], *, new: Collection[ZoneMetric]
    ) -> State:
        overrides = self._living_overrides(state.overrides, now, effects)
        rules, demands = self._demands(state.rules, values, now, new=new)
        interlocks, forced = self._forced(state.interlocks, values)
        claims = Claims(forced, overrides, strongest(demands))
        if self._acted is None or not self._acted.stands(state, claims):
            actuators, decisions = self._act(state.actuators, self._wishes(claims), now, effects)
            self._acted = _Acted(claims, actuators, decisions)
        return State(state.samples, rules, interlocks, self._acted.actuators, overrides, self._acted.decisions, now)

    def _living_overrides(
        self, overrides: Mapping[str, ManualOverride], now: datetime, effects: list[Effect]
    ) -> Mapping[str, ManualOverride]:
        living = {}
        for name, override in overrides.items():
            actuator = self._actuators.get(name)
            if now >= override.end:
                effects.append(OverrideEnded(override, "expired"))
            elif actuator is None or not actuator.accepts(override.value):
                effects.append(OverrideEnded(override, "config_changed"))
            else:
                living[name] = override
        return living

    def _demands(
        self, before: Mapping[str, RuleState], values: ZoneValues, now: datetime, *, new: Collection[ZoneMetric]
    ) -> tuple[dict[str, RuleState], list[Demand]]:
        """A rule that has come to rest, and reads nothing `new`, demands what it did."""
        local = now.astimezone(self._zone)
        states, demands = {}, []
        for rule in self._rules:
            was = before.get(rule.id, _FRESH)
            state, demand = self._settled.pop(rule.id, (None, None))
            if state is not was or not rule.reads.isdisjoint(new):
                state, demand = evaluate(rule, was, values, now=now, local=local)
            if state is was and rests(rule, state):
                self._settled[rule.id] = state, demand
            states[rule.id] = state
            if demand is not None:
                demands.append(demand)
        return states, demands

    def _forced(
        self, before: Mapping[str, bool], values: ZoneValues
    ) -> tuple[dict[str, bool], dict[str, tuple[int, Reason]]]:
        states: dict[str, bool] = {}
        forced: dict[str, tuple[int, Reason]] = {}
        for lock in self._interlocks:
            states[lock.id] = lock.when.holds(values, before.get(lock.id, False))
            if states[lock.id]:
                reason = describe(lock.when, lock.id, lock.when.read(values), code="interlock")
                for name, value in lock.force:
                    forced.setdefault(name, (value, reason))
        return states, forced

    def _wishes(self, claims: Claims) -> dict[str, Wish]:
        wishes = {name: arbitrate(actuator, claims) for name, actuator in self._actuators.items()}
        exclude(wishes, self._groups, self._actuators)
        return wishes

    def _act(
        self, before: Mapping[str, ActuatorState], wishes: Mapping[str, Wish], now: datetime, effects: list[Effect]
    ) -> tuple[dict[str, ActuatorState], tuple[Decision, ...]]:
        states: dict[str, ActuatorState] = {}
        decisions = []
        for name, actuator in self._actuators.items():
            wish = wishes[name]
            past = before.get(name) or ActuatorState(actuator.default)
            hold = None if wish.authority == "interlock" else held(actuator, past, wish.value, now)
            if hold is None and wish.value != past.commanded:
                past = moved(actuator, past, wish.value, now)
                effects.append(Command(name, wish.value, wish.authority, wish.reason))
            states[name] = past
            decisions.append(
                Decision(name, wish.value, past.commanded, wish.authority, wish.reason, wish.override_end, hold)
            )
        return states, tuple(decisions)


@dataclass(frozen=True, slots=True)
class _Acted:
    """What came of the last claims."""

    claims: Claims
    actuators: Mapping[str, ActuatorState]
    decisions: tuple[Decision, ...]

    def stands(self, state: State, claims: Claims) -> bool:
        """Whether the same claims lead to the same again, whatever the time: every actuator is where it shall be."""
        return (
            state.actuators is self.actuators
            and claims == self.claims
            and all(row.wanted == row.commanded for row in self.decisions)
        )


_FRESH: Final = RuleState()


def _cancel(state: State, event: CancelOverride) -> _Taken:
    found = next((override for override in state.overrides.values() if override.id == event.id), None)
    if found is None:
        return _Taken(state, (OverrideRefused(event.id, "unknown_override"),), accepted=False)
    left = {name: override for name, override in state.overrides.items() if override is not found}
    return _Taken(replace(state, overrides=left), (OverrideEnded(found, "cancelled", event.by),), accepted=True)


def _durable(state: State) -> tuple[object, ...]:
    return state.rules, state.interlocks, state.actuators, state.overrides
