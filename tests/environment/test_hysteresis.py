from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from environment.hysteresis import NEVER, Threshold

T0 = datetime(2026, 1, 5, tzinfo=UTC)


def s(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("value", "was", "now"),
    [
        (26.0, False, True),
        (25.9, False, False),
        (25.5, True, True),
        (25.0, True, False),
        (25.01, True, True),
        (24.0, True, False),
    ],
)
def test_above_goes_true_at_the_limit_and_false_a_deadband_below(value, was, now):
    assert Threshold("above", 26.0, 1.0).latch(value, was) is now


@pytest.mark.parametrize(
    ("value", "was", "now"),
    [(40.0, False, True), (40.1, False, False), (42.0, True, True), (43.0, True, False), (50.0, True, False)],
)
def test_below_is_the_mirror(value, was, now):
    assert Threshold("below", 40.0, 3.0).latch(value, was) is now


def test_without_hysteresis_the_limit_itself_is_true_and_anything_beyond_it_false():
    assert Threshold("above", 26.0).latch(26.0, True)
    assert not Threshold("above", 26.0).latch(25.999, True)
    assert Threshold("below", 26.0).latch(26.0, True)
    assert not Threshold("below", 26.0).latch(26.001, True)


def test_equals_has_no_memory_and_no_shift():
    assert Threshold("equals", 1.0).latch(1.0, False, shift=5)
    assert not Threshold("equals", 1.0).latch(0.0, True)


def test_a_shift_moves_both_ends_of_the_deadband():
    raised = Threshold("above", 26.0, 1.0)
    assert not raised.latch(27.9, False, shift=2)
    assert raised.latch(27.1, True, shift=2)
    assert not raised.latch(27.0, True, shift=2)


@given(
    limit=st.floats(-100, 100),
    band=st.floats(0.1, 50),
    was=st.booleans(),
    walk=st.lists(st.floats(0.001, 0.999)),
    side=st.sampled_from(["above", "below"]),
)
def test_nothing_flaps_inside_the_deadband(limit, band, was, walk, side):
    threshold = Threshold(side, limit, band)
    sign = -1 if side == "above" else 1
    for part in walk:
        assert threshold.latch(limit + sign * band * part, was) is was


def test_a_rule_is_active_after_unbroken_truth_and_inactive_after_unbroken_untruth():
    times = {"hold": s(30), "release": s(60)}
    dwell = NEVER.advance(True, T0, **times)
    assert not dwell.active
    assert not dwell.advance(False, T0 + s(20), **times).advance(True, T0 + s(25), **times).active
    dwell = dwell.advance(True, T0 + s(30), **times)
    assert dwell.active
    dwell = dwell.advance(False, T0 + s(40), **times)
    assert dwell.active
    assert dwell.advance(False, T0 + s(99), **times).active
    assert not dwell.advance(False, T0 + s(100), **times).active


def test_a_pause_stops_the_timer_and_an_advance_goes_on_with_it():
    times = {"hold": s(30), "release": s(0)}
    dwell = NEVER.advance(True, T0, **times).pause(T0 + s(10)).pause(T0 + s(50))
    dwell = dwell.advance(True, T0 + s(100), **times)
    assert not dwell.active
    assert dwell.advance(True, T0 + s(120), **times).active


def test_a_pause_before_anything_happened_leaves_nothing_behind():
    assert NEVER.pause(T0).advance(False, T0 + s(1), hold=s(0), release=s(0)) == NEVER
