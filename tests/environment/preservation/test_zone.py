from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from environment.preservation.chemistry import ClimateSpan, pi, twpi
from environment.preservation.moisture import emc
from environment.preservation.mould import MouldState, mould_index
from environment.preservation.zone import Figure, HourRow, zone_figures

VALUES = st.tuples(
    st.none() | st.floats(-40, 90),
    st.none() | st.floats(-5, 105),
    st.none() | st.floats(0, 100_000),
    st.floats(0, 1),
)
HISTORY = st.lists(VALUES, min_size=1, max_size=100).map(
    lambda values: [HourRow(hour, *value) for hour, value in enumerate(values)]
)


def steady(hours, temp=20.0, rh=50.0, lux=100.0, *, first=0):
    return [HourRow(first + hour, temp, rh, lux) for hour in range(hours)]


def test_a_month_without_gaps_is_wholly_known():
    found = zone_figures(steady(720), 720)
    assert found.pi_now == Figure(pytest.approx(44.62, abs=0.006), 1.0)
    assert found.twpi == Figure(pytest.approx(44.62, abs=0.006), 1.0)
    assert found.emc_mean == Figure(pytest.approx(9.27, abs=0.006), 1.0)
    assert found.mould_index == Figure(0.0, 1.0)
    assert found.hours_over_critical == Figure(0.0, 1.0)
    assert found.light_dose == Figure(72_000.0, 1.0)
    assert found.light_year_end == Figure(pytest.approx(876_000), 1.0)


def test_an_unknown_period_has_no_figures_at_all():
    found = zone_figures([], 720)
    unknown = Figure(None, 0.0)
    assert found == type(found)(*[unknown] * 7, mould=MouldState())
    assert zone_figures([], 0) == found


def test_gaps_are_left_out_and_said():
    rows = steady(10) + steady(10, 30.0, 80.0, first=30)
    found = zone_figures(rows, 40)
    assert found.twpi == Figure(pytest.approx(twpi([ClimateSpan(10, 20, 50), ClimateSpan(10, 30, 80)])), 0.5)
    assert found.emc_mean == Figure(pytest.approx((emc(20, 50) + emc(30, 80)) / 2), 0.5)
    assert found.hours_over_critical == Figure(10.0, 0.5)
    assert found.light_dose == Figure(2000.0, 0.5)
    assert found.light_year_end == Figure(pytest.approx(876_000), 0.5)


def test_now_is_unknown_when_the_last_hour_is():
    assert zone_figures(steady(10), 11).pi_now == Figure(None, 0.0)
    assert zone_figures([*steady(9), HourRow(9, 25.0, 60.0)], 10).pi_now.value == pytest.approx(pi(25, 60))


def test_temperature_without_humidity_tells_nothing_of_decay_but_light_is_still_counted():
    found = zone_figures([HourRow(0, 20.0, None, 500.0)], 1)
    assert found.twpi == Figure(None, 0.0)
    assert found.light_dose == Figure(500.0, 1.0)


def test_a_lying_sensor_counts_as_unknown():
    rows = [HourRow(0, -200.0, 50.0, -1.0), HourRow(1, 20.0, 50.0, 100.0), HourRow(2, 20.0, 130.0, 1e9)]
    found = zone_figures(rows, 3)
    assert found.twpi == Figure(pytest.approx(pi(20, 50)), pytest.approx(1 / 3))
    assert found.light_dose == Figure(100.0, pytest.approx(1 / 3))


def test_an_hour_known_in_part_counts_in_part():
    found = zone_figures([HourRow(0, 22.0, 95.0, 100.0, 0.25)], 1)
    assert found.hours_over_critical == Figure(0.25, 0.25)
    assert found.light_dose == Figure(25.0, 0.25)
    assert found.mould_index.value == pytest.approx(mould_index(0.25, 22, 95))


def test_mould_stands_still_in_a_gap_and_is_carried_from_month_to_month():
    first = zone_figures(steady(672, 22.0, 95.0), 672)
    assert first.mould_index.value == pytest.approx(3.297, abs=0.0006)
    silent = zone_figures([], 720, "very", first.mould)
    assert silent.mould == first.mould
    assert silent.mould_index == Figure(None, 0.0)


def test_the_class_of_the_collection_decides_over_mould():
    rows = steady(24, 25.0, 83.0)
    assert zone_figures(rows, 24, "very").hours_over_critical.value == 24
    assert zone_figures(rows, 24, "resistant").hours_over_critical.value == 0


@pytest.mark.parametrize("hours", [[1, 0], [0, 0], [-1], [5]])
def test_rows_that_are_not_in_order_or_outside_the_period_are_refused(hours):
    with pytest.raises(ValueError, match="rows must be"):
        zone_figures([HourRow(hour, 20.0, 50.0) for hour in hours], 5)


@given(HISTORY)
def test_figures_of_any_history_stay_within_what_they_mean(rows):
    found = zone_figures(rows, len(rows))
    assert 0 <= found.twpi.coverage <= 1 + 1e-9
    assert (found.twpi.value is None) == (found.twpi.coverage == 0)
    assert 0 <= found.mould.index <= 6
    assert 0 <= (found.hours_over_critical.value or 0) <= len(rows)


@given(HISTORY, st.integers(0, 100))
def test_a_period_split_in_two_adds_up_to_the_whole(rows, cut):
    cut = min(cut, len(rows))
    early = zone_figures(rows[:cut], cut)
    late = [replace(row, hour=row.hour - cut) for row in rows[cut:]]
    after = zone_figures(late, len(late), "very", early.mould)
    whole = zone_figures(rows, len(rows))
    assert after.mould == whole.mould
    for name in ("hours_over_critical", "light_dose"):
        parts = [getattr(part, name).value or 0.0 for part in (early, after)]
        assert sum(parts) == pytest.approx(getattr(whole, name).value or 0.0)
