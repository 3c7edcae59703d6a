from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from server.feedback import policy
from server.lending.policy import Calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "answer", "close", "reopen"),
    [
        ("open", "answered", "closed", None),
        ("answered", "answered", "closed", "reopened"),
        ("closed", None, None, "reopened"),
        ("reopened", "answered", "closed", None),
    ],
)
def test_the_life_of_a_case_is_one_table(state, answer, close, reopen):
    assert [policy.next_state(state, trigger) for trigger in ("answer", "close", "reopen")] == [answer, close, reopen]


def test_numbers_begin_anew_each_year_and_get_longer_when_they_must():
    assert [policy.number_of(2026, n) for n in (1, 9999, 10000)] == ["2026-0001", "2026-9999", "2026-10000"]


@pytest.mark.parametrize(
    ("calendar", "days", "last"),
    [
        (Calendar(), 5, date(2026, 3, 7)),
        (Calendar(), 0, date(2026, 3, 2)),
        (Calendar(closed_weekdays=("sat", "sun")), 5, date(2026, 3, 9)),
        (Calendar(closed_dates=frozenset({date(2026, 3, 3)})), 1, date(2026, 3, 4)),
        (Calendar(closed_dates_by_branch={"north": frozenset({date(2026, 3, 3)})}), 1, date(2026, 3, 3)),
    ],
)
def test_the_deadline_counts_the_days_on_which_the_branch_opens(calendar, days, last):
    due = policy.deadline(MONDAY, days, calendar=calendar, zone=SHANGHAI, branch="main")
    assert (due.date(), due.hour, due.minute) == (last, 23, 59)


def test_only_what_waits_can_be_late():
    due = MONDAY
    later = datetime(2026, 3, 3, tzinfo=UTC)
    assert [policy.is_overdue(state, due, later) for state in ("open", "reopened", "answered", "closed")] == [
        True, True, False, False,
    ]  # fmt: skip
    assert not policy.is_overdue("open", due, due)


def test_there_must_be_something_to_judge():
    assert [policy.may_rate(state) for state in ("open", "reopened", "answered", "closed")] == [
        False, False, True, True,
    ]  # fmt: skip
