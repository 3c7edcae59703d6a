"""An actuator that is elsewhere than ordered is told again, ever more rarely."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.control.drift import Drift

NOW = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)


def told(drift: Drift, until_s: int, *, off_by: float | None = 100.0, wanted: float = 100.0) -> list[int]:
    """The seconds at which it is due when looked at every ten."""
    return [
        second
        for second in range(0, until_s + 1, 10)
        if drift.due("curtain", off_by=off_by, wanted=wanted, now=NOW + timedelta(seconds=second))
    ]


def test_it_is_due_after_a_minute_and_then_ever_more_rarely() -> None:
    assert told(Drift(), 4000) == [60, 180, 420, 900, 1800, 2700, 3600]


def test_where_it_should_be_or_never_heard_of_it_is_not_due() -> None:
    assert told(Drift(), 300, off_by=5.0) == []
    assert told(Drift(), 300, off_by=None) == []


def test_arriving_or_another_wish_begins_anew() -> None:
    drift = Drift()
    assert told(drift, 50) == []
    assert not drift.due("curtain", off_by=0, wanted=100, now=NOW + timedelta(seconds=55))
    assert not drift.due("curtain", off_by=90, wanted=100, now=NOW + timedelta(seconds=60))
    assert not drift.due("curtain", off_by=90, wanted=40, now=NOW + timedelta(seconds=119))
    assert not drift.due("curtain", off_by=90, wanted=40, now=NOW + timedelta(seconds=170))
    assert drift.due("curtain", off_by=90, wanted=40, now=NOW + timedelta(seconds=180))


def test_a_clock_set_back_does_not_put_it_off_for_ever() -> None:
    drift = Drift()
    drift.due("curtain", off_by=90, wanted=100, now=NOW + timedelta(days=1))
    assert told(drift, 100) == [60]
