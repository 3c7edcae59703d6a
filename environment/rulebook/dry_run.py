"""The engine on a simulated clock (S0): samples and overrides in, each instant's step out. Pure; nothing is moved.

Reasons are short stable texts: a rule's id, `interlock-1` (by place in the file, from 1), `override`, `default`,
`sensor_unknown` (a silent sensor's failsafe), `exclusive` (gave way to another member of its group).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from environment.config import EnvironmentConfig
from environment.engine import Engine
from environment.state import Batch, Command, Override, Reason, Sample, SingleEvent, State, Step, Tick

_TICK: Final = Tick()
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Input:
    """What arrives at an instant."""

    at: datetime
    event: Sample | Override


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` to `end`, both ticks if the ticks reach `end`; aware UTC. `tick` is longer than nothing."""

    start: datetime
    end: datetime
    tick: timedelta


@dataclass(frozen=True, slots=True)
class Move:
    """A command of the engine."""

    at: datetime
    actuator: str
    value: int
    reason: str


@dataclass(slots=True)
class Summary:
    """What came of a run: commands per actuator, how long each rule was active and each actuator off its default."""

    switches: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    active_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    away_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))


def simulate(
    engine: Engine, inputs: Iterable[Input], span: Span, state: State | None = None
) -> Iterator[tuple[datetime, Step]]:
    """Step the engine at each input and at each tick at which anything can change; inputs come in order of time.

    All inputs that have arrived are taken before an instant is judged, samples first; what arrived before the start is
    taken at the start, though an override lasts from its own time. A sample that is dropped is no instant of its own.
    """
    state = state or State()
    waiting = iter(inputs)
    following = next(waiting, None)
    ticks, tick_at = 0, span.start
    quiet_until: datetime | None = None
    while True:
        at = tick_at if following is None else min(tick_at, max(following.at, span.start))
        if at > span.end:
            return
        events: list[SingleEvent] = []
        while following is not None and following.at <= at:
            events.append(_still_asked(following, at))
            following = next(waiting, None)
        if at == tick_at:
            ticks += 1
            tick_at = span.start + ticks * span.tick
            if not events and ticks > 1:
                quiet_until = quiet_until or engine.quiet_until(state)
                if at < quiet_until:
                    continue
            events.append(_TICK)
        elif any(isinstance(event, Override) for event in events):
            events.append(_TICK)  # an override is an instant, whether or not it is taken
        step = engine.step(state, events[0] if len(events) == 1 else Batch(tuple(events)), at)
        state, quiet_until = step.state, None
        yield at, step


def _still_asked(late: Input, now: datetime) -> SingleEvent:
    """An override from before the start has only the rest of its time; one that is over ended the one before it."""
    event = late.event
    if late.at == now or not isinstance(event, Override):
        return event
    rest_s = event.duration_s - (now - late.at) / _SECOND
    return replace(event, duration_s=rest_s) if rest_s > 0 else replace(event, value=None)


def moves(steps: Iterable[tuple[datetime, Step]]) -> Iterator[Move]:
    """The commands of a run, in order; those of one instant in the order of the configuration."""
    for at, step in steps:
        for effect in step.effects:
            if isinstance(effect, Command):
                yield Move(at, effect.actuator, effect.value, reason_text(effect.reason))


def reason_text(reason: Reason) -> str:
    """The short stable text of a reason."""
    named = reason.code in ("rule", "interlock") and reason.source is not None
    return str(reason.source) if named else reason.code


def summed(steps: Iterable[tuple[datetime, Step]], config: EnvironmentConfig, into: Summary) -> Iterator[Move]:
    """The commands of a run, while `into` is filled; it is complete when the last one has been taken."""
    defaults = {actuator.id: actuator.default for actuator in config.actuator}
    last: tuple[datetime, State] | None = None
    for at, step in steps:
        if last is not None:
            _add_time(into, last[1], defaults, (at - last[0]) / _SECOND)
        last = at, step.state
        for effect in step.effects:
            if isinstance(effect, Command):
                into.switches[effect.actuator] += 1
        yield from moves([(at, step)])


def _add_time(into: Summary, state: State, defaults: Mapping[str, int], seconds: float) -> None:
    for name, rule in state.rules.items():
        if rule.dwell.active:
            into.active_s[name] += seconds
    for name, actuator in state.actuators.items():
        if actuator.commanded != defaults.get(name):
            into.away_s[name] += seconds
