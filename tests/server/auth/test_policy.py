"""The lock after wrong passwords and PINs."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.auth.policy import LOCK, MEMORY, WRONG_LIMIT, locked_until

T0 = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def at(*minutes: float) -> list[datetime]:
    return [T0 + timedelta(minutes=m) for m in minutes]


@pytest.mark.parametrize(
    ("wrong", "now", "until"),
    [
        ([], 0, None),
        ([0, 1, 2, 3], 3, None),
        ([0, 1, 2, 3, 4], 4, 19),
        ([0, 1, 2, 3, 4], 18.9, 19),
        ([0, 1, 2, 3, 4], 19, None),
        ([0, 1, 2, 3, 15], 15, 30),
        ([0, 1, 2, 3, 15.1], 15.1, None),
        ([0, 10, 11, 12, 13, 20], 20, 35),
        ([0, 1, 2, 3, 4, 19], 19, None),
    ],
)
def test_five_wrong_in_fifteen_minutes_lock_for_fifteen(wrong: list[float], now: float, until: float | None) -> None:
    assert locked_until(at(*wrong), at(now)[0]) == (None if until is None else at(until)[0])


@given(st.lists(st.floats(0, 300), max_size=30), st.floats(0, 400))
def test_what_is_older_than_the_memory_decides_nothing(minutes: list[float], now_min: float) -> None:
    now = at(now_min)[0]
    wrong = [t for t in sorted(at(*minutes)) if t <= now]
    assert locked_until(wrong, now) == locked_until([t for t in wrong if t >= now - MEMORY], now)


@given(st.lists(st.floats(0, 300), min_size=1, max_size=60))
def test_a_guesser_gets_few_tries(minutes: list[float]) -> None:
    """Whoever tries at any times, each try refused while locked, never gets more than five in fifteen minutes."""
    tried: list[datetime] = []
    for now in sorted(at(*minutes)):
        if locked_until(tried, now) is None:
            tried.append(now)
    for first, sixth in zip(tried, tried[WRONG_LIMIT:], strict=False):
        assert sixth - first >= LOCK
