from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from environment.preservation.mould import (
    MOULD_CLASSES,
    MouldState,
    lowest_isoline_rh,
    mould_critical_rh,
    mould_index,
    mould_step,
)

CLASSES = st.sampled_from(MOULD_CLASSES)
CLIMATE = st.tuples(st.floats(-10, 60), st.floats(0, 100))


@pytest.mark.parametrize(
    ("climate", "days", "mould_class", "start", "index"),
    [
        ((22, 95), 28, "very", 0, 3.297),
        ((22, 95), 28, "sensitive", 0, 1.164),
        ((18, 85), 90, "very", 0, 1.529),
        ((25, 90), 60, "medium", 0, 0.164),
        ((20, 60), 30, "very", 1.5, 1.028),
    ],
)
def test_the_index_of_a_constant_climate_is_as_worked(climate, days, mould_class, start, index):
    assert mould_index(24 * days, *climate, mould_class, start=start) == pytest.approx(index, abs=0.0006)


@pytest.mark.parametrize(
    ("temp", "very", "medium"), [(8, 83.83, 85), (10, 82.03, 85), (15, 80.04, 85), (18, 80, 85), (25, 80, 85)]
)
def test_critical_humidity_follows_temperature_and_class(temp, very, medium):
    assert mould_critical_rh(temp, "very") == mould_critical_rh(temp, "sensitive") == pytest.approx(very, abs=0.006)
    assert mould_critical_rh(temp, "medium") == mould_critical_rh(temp, "resistant") == pytest.approx(medium, abs=0.006)


@pytest.mark.parametrize("temp", [-5, 0, 50.1])
def test_mould_does_not_grow_in_frost_or_great_heat(temp):
    assert mould_critical_rh(temp) is None
    assert mould_index(1000, temp, 100, "very") == 0


@pytest.mark.parametrize(
    ("temp", "rh"),
    [(20, 75.62), (15, 77.79), (25, 74.50), (18, 76.34), (22, 75.07), (28, 74.22), (10, 81.60)],
)
def test_the_lowest_isoline_is_as_worked(temp, rh):
    assert lowest_isoline_rh(temp) == pytest.approx(rh, abs=0.006)


def test_decline_is_fast_for_six_hours_rests_for_a_day_and_then_goes_on_slowly():
    assert mould_index(6, 20, 60, "very", start=2) == pytest.approx(2 - 6 * 0.00133)
    assert mould_index(24, 20, 60, "very", start=2) == pytest.approx(2 - 6 * 0.00133)
    assert mould_index(25, 20, 60, "very", start=2) == pytest.approx(2 - 6 * 0.00133 - 0.000667)


def test_growth_begins_the_count_of_idle_hours_anew():
    state = mould_step(MouldState(2.0, 10.0), 20, 95)
    assert state.index > 2.0
    assert mould_step(state, 20, 60).index == pytest.approx(state.index - 0.00133)


def test_growth_changes_its_speed_once_the_index_reaches_one():
    young = mould_step(MouldState(0.999), 22, 99, "very").index - 0.999
    old = mould_step(MouldState(1.0), 22, 99, "very").index - 1.0
    assert old == pytest.approx(2 * young, rel=0.01)


def test_above_its_highest_index_mould_neither_grows_nor_declines():
    assert mould_step(MouldState(5.0), 20, 82) == MouldState(5.0)


@given(CLIMATE, CLASSES, st.integers(0, 2000), st.floats(0, 6))
def test_the_index_stays_between_none_and_its_highest(climate, mould_class, hours, start):
    assert 0 <= mould_index(hours, *climate, mould_class, start=start) <= 6


@given(st.lists(CLIMATE, max_size=60), st.integers(0, 60), CLASSES)
def test_a_history_split_anywhere_gives_the_same_index(hours, cut, mould_class):
    def run(state, part):
        for temp, rh in part:
            state = mould_step(state, temp, rh, mould_class)
        return state

    assert run(run(MouldState(), hours[:cut]), hours[cut:]) == run(MouldState(), hours)


@given(CLIMATE, st.floats(0, 100))
def test_a_broken_last_hour_counts_in_part(climate, hours):
    whole = int(hours)
    low, high = sorted((mould_index(whole, *climate, start=1.5), mould_index(whole + 1, *climate, start=1.5)))
    assert low - 1e-12 <= mould_index(hours, *climate, start=1.5) <= high + 1e-12


def test_saturated_air_at_the_edge_of_frost_is_no_division_by_zero():
    assert 0 <= mould_index(10, 1e-20, 100, "very") < 1e-6


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ((-1, 20, 90), "hours is -1"),
        ((nan, 20, 90), "hours is nan"),
        ((2e6, 20, 90), "hours is 2e"),
        ((1, nan, 90), "temp_c is nan"),
        ((1, 20, 101), "rh_pct is 101"),
        ((1, 20, 90, "wet"), "give one of very, sensitive, medium, resistant"),
    ],
)
def test_impossible_inputs_are_refused(inputs, message):
    with pytest.raises(ValueError, match=message):
        mould_index(*inputs)


@pytest.mark.parametrize("start", [-0.1, 6.1, nan])
def test_an_impossible_first_index_is_refused(start):
    with pytest.raises(ValueError, match=r"start is .*: give a number from 0 to 6"):
        mould_index(1, 20, 90, start=start)


@pytest.mark.parametrize("temp", [-1, 51, nan])
def test_the_isoline_is_for_climates_in_which_mould_lives(temp):
    with pytest.raises(ValueError, match="from 0 to 50 °C"):
        lowest_isoline_rh(temp)
