"""How rules stand, as the gateway tells it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from carrel.contracts.actuation import OverrideSet, Priority, RuleLive, SetSwitch
from carrel.contracts.telemetry import Quantity
from tests.support.clock import ManualClock
from tests.support.edge import Edge, reading


@pytest.fixture
def edge(tmp_path: Path, clock: ManualClock) -> Iterator[Edge]:
    made = Edge(tmp_path / "gateway.db", clock)
    yield made
    made.store.close()


def warm(edge: Edge, celsius: float) -> RuleLive:
    edge.comfort.reading(reading("room-th", Quantity.TEMP, celsius, edge.clock), edge.clock.now())
    return cool(edge)


def cool(edge: Edge) -> RuleLive:
    return next(rule for rule in edge.comfort.table(edge.clock.now()).rules if rule.id == "cool")


def test_every_rule_is_told_in_the_order_of_the_file(edge: Edge) -> None:
    rules = edge.comfort.table(edge.clock.now()).rules
    assert [rule.id for rule in rules] == ["cool", "shade", "purge"]
    assert {rule.why_not for rule in rules} == {"sensor_unknown"}
    assert (rules[0].zone, rules[0].set_value, rules[0].actuators) == ("room", 1, ("ac",))


def test_a_rule_tells_its_value_its_limit_and_whether_it_acts(edge: Edge) -> None:
    found = warm(edge, 24.0)
    assert (found.value, found.threshold, found.side) == (24.0, 26.0, "above")
    assert (found.latched, found.active, found.acting, found.why_not) == (False, False, False, "condition_false")
    found = warm(edge, 27.0)
    assert (found.latched, found.active, found.acting, found.why_not) == (True, True, True, None)
    assert found.since == edge.clock.now()


def test_a_person_outranks_it_and_so_does_the_fire_panel(edge: Edge) -> None:
    warm(edge, 27.0)
    expires = edge.clock.now() + timedelta(minutes=1)
    wish = OverrideSet(id="o1", actuator="ac", value=0, duration_s=60, by="user:7", expires=expires)
    edge.comfort.override(wish, edge.clock.now())
    assert (cool(edge).acting, cool(edge).why_not) == (False, "outranked")
    edge.comfort.tick(edge.clock.advance(60))
    assert cool(edge).acting
    edge.arbiter.place("ac-1", Priority.LIFE_SAFETY, SetSwitch(device="ac-1", on=False))
    assert (cool(edge).acting, cool(edge).why_not) == (False, "safety")
