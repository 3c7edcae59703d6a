from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.reports.meter import Metered, by_counter, by_power
from server.telemetry.store import Bucket, Value, Window
from server.telemetry.windows import to_ms

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WIDTH_S = 300
HOUR = Window(NOON, NOON + timedelta(hours=1), WIDTH_S)


def bucket(number: int, low: float, high: float | None = None) -> Bucket:
    top = low if high is None else high
    return Bucket(to_ms(NOON) + 1000 * WIDTH_S * number, low, (low + top) / 2, top, 2)


def test_a_meter_is_read_at_both_ends():
    found = by_counter([bucket(0, 100.0, 100.2), bucket(11, 101.0, 101.5)], HOUR, None)
    assert found == Metered(pytest.approx(1.5), 1.0)


def test_the_last_reading_before_the_window_counts_unless_it_is_old():
    buckets = [bucket(6, 101.0)]
    assert by_counter(buckets, HOUR, Value(NOON - timedelta(minutes=5), 100.0)) == Metered(1.0, pytest.approx(35 / 60))
    assert by_counter(buckets, HOUR, Value(NOON - timedelta(hours=3), 50.0)).kwh == 0.0


def test_a_meter_that_begins_anew_is_followed_from_there():
    assert by_counter([bucket(0, 100.0), bucket(1, 0.0, 100.5), bucket(2, 0.25, 0.5)], HOUR, None).kwh == 1.0
    assert by_counter([bucket(0, 100.0), bucket(2, 700.0), bucket(3, 20.0, 20.5), bucket(4, 21.0)], HOUR, None) == (
        Metered(601.0, pytest.approx(25 / 60))
    )


def test_a_meter_that_told_nothing_is_unknown():
    assert by_counter([], HOUR, Value(NOON, 1.0)) == Metered(0.0, 0.0)


@given(st.lists(st.floats(0, 5, allow_nan=False), min_size=1, max_size=12))
def test_what_a_meter_rose_is_what_was_used(rises):
    at, buckets = 1000.0, []
    for number, rise in enumerate(rises):
        buckets.append(bucket(number, at, at + rise))
        at += rise
    assert by_counter(buckets, HOUR, None).kwh == pytest.approx(sum(rises), abs=1e-9)


def test_power_holds_until_the_next_report_unless_that_is_long_after():
    assert by_power([bucket(0, 1000.0), bucket(6, 0.0)], HOUR, None) == Metered(pytest.approx(0.5), 1.0)
    long = Window(NOON, NOON + timedelta(hours=6), WIDTH_S)
    found = by_power([bucket(0, 1000.0), bucket(60, 1000.0)], long, None)
    assert found.known_h == pytest.approx(5 / 60 + 1)
    assert found.kwh == pytest.approx(found.known_h)
    assert by_power([bucket(6, 0.0)], HOUR, Value(NOON - timedelta(minutes=30), 500.0)).kwh == pytest.approx(0.25)
