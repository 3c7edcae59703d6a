"""The ledger: it always sums, and what comes at the same moment is booked once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from server.audit import service as audit
from server.audit.values import Wanted
from server.db import Database
from server.fees import service
from server.fees.models import EntryRow
from server.fees.policy import Refused
from server.fees.service import Paid
from server.patrons import service as patrons
from tests.support.library import ALICE, BO, NOW

D = Decimal
DESK = "user:anna"
AT_ONCE = 12
T = TypeVar("T")


@pytest.fixture
def alice(database: Database) -> int:
    return key(database, ALICE)


def key(database: Database, card: str) -> int:
    with database.reading() as session:
        patron = patrons.find(session, card)
        assert patron is not None
        return patron.id


def charge(database: Database, patron_id: int, *amounts: str) -> list[int]:
    with database.writing() as session:
        return [
            service.charge(session, patron_id, "overdue", D(amount), at=NOW + timedelta(hours=n), actor=DESK)
            for n, amount in enumerate(amounts)
        ]


def pay(database: Database, patron_id: int, amount: str, payment_id: str, **more: object) -> Paid | Refused:
    arguments = {"means": "cash", "actor": DESK, "at": NOW} | more
    with database.writing() as session:
        return service.pay(session, patron_id, D(amount), payment_id=payment_id, **arguments)  # type: ignore[arg-type]


def owed(database: Database, patron_id: int) -> str:
    with database.reading() as session:
        assert service.balance(session, patron_id) == sum((f.owed for f in service.fees_of(session, patron_id)), D(0))
        return str(service.balance(session, patron_id))


def test_a_payment_settles_the_oldest_fee_first(database: Database, alice: int) -> None:
    first, second = charge(database, alice, "5.00", "1.20")
    paid = pay(database, alice, "5.50", "p1")
    assert isinstance(paid, Paid)
    assert [(part.fee_id, str(part.amount)) for part in paid.parts] == [(first, "5.00"), (second, "0.50")]
    assert str(paid.balance) == owed(database, alice) == "0.70"


def test_a_payment_can_name_its_fee(database: Database, alice: int) -> None:
    _, second = charge(database, alice, "5.00", "1.20")
    assert isinstance(pay(database, alice, "1.20", "p1", fee_id=second), Paid)
    assert pay(database, alice, "0.10", "p2", fee_id=second) == Refused("unknown_fee")
    assert owed(database, alice) == "5.00"


def test_nobody_pays_more_than_they_owe(database: Database, alice: int) -> None:
    charge(database, alice, "5.00")
    assert pay(database, alice, "5.01", "p1") == Refused("overpaid", {"owed": "5.00"})
    assert isinstance(pay(database, alice, "5.00", "p1"), Paid)
    assert owed(database, alice) == "0.00"


def test_the_same_payment_is_booked_once_and_answered_the_same_however_late(database: Database, alice: int) -> None:
    charge(database, alice, "5.00")
    first = pay(database, alice, "2.00", "p1")
    assert pay(database, alice, "2.00", "p1", at=NOW + timedelta(days=400)) == first
    assert pay(database, alice, "1.00", "p1", at=NOW + timedelta(days=3)) == Refused("payment_id_reused")
    assert owed(database, alice) == "3.00"
    assert isinstance(pay(database, alice, "1.00", "p1", actor="machine:kiosk-1"), Paid)


def test_a_payment_id_does_not_stand_for_another_payment(database: Database, alice: int) -> None:
    bo = key(database, BO)
    charge(database, alice, "5.00")
    charge(database, bo, "5.00")
    pay(database, alice, "2.00", "p1")
    assert pay(database, alice, "3.00", "p1") == Refused("payment_id_reused")
    assert pay(database, bo, "2.00", "p1") == Refused("payment_id_reused")
    assert (owed(database, alice), owed(database, bo)) == ("3.00", "5.00")


def test_a_refused_payment_leaves_its_id_free(database: Database, alice: int) -> None:
    charge(database, alice, "5.00")
    assert isinstance(pay(database, alice, "9.00", "p1"), Refused)
    assert isinstance(pay(database, alice, "5.00", "p1"), Paid)


def test_parallel_repeats_of_a_payment_book_once(database: Database, alice: int) -> None:
    charge(database, alice, "50.00")
    answers = all_at_once(database, lambda n: pay(database, alice, "2.00", "the-same"))
    assert all(answer == answers[0] for answer in answers)
    assert owed(database, alice) == "48.00"


def test_parallel_payments_of_one_fee_book_once(database: Database, alice: int) -> None:
    (fee,) = charge(database, alice, "5.00")
    answers = all_at_once(database, lambda n: pay(database, alice, "5.00", f"p{n}", fee_id=fee))
    assert sorted(type(answer).__name__ for answer in answers) == ["Paid"] + ["Refused"] * (AT_ONCE - 1)
    assert owed(database, alice) == "0.00"


def undo(database: Database, patron_id: int, payment_id: str, **more: object) -> Decimal | Refused:
    arguments = {"since": NOW, "actor": "user:bea", "at": NOW} | more
    with database.writing() as session:
        return service.undo_payment(session, patron_id, payment_id, **arguments)  # type: ignore[arg-type]


def test_an_undone_payment_is_owed_again_fee_by_fee(database: Database, alice: int) -> None:
    first, second = charge(database, alice, "5.00", "2.00")
    pay(database, alice, "6.00", "p1", means="card")
    assert undo(database, alice, "p1") == D("6.00")
    with database.reading() as session:
        assert {fee.id: str(fee.owed) for fee in service.fees_of(session, alice)} == {first: "5.00", second: "2.00"}
        last = service.ledger_of(session, alice)[-2:]
    assert {(line.entry, line.means, line.payment_id, line.actor) for line in last} == {
        ("reversal", "card", "p1", "user:bea")
    }
    assert undo(database, alice, "p1") == Refused("payment_undone")
    assert pay(database, alice, "6.00", "p1", means="card") == Refused("payment_undone"), "its number stands for it"
    assert isinstance(pay(database, alice, "7.00", "p2"), Paid)
    assert owed(database, alice) == "0.00"


def test_a_payment_stays_that_is_unknown_old_or_given_back(database: Database, alice: int) -> None:
    loan = lend(database, alice)
    with database.writing() as session:
        service.charge(session, alice, "lost", D("30.00"), at=NOW, actor=DESK, loan_id=loan)
    pay(database, alice, "12.00", "p1")
    assert undo(database, key(database, BO), "p1") == Refused("unknown_payment")
    assert undo(database, alice, "p1", since=NOW + timedelta(seconds=1)) == Refused("undo_too_late")
    with database.writing() as session:
        service.cancel_loan_fees(session, loan, actor=DESK, at=NOW, reason="found")
    assert undo(database, alice, "p1") == Refused("payment_refunded")
    assert owed(database, alice) == "0.00"


def test_parallel_undoings_take_a_payment_back_once(database: Database, alice: int) -> None:
    charge(database, alice, "5.00")
    pay(database, alice, "5.00", "p1")
    answers = all_at_once(database, lambda n: undo(database, alice, "p1"))
    assert sorted(type(answer).__name__ for answer in answers) == ["Decimal"] + ["Refused"] * (AT_ONCE - 1)
    assert owed(database, alice) == "5.00"


def test_the_database_lets_a_line_be_reversed_once(database: Database, alice: int) -> None:
    charge(database, alice, "5.00")
    pay(database, alice, "5.00", "p1")
    undo(database, alice, "p1")
    again = text(
        "INSERT INTO fee_entry (fee_id, patron_id, entry, amount, at, actor, means, payment_id, reason, reverses)"
        " SELECT fee_id, patron_id, entry, amount, at, actor, means, payment_id, reason, reverses FROM fee_entry"
        " WHERE reverses IS NOT NULL"
    )
    with pytest.raises(IntegrityError), database.writing() as session:
        session.execute(again)


def test_a_report_counts_an_undone_payment_as_none(database: Database, alice: int) -> None:
    charge(database, alice, "5.00")
    pay(database, alice, "5.00", "p1")
    undo(database, alice, "p1")
    with database.reading() as session:
        booked = service.booked(session, NOW - timedelta(days=1), NOW + timedelta(days=1))
    assert sum(one.amount for one in booked if one.entry == "payment") == 0
    assert {one.entry for one in booked} == {"charge", "payment"}


def test_a_charge_does_not_wait_for_a_request_that_has_the_patron_locked(database: Database, alice: int) -> None:
    """A return that charges holds its item; a renewal of the same loan holds the patron and waits for the item."""
    if database.engine.dialect.name == "sqlite":
        pytest.skip("SQLite lets one request write at a time")
    with database.writing() as renewal, database.writing() as checkin:
        patrons.borrower(renewal, ALICE, lock=True)
        checkin.execute(text("SET LOCAL lock_timeout = '5s'"))
        service.charge(checkin, alice, "overdue", D("1.00"), at=NOW, actor=DESK)
        checkin.flush()


def all_at_once(database: Database, work: Callable[[int], T]) -> list[T]:
    gate = threading.Barrier(AT_ONCE)

    def one(n: int) -> T:
        gate.wait()
        return work(n)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, range(AT_ONCE)))


def test_a_waiver_forgives_all_or_a_part_and_says_why(database: Database, alice: int) -> None:
    (fee,) = charge(database, alice, "5.00")
    with database.writing() as session:
        waive = partial(service.waive, session, alice, actor=DESK, at=NOW)
        assert waive(fee_id=fee, reason="ill", amount=D("2.00")) == D("2.00")
        assert waive(fee_id=fee, reason=" ") == Refused("reason_required")
        assert waive(fee_id=fee, reason="moved") == D("3.00")
        assert waive(fee_id=fee, reason="again") == Refused("unknown_fee")
        assert waive(fee_id=999, reason="none") == Refused("unknown_fee")
    assert owed(database, alice) == "0.00"


def test_what_was_charged_for_a_lost_item_is_taken_back_when_it_is_found(database: Database, alice: int) -> None:
    loan = lend(database, alice)
    with database.writing() as session:
        common = {"at": NOW, "actor": DESK, "loan_id": loan}
        service.charge(session, alice, "overdue", D("1.00"), **common)  # type: ignore[arg-type]
        lost = service.charge(session, alice, "lost", D("30.00"), **common)  # type: ignore[arg-type]
        service.charge(session, alice, "processing", D("5.00"), **common)  # type: ignore[arg-type]
    pay(database, alice, "12.00", "p1", fee_id=lost)
    with database.writing() as session:
        back = service.cancel_loan_fees(
            session, loan, actor=DESK, at=NOW, reason="found", kinds=("lost", "processing")
        )  # fmt: skip
        assert (str(back.waived), str(back.refunded)) == ("23.00", "12.00")
        again = service.cancel_loan_fees(session, loan, actor=DESK, at=NOW, reason="found", kinds=("lost",))
        assert (again.waived, again.refunded) == (0, 0)
    assert owed(database, alice) == "1.00"
    with database.reading() as session:
        lines = [(line.entry, line.kind, str(line.amount)) for line in service.ledger_of(session, alice)]
    assert lines == [
        ("charge", "overdue", "1.00"), ("charge", "lost", "30.00"), ("charge", "processing", "5.00"),
        ("payment", "lost", "-12.00"),
        ("waiver", "lost", "-30.00"), ("refund", "lost", "12.00"), ("waiver", "processing", "-5.00"),
    ]  # fmt: skip


def test_a_loan_is_remembered_until_its_fee_is_settled(database: Database, alice: int) -> None:
    loan = lend(database, alice)
    with database.writing() as session:
        fee = service.charge(session, alice, "overdue", D("1.00"), at=NOW, actor=DESK, loan_id=loan)
    with database.reading() as session:
        assert service.loans_with_open_fees(session, [loan, 999]) == {loan}
    with database.writing() as session:
        service.waive(session, alice, fee_id=fee, reason="ill", actor=DESK, at=NOW)
        assert service.loans_with_open_fees(session, [loan]) == set()
        service.forget_loans(session, [loan])
    with database.writing() as session:
        assert service.cancel_loan_fees(session, loan, actor=DESK, at=NOW, reason="late").waived == 0


def lend(database: Database, patron_id: int) -> int:
    with database.writing() as session:
        session.execute(
            text(
                "INSERT INTO loan (item_id, patron_id, checked_out_at, due_at, renewals)"
                " VALUES (1, :patron, '2026-03-01 00:00:00', '2026-03-01 00:00:00', 0)"
            ),
            {"patron": patron_id},
        )
        return int(session.execute(text("SELECT max(id) FROM loan")).scalar_one())


@pytest.mark.parametrize("change", ["UPDATE fee_entry SET amount = 1", "DELETE FROM fee_entry"])
def test_the_database_refuses_to_change_the_ledger(database: Database, alice: int, change: str) -> None:
    charge(database, alice, "5.00")
    with pytest.raises(DBAPIError, match="append-only"), database.writing() as session:
        session.execute(text(change))
    assert owed(database, alice) == "5.00"


@pytest.mark.parametrize("amount", ["0", "-1", "0.001"])
def test_a_fee_of_nothing_is_a_mistake(database: Database, alice: int, amount: str) -> None:
    with pytest.raises(ValueError, match=r"must be more than 0|more than 2 places"), database.writing() as session:
        service.charge(session, alice, "overdue", D(amount), at=NOW, actor=DESK)


def test_every_booking_is_in_the_audit_log_without_names(database: Database, alice: int) -> None:
    (fee, other) = charge(database, alice, "5.00", "1.00")
    pay(database, alice, "1.00", "p1")
    with database.writing() as session:
        service.waive(session, alice, fee_id=fee, reason="ill", actor=DESK, at=NOW)
    undo(database, alice, "p1")
    with database.reading() as session:
        rows = [
            (row.entry.action, row.entry.target)
            for row in audit.page(session, Wanted())
            if row.entry.action.startswith("fee.")
        ]
    assert rows[::-1] == [
        ("fee.charge", f"fee:{fee}"), ("fee.charge", f"fee:{other}"), ("fee.pay", f"patron:{alice}"),
        ("fee.waive", f"fee:{fee}"), ("fee.undo", f"patron:{alice}"),
    ]  # fmt: skip


BOOKINGS = st.lists(
    st.one_of(
        st.tuples(st.just("charge"), st.integers(1, 500)),
        st.tuples(st.just("pay"), st.integers(1, 600)),
        st.tuples(st.just("pay_one"), st.integers(1, 300)),
        st.tuples(st.just("waive"), st.integers(1, 600)),
        st.tuples(st.just("repeat"), st.integers(0, 5)),
        st.tuples(st.just("undo"), st.integers(0, 5)),
    ),
    max_size=14,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bookings=BOOKINGS)
def test_the_ledger_always_sums_and_payments_never_make_it_negative(database: Database, bookings) -> None:  # type: ignore[no-untyped-def]
    patron = key(database, BO)
    with database.reading() as session:
        expected = service.balance(session, patron)
        number = session.scalar(select(func.count()).select_from(EntryRow)) or 0
    told: list[tuple[str, Decimal, Paid]] = []
    for step, (what, cents) in enumerate(bookings):
        amount, name = D(cents) / 100, f"n{number}-{step}"
        with database.reading() as session:
            fees = service.fees_of(session, patron)
        if what == "charge":
            charge(database, patron, str(amount))
            expected += amount
        elif what in ("pay", "pay_one"):
            answer = pay(
                database, patron, str(amount), name, fee_id=fees[-1].id if fees and what == "pay_one" else None
            )
            if isinstance(answer, Paid):
                expected -= amount
                told.append((name, amount, answer))
        elif what == "waive" and fees:
            with database.writing() as session:
                forgiven = service.waive(
                    session, patron, fee_id=fees[0].id, reason="so", actor=DESK, at=NOW, amount=amount
                )
            expected -= forgiven if isinstance(forgiven, Decimal) else 0
        elif what == "repeat" and told:
            name, amount, answer = told[cents % len(told)]
            assert pay(database, patron, str(amount), name) == answer
        elif what == "undo" and told:
            name, amount, _ = told.pop(cents % len(told))
            assert undo(database, patron, name) == amount
            expected += amount
        with database.reading() as session:
            left = service.fees_of(session, patron)
            assert service.balance(session, patron) == expected == sum((fee.owed for fee in left), D(0)) >= 0
            assert all(0 < fee.owed <= fee.amount for fee in left)
