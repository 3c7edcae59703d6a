"""When a notice is due."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from server.circulation.loan import Loan
from server.fees.service import Fee
from server.holds.hold import Hold
from server.notices import policy
from server.notices.policy import Terms, Want

ZONE = ZoneInfo("Asia/Shanghai")
TERMS = Terms(ZONE, due_soon_days=3, overdue_days=(1, 7, 21), hold_expiring_days=1)
DUE = datetime(2026, 3, 20, 23, 59, 59, tzinfo=ZONE)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


def a_loan(*, lent: str = "2026-03-01T10:00", due: datetime = DUE, patron: int | None = 5, back: bool = False) -> Loan:
    return Loan(
        12, 1, patron, local(lent), due, 0, DUE if back else None, "main", "adult", "book", "desk",
        0, 0, False, None, None, None, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-03-16T23:59", None),
        ("2026-03-17T00:00", ("due_soon", "2026-03-20")),
        ("2026-03-20T23:59", ("due_soon", "2026-03-20")),
        ("2026-03-21T00:00", ("overdue", "2026-03-20+1")),
        ("2026-03-26T23:59", ("overdue", "2026-03-20+1")),
        ("2026-03-27T00:00", ("overdue", "2026-03-20+7")),
        ("2026-04-30T12:00", ("overdue", "2026-03-20+21")),
        ("2026-12-01T12:00", None),
    ],
)
def test_a_loan_is_told_of_in_steps(now: str, expected: tuple[str, str] | None) -> None:
    want = policy.of_loan(a_loan(), local(now), TERMS)
    assert (want and (want.kind, want.step)) == expected


def test_who_borrowed_for_less_than_the_reminders_days_is_not_reminded() -> None:
    assert policy.of_loan(a_loan(lent="2026-03-17T09:00"), local("2026-03-18T09:00"), TERMS) is None
    assert policy.of_loan(a_loan(lent="2026-03-16T09:00"), local("2026-03-18T09:00"), TERMS) is not None


def test_loans_that_came_back_or_belong_to_nobody_are_not_told_of() -> None:
    now = local("2026-03-25T09:00")
    assert policy.of_loan(a_loan(back=True), now, TERMS) is None
    assert policy.of_loan(a_loan(patron=None), now, TERMS) is None


def test_a_loan_by_the_hour_is_overdue_the_next_day() -> None:
    loan = a_loan(lent="2026-03-20T09:00", due=local("2026-03-20T11:00"))
    assert policy.of_loan(loan, local("2026-03-20T10:00"), TERMS) is None
    assert policy.of_loan(loan, local("2026-03-20T15:00"), TERMS) is None
    want = policy.of_loan(loan, local("2026-03-21T08:00"), TERMS)
    assert want == Want("overdue", "loan:12", "2026-03-20+1", 5)


def a_hold(state: str = "ready", *, ready: str = "2026-03-10T10:00", until: str = "2026-03-17T23:59") -> Hold:
    return Hold(
        3, 5, 1, None, "main", local("2026-03-01T10:00"), None, False, None, state,  # type: ignore[arg-type]
        7, local(ready), local(until), None, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("hold", "now", "expected"),
    [
        (a_hold(), "2026-03-10T10:01", "hold_ready"),
        (a_hold(), "2026-03-15T23:59", "hold_ready"),
        (a_hold(), "2026-03-16T00:00", "hold_expiring"),
        (a_hold(), "2026-03-18T00:00", None),
        (a_hold("waiting"), "2026-03-10T10:01", None),
        (a_hold(ready="2026-03-16T10:00"), "2026-03-16T11:00", "hold_ready"),
    ],
)
def test_a_hold_is_told_of_when_it_is_ready_and_before_it_is_over(hold: Hold, now: str, expected: str | None) -> None:
    want = policy.of_hold(hold, local(now), TERMS)
    assert (want and want.kind) == expected


def a_fee(number: int, owed: str, charged: str) -> Fee:
    return Fee(number, 5, "overdue", Decimal(owed), Decimal(owed), local(charged), "", None, None)


def test_fees_are_told_of_when_they_rested_and_are_worth_it() -> None:
    now = local("2026-03-10T12:00")
    old, new = a_fee(1, "0.60", "2026-03-09T10:00"), a_fee(2, "0.40", "2026-03-10T11:30")
    assert policy.of_fees([old], now, TERMS) == []
    assert [want.about for want in policy.of_fees([old, new], now, TERMS)] == ["fee:1"]
    assert [want.about for want in policy.of_fees([old, new], now + timedelta(hours=1), TERMS)] == ["fee:1", "fee:2"]
    assert policy.of_fees([a_fee(3, "9.00", "2025-03-10T11:30")], now, TERMS) == []


@pytest.mark.parametrize(
    ("begin", "end", "at", "expected"),
    [
        ("21:00", "08:00", "20:59", False),
        ("21:00", "08:00", "21:00", True),
        ("21:00", "08:00", "07:59", True),
        ("21:00", "08:00", "08:00", False),
        ("12:00", "14:00", "13:00", True),
        ("12:00", "14:00", "14:00", False),
        ("08:00", "08:00", "08:00", False),
    ],
)
def test_quiet_hours_are_the_librarys_own(begin: str, end: str, at: str, expected: bool) -> None:
    assert policy.quiet(local(f"2026-03-10T{at}"), ZONE, begin=begin, end=end) is expected


@pytest.mark.parametrize(
    ("begin", "end", "at", "expected"),
    [
        ("21:00", "08:00", "2026-03-10T20:59", None),
        ("21:00", "08:00", "2026-03-10T21:00", "2026-03-11T08:00"),
        ("21:00", "08:00", "2026-03-10T07:59", "2026-03-10T08:00"),
        ("12:00", "14:00", "2026-03-10T13:00", "2026-03-10T14:00"),
        ("08:00", "08:00", "2026-03-10T08:00", None),
    ],
)
def test_quiet_hours_end_on_the_librarys_clock(begin: str, end: str, at: str, expected: str | None) -> None:
    until = policy.quiet_end(local(at), ZONE, begin=begin, end=end)
    assert until == (None if expected is None else local(expected))


def test_pauses_grow_and_end() -> None:
    pauses = [policy.pause_after(number) for number in range(1, 8)]
    assert pauses[:2] == [timedelta(minutes=1), timedelta(minutes=5)]
    assert pauses[-1] is None
    assert list(policy.PAUSES) == sorted(policy.PAUSES)


def test_patrons_choose_their_channels() -> None:
    assert policy.channels_for(["webhook", "email"], "a@b.example", {"email"}) == ["email"]
    assert policy.channels_for(["webhook", "email"], "", {"email", "webhook"}) == ["webhook"]
    assert policy.channels_for([], "a@b.example", {"email", "webhook"}) == []


def test_days_late_are_whole_days() -> None:
    assert policy.days_late(date(2026, 3, 1), date(2026, 3, 8)) == 7
    assert policy.days_late(date(2026, 3, 8), date(2026, 3, 1)) == 0
