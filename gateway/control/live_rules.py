"""How a rule stands, as pages and programs are told. Pure."""

from __future__ import annotations

from carrel.contracts.actuation import RuleLive, WhyNot
from environment.config import RuleConfig
from environment.state import RuleStanding


def live_rule(config: RuleConfig, stands: RuleStanding, *, overruled: bool) -> RuleLive:
    """`overruled`: life safety or intrusion holds every actuator of the rule."""
    acting = stands.acting and not overruled
    why_not: WhyNot | None = "safety" if overruled and stands.demanding else stands.why_not
    return RuleLive(
        id=config.id,
        zone=config.zone,
        priority=config.priority,
        metric=config.when.metric,
        minus=config.when.minus,
        side=stands.side,
        value=stands.value,
        threshold=stands.threshold,
        latched=stands.latched,
        active=stands.active,
        since=stands.since,
        until=stands.until,
        set_value=config.set_value,
        actuators=config.actuators,
        acting=acting,
        why_not=why_not,
    )
