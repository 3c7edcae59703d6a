"""The rules of lending as tables, and what must hold for all of them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrel.clock import local_date
from server.circulation import policy
from server.circulation.policy import (
    LIFE_CYCLE,
    Allowed,
    Case,
    ItemFacts,
    LoanFacts,
    PatronFacts,
    Refused,
    Rules,
    State,
    Trigger,
    decide_checkin,
    decide_checkout,
    decide_renewal,
    due_date,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)
RULES = Rules(loan_days=30, max_loans=3, max_renewals=2)
ME = PatronFacts(id=1, open_loans=0)
MINE = LoanFacts(patron_id=1, due=NOW + timedelta(days=5))
THEIRS = LoanFacts(patron_id=2, due=NOW + timedelta(days=5))
FREE = Case(RULES, NOW, SHANGHAI, patron=ME, item=ItemFacts())
LENT = replace(FREE, loan=MINE)
YESTERDAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("case", "code"),
    [
        (FREE, None),
        (replace(FREE, patron=None), "unknown_card"),
        (replace(FREE, item=None), "unknown_item"),
        (replace(FREE, loan=MINE), "on_loan_to_you"),
        (replace(FREE, loan=THEIRS), "on_loan"),
        (replace(FREE, patron=replace(ME, blocked=True)), "patron_blocked"),
        (replace(FREE, patron=replace(ME, expires_on=YESTERDAY)), "card_expired"),
        (replace(FREE, patron=replace(ME, expires_on=date(2026, 3, 2))), None),
        (replace(FREE, item=ItemFacts(for_loan=False)), "not_for_loan"),
        (replace(FREE, patron=replace(ME, open_loans=2)), None),
        (replace(FREE, patron=replace(ME, open_loans=3)), "loan_limit"),
        (replace(FREE, patron=replace(ME, blocked=True, open_loans=9)), "patron_blocked"),
    ],
)
def test_checkout_is_decided_by_the_table(case: Case, code: str | None) -> None:
    decision = decide_checkout(case)
    assert (decision.code if isinstance(decision, Refused) else None) == code


@pytest.mark.parametrize(
    ("case", "code"),
    [
        (LENT, None),
        (replace(LENT, patron=None), "unknown_card"),
        (replace(LENT, item=None, loan=None), "unknown_item"),
        (FREE, "not_on_loan"),
        (replace(LENT, loan=THEIRS), "not_your_loan"),
        (replace(LENT, patron=replace(ME, blocked=True)), "patron_blocked"),
        (replace(LENT, patron=replace(ME, expires_on=YESTERDAY)), "card_expired"),
        (replace(LENT, loan=replace(MINE, due=NOW)), None),
        (replace(LENT, loan=replace(MINE, due=NOW - timedelta(seconds=1))), "overdue"),
        (replace(LENT, loan=replace(MINE, renewals=1)), None),
        (replace(LENT, loan=replace(MINE, renewals=2)), "renewal_limit"),
        (replace(LENT, patron=replace(ME, open_loans=3)), None),
        (replace(LENT, item=ItemFacts(for_loan=False)), None),
    ],
)
def test_renewal_is_decided_by_the_table(case: Case, code: str | None) -> None:
    decision = decide_renewal(case)
    assert (decision.code if isinstance(decision, Refused) else None) == code


@pytest.mark.parametrize(
    ("case", "code"),
    [
        (LENT, None),
        (replace(LENT, patron=None), None),
        (replace(LENT, loan=THEIRS), None),
        (replace(LENT, patron=replace(ME, blocked=True)), None),
        (FREE, "not_on_loan"),
        (replace(FREE, item=None), "unknown_item"),
    ],
)
def test_checkin_is_decided_by_the_table(case: Case, code: str | None) -> None:
    decision = decide_checkin(case)
    assert (decision.code if isinstance(decision, Refused) else None) == code


def test_a_card_is_good_until_its_last_day_ends_in_the_librarys_zone() -> None:
    patron = replace(ME, expires_on=date(2026, 3, 2))
    last = datetime(2026, 3, 2, 15, 59, 59, tzinfo=UTC)
    assert isinstance(decide_checkout(replace(FREE, patron=patron, now=last)), Allowed)
    assert decide_checkout(replace(FREE, patron=patron, now=last + timedelta(seconds=1))) == Refused(
        "card_expired", {"expired_on": "2026-03-02"}
    )


def test_a_renewal_counts_on_from_the_present_due_date() -> None:
    lent = decide_checkout(FREE)
    assert isinstance(lent, Allowed)
    assert lent.due == datetime(2026, 4, 1, 15, 59, 59, tzinfo=UTC)
    renewed = decide_renewal(replace(LENT, loan=replace(MINE, due=lent.due)))
    assert renewed == Allowed(datetime(2026, 5, 1, 15, 59, 59, tzinfo=UTC))


def test_the_due_day_is_counted_in_calendar_days_across_a_clock_change() -> None:
    helsinki = ZoneInfo("Europe/Helsinki")
    due = due_date(datetime(2026, 3, 28, 22, 30, tzinfo=UTC), 1, helsinki)  # already 29 March there
    assert due.astimezone(helsinki).isoformat() == "2026-03-30T23:59:59+03:00"


def test_every_trigger_has_one_row_for_a_state_or_a_code_for_being_out_of_place() -> None:
    rows = [(row.state, row.trigger) for row in LIFE_CYCLE]
    assert len(rows) == len(set(rows))
    assert {row.trigger for row in LIFE_CYCLE} == set(Trigger) == set(policy.OUT_OF_PLACE)


def test_only_a_checkin_ends_a_loan() -> None:
    assert [row.trigger for row in LIFE_CYCLE if row.next is State.NO_LOAN] == [Trigger.CHECKIN]


patrons = st.none() | st.builds(
    PatronFacts,
    id=st.integers(1, 3),
    open_loans=st.integers(0, 5),
    expires_on=st.none() | st.dates(date(2026, 2, 1), date(2026, 4, 1)),
    blocked=st.booleans(),
)
instants = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis wants them naive
loans = st.none() | st.builds(LoanFacts, patron_id=st.integers(1, 3), due=instants, renewals=st.integers(0, 4))
rules = st.builds(Rules, loan_days=st.integers(1, 400), max_loans=st.integers(0, 5), max_renewals=st.integers(0, 4))
zones = st.sampled_from([ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Helsinki", "America/St_Johns", "UTC")])
cases = st.builds(
    Case, rules=rules, now=instants, zone=zones, patron=patrons,
    item=st.none() | st.builds(ItemFacts, for_loan=st.booleans()), loan=loans,
)  # fmt: skip


@given(cases)
def test_an_item_with_a_loan_is_never_lent(case: Case) -> None:
    if case.loan is not None:
        assert isinstance(decide_checkout(case), Refused)


@given(cases)
def test_nobody_gets_past_the_limits(case: Case) -> None:
    if isinstance(decide_checkout(case), Allowed):
        assert case.patron is not None
        assert not case.patron.blocked
        assert case.patron.open_loans < case.rules.max_loans
    if isinstance(decide_renewal(case), Allowed):
        assert case.loan is not None
        assert case.loan.renewals < case.rules.max_renewals


@given(cases)
def test_a_renewal_always_gives_more_time(case: Case) -> None:
    decision = decide_renewal(case)
    if isinstance(decision, Allowed):
        assert case.loan is not None
        assert decision.due is not None
        assert decision.due > case.loan.due
        assert decision.due > case.now


@given(cases)
def test_a_checkin_never_depends_on_the_patron(case: Case) -> None:
    assert decide_checkin(case) == decide_checkin(replace(case, patron=None))


@given(instants, st.integers(1, 400), zones)
def test_a_due_date_is_the_last_second_of_its_day(start: datetime, days: int, zone: ZoneInfo) -> None:
    due = due_date(start, days, zone)
    assert local_date(due, zone) == local_date(start, zone) + timedelta(days=days)
    assert local_date(due + timedelta(seconds=1), zone) == local_date(due, zone) + timedelta(days=1)
