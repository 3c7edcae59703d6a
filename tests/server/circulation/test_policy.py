"""The rules of lending as tables, and what must hold for all of them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.circulation import policy
from server.circulation.policy import (
    LIFE_CYCLE,
    OVERRIDABLE,
    Allowed,
    Case,
    HoldFacts,
    ItemFacts,
    LoanFacts,
    PatronFacts,
    Refused,
    State,
    Trigger,
    counted_return,
    decide_cancel,
    decide_checkin,
    decide_checkout,
    decide_loss,
    decide_renewal,
    objections,
)
from server.lending.policy import Lending, LibraryPolicy, Rule

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)
RULE = Rule(days=30, renewals=2, max=2)
LENDING = Lending(LibraryPolicy(max_loans=3, fee_limit=Decimal(10), max_overdue=1), (RULE,))
NO_LIMITS = Lending(LibraryPolicy(max_loans=None), (RULE,))
ME = PatronFacts(id=1, open_loans=0)
MINE = LoanFacts(patron_id=1, due=NOW + timedelta(days=5))
THEIRS = LoanFacts(patron_id=2, due=NOW + timedelta(days=5))
FREE = Case(LENDING, NOW, SHANGHAI, rule=RULE, patron=ME, item=ItemFacts())
LENT = FREE._replace(loan=MINE, item=ItemFacts(status="on_loan"))
FOR_ME, FOR_THEM, NEEDED = HoldFacts(set_aside_for=1), HoldFacts(set_aside_for=2), HoldFacts(needed=True)
YESTERDAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("case", "code"),
    [
        (FREE, None),
        (FREE._replace(patron=None), "unknown_card"),
        (FREE._replace(item=None), "unknown_item"),
        (FREE._replace(loan=MINE), "on_loan_to_you"),
        (FREE._replace(loan=THEIRS), "on_loan"),
        (FREE._replace(patron=ME._replace(blocked=True)), "patron_blocked"),
        (FREE._replace(patron=ME._replace(expires_on=YESTERDAY)), "card_expired"),
        (FREE._replace(patron=ME._replace(expires_on=date(2026, 3, 2))), None),
        (FREE._replace(item=ItemFacts(for_loan=False)), "not_for_loan"),
        (FREE._replace(patron=ME._replace(open_loans=2)), None),
        (FREE._replace(patron=ME._replace(open_loans=3)), "loan_limit"),
        (FREE._replace(lending=NO_LIMITS, patron=ME._replace(open_loans=300)), None),
        (FREE._replace(patron=ME._replace(loans_in_rule=1)), None),
        (FREE._replace(patron=ME._replace(loans_in_rule=2)), "loan_limit"),
        (FREE._replace(patron=ME._replace(loans_in_rule=9), rule=replace(RULE, max=None)), None),
        (FREE._replace(patron=ME._replace(blocked=True, open_loans=9)), "patron_blocked"),
        (FREE._replace(patron=ME._replace(card_state="lost")), "card_lost"),
        (FREE._replace(patron=ME._replace(card_state="replaced")), "card_replaced"),
        (FREE._replace(patron=ME._replace(card_state="withdrawn")), "card_replaced"),
        (FREE._replace(patron=ME._replace(owed=Decimal("9.99"))), None),
        (FREE._replace(patron=ME._replace(owed=Decimal("10.00"))), "fee_limit"),
        (FREE._replace(lending=NO_LIMITS, patron=ME._replace(owed=Decimal(900), overdue=9)), None),
        (FREE._replace(patron=ME._replace(overdue=1)), None),
        (FREE._replace(patron=ME._replace(overdue=2)), "overdue_items"),
        (FREE._replace(rule=None), "no_rule"),
        (FREE._replace(rule=replace(RULE, allowed=False)), "class_not_allowed"),
        (FREE._replace(item=ItemFacts(status="on_hold_shelf"), holds=FOR_ME), None),
        (FREE._replace(item=ItemFacts(status="on_hold_shelf"), holds=FOR_THEM), "item_on_hold"),
        (FREE._replace(holds=NEEDED), "item_on_hold"),
        (FREE._replace(item=ItemFacts(status="missing")), "item_missing"),
        (FREE._replace(item=ItemFacts(status="lost")), "item_lost"),
        (FREE._replace(item=ItemFacts(status="withdrawn")), "item_withdrawn"),
        (FREE._replace(item=ItemFacts(status="repair")), "item_in_repair"),
        (FREE._replace(item=ItemFacts(status="in_processing")), "item_in_processing"),
        (FREE._replace(item=ItemFacts(status="in_transit")), "item_in_transit"),
        (FREE._replace(item=ItemFacts(tags=3, parts=3)), None),
        (FREE._replace(item=ItemFacts(tags=3)), None),
        (FREE._replace(item=ItemFacts(tags=3, parts=2)), "item_incomplete"),
    ],
)
def test_checkout_is_decided_by_the_table(case: Case, code: str | None) -> None:
    decision = decide_checkout(case)
    assert (decision.code if isinstance(decision, Refused) else None) == code


@pytest.mark.parametrize(
    ("case", "code"),
    [
        (LENT, None),
        (LENT._replace(patron=None), "unknown_card"),
        (LENT._replace(item=None, loan=None), "unknown_item"),
        (FREE, "not_on_loan"),
        (LENT._replace(loan=THEIRS), "not_your_loan"),
        (LENT._replace(patron=ME._replace(blocked=True)), "patron_blocked"),
        (LENT._replace(patron=ME._replace(expires_on=YESTERDAY)), "card_expired"),
        (LENT._replace(loan=MINE._replace(due=NOW)), None),
        (LENT._replace(loan=MINE._replace(due=NOW - timedelta(seconds=1))), "overdue"),
        (LENT._replace(loan=MINE._replace(renewals=1)), None),
        (LENT._replace(loan=MINE._replace(renewals=2)), "renewal_limit"),
        (LENT._replace(patron=ME._replace(open_loans=3, loans_in_rule=3)), None),
        (LENT._replace(item=ItemFacts(for_loan=False)), None),
        (LENT._replace(patron=ME._replace(card_state="lost")), "card_lost"),
        (LENT._replace(patron=ME._replace(owed=Decimal(10))), "fee_limit"),
        (LENT._replace(patron=ME._replace(overdue=9)), None),
        (LENT._replace(rule=None), "no_rule"),
        (LENT._replace(rule=replace(RULE, allowed=False)), "class_not_allowed"),
        (LENT._replace(rule=replace(RULE, renewals=0)), "renewal_limit"),
        (LENT._replace(holds=NEEDED), "hold_waiting"),
        (
            LENT._replace(
                loan=MINE._replace(due=NOW - timedelta(days=1)),
                lending=Lending(LibraryPolicy(renew_overdue=True), (RULE,)),
            ),
            None,
        ),
    ],
)
def test_renewal_is_decided_by_the_table(case: Case, code: str | None) -> None:
    decision = decide_renewal(case)
    assert (decision.code if isinstance(decision, Refused) else None) == code


@pytest.mark.parametrize(
    ("case", "code"),
    [
        (LENT, None),
        (LENT._replace(patron=None), None),
        (LENT._replace(loan=THEIRS), None),
        (LENT._replace(patron=ME._replace(blocked=True)), None),
        (FREE, "not_on_loan"),
        (FREE._replace(item=None), "unknown_item"),
    ],
)
def test_checkin_is_decided_by_the_table(case: Case, code: str | None) -> None:
    decision = decide_checkin(case)
    assert (decision.code if isinstance(decision, Refused) else None) == code


def test_a_card_is_good_until_its_last_day_ends_in_the_librarys_zone() -> None:
    patron = ME._replace(expires_on=date(2026, 3, 2))
    last = datetime(2026, 3, 2, 15, 59, 59, tzinfo=UTC)
    assert isinstance(decide_checkout(FREE._replace(patron=patron, now=last)), Allowed)
    assert decide_checkout(FREE._replace(patron=patron, now=last + timedelta(seconds=1))) == Refused(
        "card_expired", {"expired_on": "2026-03-02"}
    )


def test_a_renewal_counts_on_from_the_present_due_date() -> None:
    lent = decide_checkout(FREE)
    assert isinstance(lent, Allowed)
    assert lent.due == datetime(2026, 4, 1, 15, 59, 59, tzinfo=UTC)
    renewed = decide_renewal(LENT._replace(loan=MINE._replace(due=lent.due)))
    assert renewed == Allowed(datetime(2026, 5, 1, 15, 59, 59, tzinfo=UTC))


def test_a_renewal_that_would_be_over_already_counts_from_today() -> None:
    late = LENT._replace(
        loan=MINE._replace(due=NOW - timedelta(days=31)),
        lending=Lending(LibraryPolicy(renew_overdue=True), (RULE,)),
    )
    assert decide_renewal(late) == Allowed(datetime(2026, 4, 1, 15, 59, 59, tzinfo=UTC))


def test_every_trigger_has_one_row_for_a_state_or_a_code_for_being_out_of_place() -> None:
    rows = [(row.state, row.trigger) for row in LIFE_CYCLE]
    assert len(rows) == len(set(rows))
    assert {row.trigger for row in LIFE_CYCLE} == set(Trigger) == set(policy.OUT_OF_PLACE)


def test_a_loan_ends_by_a_return_a_loss_or_being_undone() -> None:
    ends = [row.trigger for row in LIFE_CYCLE if row.next is State.NO_LOAN]
    assert ends == [Trigger.CHECKIN, Trigger.CANCEL, Trigger.LOSS]


@pytest.mark.parametrize(
    ("case", "cancel", "loss"),
    [
        (LENT, None, None),
        (LENT._replace(patron=None), None, None),
        (LENT._replace(loan=THEIRS), "not_your_loan", None),
        (FREE, "not_on_loan", "not_on_loan"),
        (FREE._replace(item=None), "unknown_item", "unknown_item"),
    ],
)
def test_undoing_and_losing_are_decided_by_the_table(case: Case, cancel: str | None, loss: str | None) -> None:
    decisions = (decide_cancel(case), decide_loss(case))
    assert tuple(d.code if isinstance(d, Refused) else None for d in decisions) == (cancel, loss)


BAD = FREE._replace(
    patron=ME._replace(blocked=True, owed=Decimal(99), expires_on=YESTERDAY),
    item=ItemFacts(for_loan=False, status="missing", tags=2, parts=1),
    holds=FOR_THEM,
)


def test_staff_decide_against_what_they_name_and_nothing_else() -> None:
    named = frozenset({"patron_blocked", "fee_limit", "card_expired", "item_missing", "not_for_loan", "item_on_hold"})
    told = decide_checkout(BAD._replace(overrides=named))
    assert isinstance(told, Refused)
    assert told.code == "item_incomplete"
    allowed = decide_checkout(BAD._replace(overrides=OVERRIDABLE))
    assert isinstance(allowed, Allowed)
    assert {refused.code for refused in allowed.overridden} == named | {"item_incomplete"}
    assert decide_checkout(FREE._replace(overrides=OVERRIDABLE)) == decide_checkout(FREE)


@pytest.mark.parametrize(
    "case", [
        FREE._replace(patron=None), FREE._replace(item=None), FREE._replace(loan=THEIRS),
        FREE._replace(item=ItemFacts(status="lost")), FREE._replace(item=ItemFacts(status="withdrawn")),
    ],
)  # fmt: skip
def test_some_things_nobody_decides_against(case: Case) -> None:
    codes = frozenset({"unknown_card", "unknown_item", "on_loan", "item_lost", "item_withdrawn"})
    assert isinstance(decide_checkout(case._replace(overrides=codes)), Refused)


def test_what_has_happened_already_is_judged_in_full() -> None:
    told = [refused.code for refused in objections(BAD, Trigger.CHECKOUT)]
    assert told == [
        "patron_blocked", "card_expired", "fee_limit", "item_missing", "not_for_loan", "item_incomplete",
        "item_on_hold",
    ]  # fmt: skip
    assert objections(FREE, Trigger.CHECKOUT) == ()


@pytest.mark.parametrize(
    ("named", "counted"),
    [
        (None, NOW),
        (NOW + timedelta(days=1), NOW),
        (NOW - timedelta(days=2), NOW - timedelta(days=2)),
        (NOW - timedelta(days=40), NOW - timedelta(days=30)),
    ],
)
def test_a_return_counts_from_when_it_was_made(named: datetime | None, counted: datetime) -> None:
    assert counted_return(named, now=NOW, lent=NOW - timedelta(days=60), days=30) == counted


def test_a_return_never_counts_before_its_loan() -> None:
    lent = NOW - timedelta(days=1)
    assert counted_return(NOW - timedelta(days=9), now=NOW, lent=lent, days=30) == lent


patrons = st.none() | st.builds(
    PatronFacts,
    id=st.integers(1, 3),
    open_loans=st.integers(0, 5),
    loans_in_rule=st.integers(0, 5),
    overdue=st.integers(0, 3),
    owed=st.sampled_from([Decimal(0), Decimal("9.99"), Decimal(10)]),
    card_state=st.sampled_from(["active", "lost", "replaced"]),
    expires_on=st.none() | st.dates(date(2026, 2, 1), date(2026, 4, 1)),
    blocked=st.booleans(),
)
instants = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis wants them naive
loans = st.none() | st.builds(LoanFacts, patron_id=st.integers(1, 3), due=instants, renewals=st.integers(0, 4))
rules = st.builds(
    Rule, days=st.integers(1, 400), max=st.none() | st.integers(0, 5), renewals=st.integers(0, 4), allowed=st.booleans()
)
policies = st.builds(
    LibraryPolicy, max_loans=st.integers(0, 5), fee_limit=st.none() | st.just(Decimal(10)),
    max_overdue=st.none() | st.integers(0, 2),
)  # fmt: skip
zones = st.sampled_from([ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Helsinki", "America/St_Johns", "UTC")])
cases = st.builds(
    Case, lending=st.builds(Lending, policy=policies, rules=st.just(())), now=instants, zone=zones, patron=patrons,
    rule=st.none() | rules, item=st.none() | st.builds(ItemFacts, for_loan=st.booleans()), loan=loans,
    holds=st.sampled_from([HoldFacts(), FOR_ME, FOR_THEM, NEEDED]),
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
        assert case.patron.card_state == "active"
        assert case.rule is not None
        assert case.rule.allowed
        assert case.policy.max_loans is not None
        assert case.patron.open_loans < case.policy.max_loans
        assert case.rule.max is None or case.patron.loans_in_rule < case.rule.max
        assert case.policy.fee_limit is None or case.patron.owed < case.policy.fee_limit
    if isinstance(decide_renewal(case), Allowed):
        assert case.loan is not None
        assert case.rule is not None
        assert case.loan.renewals < case.rule.renewals
        assert not case.holds.needed


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
    assert decide_checkin(case) == decide_checkin(case._replace(patron=None))
