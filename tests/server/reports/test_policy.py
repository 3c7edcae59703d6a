from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from environment.preservation.zone import Figure
from environment.schedule import DAYS, window
from server.reports import policy
from server.reports.policy import UNKNOWN, Month, Period

SHANGHAI, HELSINKI = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Helsinki")
VALUES = st.lists(st.none() | st.floats(-30, 60), max_size=80)


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("2026-11", Month(2026, 11)),
        ("2026-1", None),
        ("2026-13", None),
        ("2026-00", None),
        ("1969-12", None),
        ("9999-01", None),
        ("2026-11-01", None),
        ("２０２６-11", None),
        ("", None),
    ],
)
def test_a_month_is_written_as_year_and_month(text, month):
    assert policy.parse_month(text) == month
    if month:
        assert str(month) == text


def test_months_follow_each_other_over_the_new_year():
    assert Month(2026, 12).following == Month(2027, 1)
    assert Month(2027, 1).previous == Month(2026, 12)
    assert Month(2026, 2) < Month(2026, 10) < Month(2027, 1)


def test_a_month_is_the_librarys_own():
    assert Month(2026, 3).start(SHANGHAI) == datetime(2026, 2, 28, 16, tzinfo=UTC)
    assert policy.month_of(datetime(2026, 2, 28, 16, tzinfo=UTC), SHANGHAI) == Month(2026, 3)
    assert Month(2026, 3).year_start(SHANGHAI) == datetime(2025, 12, 31, 16, tzinfo=UTC)


def test_a_month_under_way_counts_the_hours_that_are_over():
    period = policy.period_of(Month(2026, 3), datetime(2026, 3, 2, 4, 30, tzinfo=UTC), SHANGHAI)
    assert period == Period(Month(2026, 3), datetime(2026, 2, 28, 16, tzinfo=UTC), 36, complete=False)
    assert period.end == datetime(2026, 3, 2, 4, tzinfo=UTC)


def test_a_month_in_which_the_clock_is_set_forward_is_an_hour_shorter():
    march = policy.period_of(Month(2026, 3), datetime(2026, 5, 1, tzinfo=UTC), HELSINKI)
    assert (march.hours, march.complete) == (31 * 24 - 1, True)


def test_hours_are_open_in_part():
    opening = [window("08:30", "21:00", DAYS[:5]), window("09:00", "12:00", DAYS[5:])]
    period = Period(Month(2026, 3), datetime(2026, 2, 28, 16, tzinfo=UTC), 48, complete=False)  # a Sunday and a Monday
    shares = policy.open_shares(period, opening, SHANGHAI)
    assert shares[:24] == [0.0] * 9 + [1.0] * 3 + [0.0] * 12
    assert shares[24:] == [0.0] * 8 + [0.5] + [1.0] * 12 + [0.0] * 3


def test_the_share_in_the_band_is_of_the_known_time():
    temps = [19.0, 21.0, None, 26.0]
    assert policy.in_band([temps], [(20.0, 26.0)], [1.0] * 4) == Figure(pytest.approx(200 / 3), 0.75)


def test_both_are_in_their_bands_only_where_both_are_known():
    temps, rhs = [21.0, 21.0, 21.0, 30.0], [50.0, 70.0, None, 50.0]
    found = policy.in_band([temps, rhs], [(20.0, 26.0), (40.0, 60.0)], [1.0] * 4)
    assert found == Figure(pytest.approx(100 / 3), 0.75)


def test_opening_hours_weigh_by_how_long_they_are_open():
    assert policy.in_band([[21.0, 30.0]], [(20.0, 26.0)], [1.0, 0.25]) == Figure(pytest.approx(80.0), 1.0)


def test_without_a_band_or_time_nothing_is_said():
    assert policy.in_band([[21.0], [50.0]], [(20.0, 26.0), None], [1.0]) == UNKNOWN
    assert policy.in_band([[21.0]], [(20.0, 26.0)], [0.0]) == UNKNOWN
    assert policy.in_band([[]], [(20.0, 26.0)], []) == UNKNOWN


def test_a_jump_is_the_distance_from_the_mean_of_its_day():
    steady: list[float | None] = [20.0] * 47
    assert policy.largest_deviation([*steady, 26.0], 24) == Figure(pytest.approx(5.75), 1.0)


def test_hours_before_the_month_belong_to_the_mean_but_are_not_judged():
    assert policy.largest_deviation([40.0, *[20.0] * 47], 24).value == 0.0


def test_a_deviation_needs_half_a_day_of_known_hours():
    assert policy.largest_deviation([20.0] * 11, 0) == UNKNOWN
    assert policy.largest_deviation([20.0] * 24, 0) == Figure(0.0, pytest.approx(13 / 24))


@given(VALUES, st.integers(0, 80))
def test_no_deviation_is_larger_than_the_whole_spread(values, first):
    found = policy.largest_deviation(values, min(first, len(values)))
    known = [value for value in values if value is not None]
    assert found.value is None or 0 <= found.value <= max(known) - min(known) + 1e-9
    assert 0 <= found.coverage <= 1


def test_a_sum_is_known_as_far_as_its_least_known_part():
    assert policy.together([Figure(1.0, 1.0), Figure(2.0, 0.5)]) == Figure(3.0, 0.5)
    assert policy.together([Figure(1.0, 1.0), UNKNOWN]) == Figure(1.0, 0.0)
    assert policy.together([UNKNOWN]) == UNKNOWN == policy.together([])


def test_period_of_a_month_that_has_just_begun_is_empty():
    at = Month(2026, 3).start(SHANGHAI)
    assert policy.period_of(Month(2026, 3), at + timedelta(minutes=59), SHANGHAI).hours == 0
