"""When rules change, what is asked differently begins afresh and the rest goes on."""

from __future__ import annotations

from typing import Any

import pytest

from environment.config import EnvironmentConfig
from environment.engine import Engine
from environment.state import ConfigChanged, Override, State
from environment.succession import carried_over
from tests.support.house import ZONE, at, sample

WHEN = {"metric": "temp", "above": 26.0, "hysteresis": 2.0}
RULE: dict[str, Any] = {"id": "hot", "zone": "r", "when": WHEN, "actuators": ["ac"], "set": 1}


def config(*rules: dict[str, Any], **parts: Any) -> EnvironmentConfig:
    wiring = {
        "sensor": [{"id": m, "zone": "r", "metric": m, "device": m} for m in ("temp", "rh")],
        "actuator": [
            {"id": "ac", "type": "switch", "zone": "r", "device": "ac", "min_on_s": 300},
            {"id": "vent", "type": "level", "zone": "r", "device": "vent"},
        ],
    }
    return EnvironmentConfig.model_validate(wiring | {"rule": list(rules)} | parts)


class Run:
    """An engine whose configuration is changed while it runs."""

    def __init__(self, first: EnvironmentConfig) -> None:
        self.config, self.state, self.commands = first, State(), list[tuple[str, int]]()
        self.engine = Engine(first, ZONE)

    def take(self, seconds: float, event: Any) -> Run:
        step = self.engine.step(self.state, event, at(seconds))
        self.state = step.state
        self.commands += [(e.actuator, e.value) for e in step.effects if type(e).__name__ == "Command"]
        return self

    def hear(self, seconds: float, sensor: str, value: float) -> Run:
        return self.take(*sample(seconds, sensor, value))

    def change(self, seconds: float, to: EnvironmentConfig) -> Run:
        self.state = carried_over(self.state, self.config, to)
        self.config, self.engine = to, Engine(to, ZONE)
        return self.take(seconds, ConfigChanged())

    def latched(self, rule: str = "hot") -> bool:
        return self.state.rules[rule].dwell.latch


def hot(**changes: Any) -> Run:
    """A room at 25 °C within the dead band, latched since it was 27."""
    return Run(config(RULE | changes)).hear(0, "temp", 27).hear(10, "rh", 50).hear(20, "temp", 25)


def test_a_moved_limit_is_judged_at_once_and_inside_the_dead_band_the_latch_stays() -> None:
    run = hot()
    assert run.change(30, config(RULE | {"when": WHEN | {"above": 26.5}})).latched()
    assert not run.change(40, config(RULE | {"when": WHEN | {"above": 28.0}})).latched()


@pytest.mark.parametrize(
    "when",
    [
        {"metric": "rh", "above": 51.0, "hysteresis": 6.0},
        {"metric": "temp", "below": 24.0, "hysteresis": 2.0},
        {"metric": "temp", "minus": "r.rh", "above": -24.0, "hysteresis": 6.0},
    ],
)
def test_a_rule_that_asks_something_else_begins_afresh(when: dict[str, Any]) -> None:
    assert not hot().change(30, config(RULE | {"when": when})).latched()


def test_a_rule_that_was_gone_for_a_while_begins_afresh() -> None:
    assert not hot().change(30, config()).change(40, config(RULE)).latched()


def test_guards_that_ask_something_else_begin_afresh_and_their_rule_goes_on() -> None:
    guard = {"metric": "rh", "above": 48.0, "hysteresis": 4.0}
    run = hot(guard=[guard])
    assert run.state.rules["hot"].guards == (True,)
    run.change(30, config(RULE | {"guard": [{"metric": "temp", "below": 24.0, "hysteresis": 2.0}]}))
    assert (run.latched(), run.state.rules["hot"].guards) == (True, (False,))


def test_interlocks_keep_their_latch_by_what_they_ask() -> None:
    lock = {"zone": "r", "when": {"metric": "temp", "above": 26.0, "hysteresis": 2.0}, "force": {"vent": 100}}
    run = Run(config(interlock=[lock])).hear(0, "temp", 27).hear(10, "temp", 25)
    assert run.change(20, config(interlock=[lock | {"force": {"vent": 50}}])).state.interlocks == {"interlock-1": True}
    other = lock | {"when": {"metric": "rh", "above": 60.0}}
    assert run.change(30, config(interlock=[other])).state.interlocks == {"interlock-1": False}


def test_protection_times_and_overrides_stand_and_bind_the_new_rules() -> None:
    run = hot().take(25, Override("vent", 40, "o1", "user:1"))
    run.change(30, config())
    assert run.commands == [("ac", 1), ("vent", 40)]
    assert run.state.decisions[0].hold is not None
    assert run.state.decisions[0].hold.code == "min_on"
    assert run.state.overrides["vent"].value == 40
