from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.reports.running import Running, running
from server.telemetry.store import Bucket, Value, Window
from server.telemetry.windows import to_ms

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WIDTH_S = 300


def span(hours: float = 1.0) -> Window:
    return Window(NOON, NOON + timedelta(hours=hours), WIDTH_S)


def bucket(number: int, low: float, high: float | None = None, mean: float | None = None) -> Bucket:
    top = low if high is None else high
    return Bucket(to_ms(NOON) + 1000 * WIDTH_S * number, low, (low + top) / 2 if mean is None else mean, top, 2)


def ran(*buckets: Bucket, hours: float = 1.0, before: Value | None = None, switch: bool = True) -> Running:
    return running(buckets, span(hours), before, scale=1.0 if switch else 100.0, switch=switch)


def test_a_device_stays_as_it_was_between_two_reports():
    assert ran(bucket(0, 1.0), bucket(6, 0.0)) == Running(1.0, 0.5, 1)


def test_what_was_told_before_holds_at_the_beginning():
    assert ran(bucket(6, 0.0), before=Value(NOON - timedelta(minutes=30), 1.0)) == Running(1.0, 0.5, 1)


def test_what_was_told_long_before_does_not():
    assert ran(bucket(6, 0.0), before=Value(NOON - timedelta(hours=3), 1.0)) == Running(0.5, 0.0, 1)


def test_a_device_that_never_told_anything_is_unknown():
    assert ran() == Running(0.0, 0.0, 0)


def test_a_device_that_is_silent_for_long_is_unknown_meanwhile():
    assert ran(bucket(0, 1.0), bucket(48, 1.0), hours=5) == Running(
        pytest.approx(1.0 + WIDTH_S / 3600), pytest.approx(1 + WIDTH_S / 3600), 0
    )


def test_a_switch_that_went_on_and_off_within_a_bucket_was_switched_twice():
    assert ran(bucket(0, 0.0), bucket(1, 0.0, 1.0), bucket(2, 0.0)).changes == 2
    assert ran(bucket(0, 0.0), bucket(1, 0.0, 1.0), bucket(2, 1.0)).changes == 1
    assert ran(bucket(0, 0.0), bucket(1, 0.0, 1.0), bucket(2, 0.0, 1.0), bucket(3, 1.0)).changes == 3


def test_a_change_at_the_very_end_is_counted():
    assert ran(bucket(0, 0.0), bucket(11, 0.0, 1.0)).changes == 1


def test_after_a_change_within_a_bucket_the_next_report_tells_how_it_stayed():
    found = ran(bucket(0, 0.0, 1.0), bucket(6, 1.0))
    assert found == Running(1.0, pytest.approx(1.0 - WIDTH_S / 2 / 3600), 1)


def test_half_output_counts_half():
    assert ran(bucket(0, 50.0), switch=False) == Running(1.0, 0.5, 0)


def test_a_move_is_a_change_however_small_but_for_noise():
    assert ran(bucket(0, 50.0), bucket(1, 50.5), bucket(2, 60.0), switch=False).changes == 1
    assert ran(bucket(0, 0.0), bucket(1, 0.0, 60.0), bucket(2, 60.0), switch=False).changes == 1


def test_a_report_beyond_full_output_is_full_output():
    assert ran(bucket(0, 140.0), switch=False).full_h == 1.0


@given(st.dictionaries(st.integers(0, 59), st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=60), st.booleans())
def test_no_history_gives_more_time_than_there_is(reports, known_before):
    buckets = [bucket(number, min(pair), max(pair)) for number, pair in sorted(reports.items())]
    before = Value(NOON - timedelta(minutes=1), 1.0) if known_before else None
    found = ran(*buckets, hours=5, before=before)
    assert 0 <= found.full_h <= found.known_h + 1e-9 <= 5 + 1e-8
    assert 0 <= found.changes <= 2 * len(buckets) + 1
