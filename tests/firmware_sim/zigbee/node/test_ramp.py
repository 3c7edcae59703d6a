"""Values that move at a steady rate."""

import pytest

from firmware_sim.zigbee.node.ramp import Ramp
from tests.support.zigbee import ManualTimers


@pytest.fixture
def timers():
    return ManualTimers()


def test_it_arrives_after_distance_over_rate_and_tells_the_end_once(timers):
    seen = []
    ramp = Ramp(timers, 0.0, lambda value, at_rest: seen.append((round(value, 3), at_rest)))
    ramp.go(100, 20)
    timers.advance(4.9)
    assert ramp.moving
    assert ramp.value == pytest.approx(98)
    timers.advance(0.2)
    assert not ramp.moving
    assert seen[-1] == (100, True)
    assert [at_rest for _, at_rest in seen].count(True) == 1


def test_it_stops_where_it_is(timers):
    seen = []
    ramp = Ramp(timers, 80.0, lambda value, at_rest: seen.append((round(value, 3), at_rest)))
    ramp.go(0, 20)
    timers.advance(1.05)
    ramp.stop()
    timers.advance(10)
    assert seen[-1] == (59.0, True)


def test_a_new_target_turns_it_round(timers):
    ramp = Ramp(timers, 0.0, lambda value, at_rest: None)
    ramp.go(100, 20)
    timers.advance(2)
    ramp.go(0, 20)
    timers.advance(1)
    assert ramp.value == pytest.approx(20)


def test_being_there_already_is_told_too(timers):
    seen = []
    Ramp(timers, 40.0, lambda value, at_rest: seen.append(at_rest)).go(40, 20)
    timers.advance(0)
    assert seen == [True]
