"""What the engine goes on remembering when one configuration follows another. Pure."""

from dataclasses import replace

from environment.config import ConditionConfig, EnvironmentConfig, RuleConfig
from environment.state import State


def carried_over(state: State, before: EnvironmentConfig, after: EnvironmentConfig) -> State:
    """The same memory without the latches of conditions that ask something else now.

    Samples, overrides and protection times belong to sensors and actuators and stay. A rule whose limit was moved keeps
    latch and timers and is judged by the new limit at once; one that looks at another value begins afresh.
    """
    old = {rule.id: rule for rule in before.rule}
    rules = {}
    for rule in after.rule:
        was, kept = old.get(rule.id), state.rules.get(rule.id)
        if was is not None and kept is not None and _asked(was.zone, was.when) == _asked(rule.zone, rule.when):
            rules[rule.id] = kept if _guards(was) == _guards(rule) else replace(kept, guards=())
    interlocks = {}
    for number, (past, lock) in enumerate(zip(before.interlock, after.interlock, strict=False), start=1):
        name = f"interlock-{number}"
        if name in state.interlocks and _asked(past.zone, past.when) == _asked(lock.zone, lock.when):
            interlocks[name] = state.interlocks[name]
    return replace(state, rules=rules, interlocks=interlocks)


def _guards(rule: RuleConfig) -> list[tuple[str, ...]]:
    return [_asked(rule.zone, guard) for guard in rule.guard]


def _asked(zone: str, condition: ConditionConfig) -> tuple[str, ...]:
    """What is compared and from which side, whatever the limit."""
    side = "above" if condition.above is not None else "below" if condition.below is not None else "equals"
    return zone, condition.metric, condition.minus or "", side
