from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from environment.preservation.light import LIGHT_LIMITS, light_dose, year_end_dose


@pytest.mark.parametrize(
    ("intervals", "dose"),
    [
        ([(8, 300), (2, 50)], 2_500),
        ([(10, 50)] * 300, 150_000),
        ([(1, 20_000)], 20_000),
        ([(12, 200)] * 250, 600_000),
        ([(75, 200)], 15_000),
        ([], 0),
    ],
)
def test_doses_are_as_worked(intervals, dose):
    assert light_dose(intervals) == pytest.approx(dose)


def test_one_hour_of_sun_is_more_than_a_year_allows_the_most_delicate():
    assert light_dose([(1, 20_000)]) > LIGHT_LIMITS["high"].dose_lux_h


def test_yearly_limits_are_those_of_the_three_classes():
    assert [(limit.lux, limit.dose_lux_h) for limit in LIGHT_LIMITS.values()] == [
        (50, 15_000),
        (50, 150_000),
        (200, 600_000),
    ]


def test_the_year_end_is_projected_from_the_days_so_far():
    assert year_end_dose(30_000, 73) == pytest.approx(150_000)


@given(st.lists(st.tuples(st.floats(0, 1000), st.floats(0, 200_000)), max_size=20), st.integers(0, 20))
def test_doses_add_up(intervals, cut):
    assert light_dose(intervals[:cut]) + light_dose(intervals[cut:]) == pytest.approx(light_dose(intervals))


@pytest.mark.parametrize("interval", [(-1, 50), (nan, 50), (1, -1), (1, nan), (1, 1e9)])
def test_impossible_light_is_refused(interval):
    with pytest.raises(ValueError, match="give a number from"):
        light_dose([interval])


@pytest.mark.parametrize("days", [0, -1, nan])
def test_nothing_is_projected_from_no_time(days):
    with pytest.raises(ValueError, match="elapsed_days"):
        year_end_dose(100, days)
