"""The rules of fees, a table a rule."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.fees.payment import PaymentLine
from server.fees.policy import (
    FeeTerms,
    OpenFee,
    Part,
    Refused,
    amount_of,
    decide_payment,
    decide_waiver,
    major,
    minor,
    overdue_fee,
    refuse_undo,
    reversal,
)

D = Decimal
DAILY = FeeTerms(D("0.20"), grace_open_days=3, cap=D("5.00"))
FEES = [OpenFee(3, 500), OpenFee(7, 120), OpenFee(9, 30)]


@pytest.mark.parametrize(
    ("terms", "late", "fee"),
    [
        (DAILY, -2, "0.00"),
        (DAILY, 0, "0.00"),
        (DAILY, 3, "0.00"),
        (DAILY, 4, "0.80"),
        (DAILY, 24, "4.80"),
        (DAILY, 25, "5.00"),
        (DAILY, 400, "5.00"),
        (FeeTerms(D("0.20"), 3, D("5.00"), grace_deducted=True), 4, "0.20"),
        (FeeTerms(D("0.20"), 3, D("5.00"), grace_deducted=True), 28, "5.00"),
        (FeeTerms(D("0.20")), 1, "0.20"),
        (FeeTerms(D("0.20")), 1000, "200.00"),
        (FeeTerms(D("0.20"), cap=D(0)), 9, "0.00"),
        (FeeTerms(), 9, "0.00"),
    ],
)
def test_what_a_late_return_costs(terms: FeeTerms, late: int, fee: str) -> None:
    assert str(overdue_fee(terms, late)) == fee


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("3", "3.00"), ("3.5", "3.50"), ("3.50", "3.50"), ("0.01", "0.01"), ("999999.99", "999999.99"),
        ("0", None), ("0.00", None), ("-1", None), ("+1", None), ("1.234", None), ("1,5", None), ("1e3", None),
        ("", None), (" 1", None), ("1000000", None), (".5", None), ("５", None), ("NaN", None), ("1.", None),
    ],
)  # fmt: skip
def test_which_words_are_an_amount(text: str, amount: str | None) -> None:
    found = amount_of(text)
    assert (None if found is None else str(found)) == amount


@pytest.mark.parametrize(
    ("amount", "fee_id", "answer"),
    [
        ("5.00", None, (Part(3, 500),)),
        ("5.20", None, (Part(3, 500), Part(7, 20))),
        ("0.01", None, (Part(3, 1),)),
        ("6.50", None, (Part(3, 500), Part(7, 120), Part(9, 30))),
        ("6.51", None, Refused("overpaid", {"owed": "6.50"})),
        ("1.20", 7, (Part(7, 120),)),
        ("0.30", 7, (Part(7, 30),)),
        ("1.21", 7, Refused("overpaid", {"owed": "1.20"})),
        ("1.00", 8, Refused("unknown_fee")),
        ("0.00", None, Refused("payment_amount")),
        ("0.001", None, Refused("payment_amount")),
        ("-1", None, Refused("payment_amount")),
    ],
)
def test_which_fees_a_payment_settles(amount: str, fee_id: int | None, answer: object) -> None:
    assert decide_payment(FEES, D(amount), fee_id=fee_id) == answer


def test_somebody_who_owes_nothing_cannot_pay() -> None:
    assert decide_payment([], D("1.00")) == Refused("overpaid", {"owed": "0.00"})


@pytest.mark.parametrize(
    ("amount", "reason", "fee_id", "answer"),
    [
        (None, "ill", 7, (Part(7, 120),)),
        ("1.00", "ill", 7, (Part(7, 100),)),
        ("1.21", "ill", 7, Refused("overpaid", {"owed": "1.20"})),
        (None, "ill", None, tuple(Part(fee.id, fee.owed) for fee in FEES)),
        ("0.001", "ill", None, Refused("payment_amount")),
        (None, "  ", None, Refused("reason_required")),
        (None, "ill", 99, Refused("unknown_fee")),
    ],
)
def test_what_may_be_forgiven(amount: str | None, reason: str, fee_id: int | None, answer: object) -> None:
    assert decide_waiver(FEES, None if amount is None else D(amount), reason, fee_id=fee_id) == answer
    assert decide_waiver([], D("1.00"), "ill") == Refused("unknown_fee")


@given(owed=st.integers(0, 10**7), paid=st.integers(0, 10**7))
def test_taking_a_fee_back_leaves_nothing_owed_and_returns_what_was_paid(owed: int, paid: int) -> None:
    back = reversal(owed, paid)
    assert owed - back.waived + back.refunded == 0
    assert back.refunded == paid


@given(owed=st.lists(st.integers(1, 10_000), max_size=6), amount=st.integers(1, 70_000))
def test_a_payment_is_booked_whole_or_not_at_all(owed: list[int], amount: int) -> None:
    fees = [OpenFee(number, cents) for number, cents in enumerate(owed)]
    answer = decide_payment(fees, major(amount))
    if isinstance(answer, Refused):
        assert amount > sum(owed)
    else:
        assert sum(part.amount for part in answer) == amount
        assert all(0 < part.amount <= owed[part.fee_id] for part in answer)
        assert [part.fee_id for part in answer] == list(range(len(answer)))


@given(st.integers(-(10**9), 10**9))
def test_minor_units_and_amounts_are_the_same(units: int) -> None:
    assert minor(major(units)) == units


def test_a_fraction_of_a_cent_is_never_lost_silently() -> None:
    with pytest.raises(ValueError, match="more than 2 places"):
        minor(D("0.005"))


AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
PAID = PaymentLine(11, 3, 500, AT, "user:anna", "cash")
REST = PaymentLine(12, 7, 20, AT, "user:anna", "cash")


@pytest.mark.parametrize(
    ("payment", "kept", "since", "code"),
    [
        ((), {}, AT, "unknown_payment"),
        ((PAID,), {3: 500}, AT, None),
        ((PAID, REST), {3: 900, 7: 20}, AT - timedelta(seconds=30), None),
        ((PAID,), {3: 500}, AT + timedelta(microseconds=1), "undo_too_late"),
        ((PAID, replace(REST, undone=True)), {3: 500, 7: 0}, AT, "payment_undone"),
        ((replace(PAID, undone=True),), {3: 0}, AT + timedelta(days=1), "payment_undone"),
        ((PAID, REST), {3: 499, 7: 20}, AT, "payment_refunded"),
        ((PAID,), {}, AT, "payment_refunded"),
    ],
)
def test_which_payments_can_be_undone(
    payment: tuple[PaymentLine, ...], kept: dict[int, int], since: datetime, code: str | None
) -> None:
    refused = refuse_undo(payment, kept, since=since)
    assert (refused.code if refused else None) == code
