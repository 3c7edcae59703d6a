"""What comes back, what does not, and what is made undone."""

from datetime import timedelta
from decimal import Decimal

import pytest

from server.circulation import repository
from server.circulation.models import LoanRow, RenewalRow
from server.fees import service as fees
from server.lending.errors import UnknownBranchError
from server.lending.occasion import Channel
from server.lending.policy import Calendar, LibraryPolicy, Rule
from tests.support.counter import Counter, codes, local
from tests.support.library import ALICE, BLOCKED, BO, BOOKS, MISSING, NOW

PAYING = Rule(days=10, renewals=1, fee_per_open_day=Decimal("0.50"), grace_open_days=2, cap=Decimal("5.00"))
A, B, C = BOOKS[:3]


def loans(counter: Counter, barcode: str) -> list[LoanRow]:
    item_id = counter.item(barcode).id
    return counter.ask(
        lambda session: list(session.query(LoanRow).where(LoanRow.item_id == item_id).order_by(LoanRow.id))
    )


@pytest.mark.parametrize(
    ("days_late", "closed", "fee"),
    [
        (0, (), "0.00"),
        (2, (), "0.00"),
        (3, (), "1.50"),
        (30, (), "5.00"),
        (4, ("sat", "sun"), "0.00"),
        (5, ("sat", "sun"), "1.50"),
    ],
)
def test_lateness_costs_by_open_days_beyond_the_grace_up_to_the_cap(
    counter: Counter, days_late: int, closed: tuple[str, ...], fee: str
) -> None:
    counter.rule_by(PAYING, calendar=Calendar(closed_weekdays=closed))  # type: ignore[arg-type]
    (lent,) = counter.checkout(ALICE, A)
    assert local(lent.due) == "2026-03-12 23:59"  # a Thursday
    (back,) = counter.at(days=10 + days_late).checkin(A)
    assert (back.status, back.fee) == ("ok", Decimal(fee) or None)
    assert counter.owed(ALICE) == Decimal(fee)


def test_a_promise_made_is_kept_when_the_rules_change(counter: Counter) -> None:
    counter.rule_by(PAYING)
    counter.checkout(ALICE, A)
    counter.rule_by(Rule(days=1, fee_per_open_day=Decimal(9)))
    (back,) = counter.at(days=14).checkin(A)
    assert back.fee == Decimal("2.00")


def test_a_book_drop_is_counted_when_it_was_filled_within_limits(counter: Counter) -> None:
    counter.rule_by(PAYING, policy=LibraryPolicy(checkin_backdate_days=3))
    counter.checkout(ALICE, A, B, C)
    later = counter.at(days=14)
    (yesterday,) = later.checkin(A, returned_at=NOW + timedelta(days=13))
    (long_ago,) = later.checkin(B, returned_at=NOW + timedelta(days=2))
    (tomorrow,) = later.checkin(C, returned_at=NOW + timedelta(days=15))
    assert [one.fee for one in (yesterday, long_ago, tomorrow)] == [Decimal("1.50"), None, Decimal("2.00")]
    assert loans(counter, B)[0].checked_in_at == NOW + timedelta(days=11)


def test_what_was_not_on_loan_is_here_all_the_same(counter: Counter) -> None:
    later = counter.at(hours=1)
    (refused,) = later.checkin(MISSING)
    assert (refused.code, refused.security, refused.route) == ("not_on_loan", "in_stock", "shelf")
    item = counter.item(MISSING)
    assert (item.status, item.last_seen_at) == ("on_shelf", NOW + timedelta(hours=1))
    assert codes(later.checkin(MISSING, accept_not_on_loan=True)) == ["ok"]


def test_a_withdrawn_item_goes_to_the_staff(counter: Counter) -> None:
    counter.change_item(A, status="withdrawn")
    (back,) = counter.checkin(A, accept_not_on_loan=True)
    assert (back.code, back.route, counter.item(A).status) == ("item_withdrawn", "staff", "withdrawn")


def test_a_return_at_another_branch_travels_home(counter: Counter) -> None:
    counter.checkout(ALICE, A)
    (back,) = counter.on(branch="north").checkin(A)
    assert (back.status, back.route, back.route_to) == ("ok", "transit", "main")
    item = counter.item(A)
    assert (item.status, item.at_branch, item.transit_to) == ("in_transit", "north", "main")
    assert codes(counter.checkout(BO, A)) == ["item_in_transit"]
    (home,) = counter.checkin(A, accept_not_on_loan=True)
    assert (home.route, counter.item(A).status, counter.item(A).transit_to) == ("shelf", "on_shelf", None)


def test_an_incomplete_set_stays_on_loan_unless_staff_take_it_so(counter: Counter) -> None:
    counter.change_item(A, tags=3)
    assert codes(counter.checkout(ALICE, f"{A}/2")) == ["item_incomplete"]
    (lent,) = counter.checkout(ALICE, f"{A}/2", overrides=["item_incomplete"], reason="part 3 is at the binder's")
    assert lent.overridden == ("item_incomplete",)
    (refused,) = counter.checkin(f"{A}/1")
    assert (refused.code, refused.params) == ("item_incomplete", {"seen": 1, "parts": 3})
    wish = counter.hold(BO, A)
    (short,) = counter.checkin(f"{A}/1", accept_incomplete=True)
    assert (short.status, short.route, counter.item(A).status) == ("ok", "staff", "in_processing")
    (task,) = counter.tasks("incomplete")
    assert task.detail == {"seen": 1, "parts": 3}
    assert counter.get_hold(wish.hold).state == "waiting", "staff are to complete it first"
    assert codes(counter.undo(A)) == ["ok"]
    assert (counter.tasks("incomplete"), counter.item(A).status) == ([], "on_loan")
    counter.checkin(f"{A}/1", accept_incomplete=True)
    (still,) = counter.checkin(f"{A}/2", accept_incomplete=True, accept_not_on_loan=True)
    assert (still.route, len(counter.tasks("incomplete"))) == ("staff", 1)
    (complete,) = counter.checkin(f"{A}/3", accept_not_on_loan=True)
    assert (complete.route, counter.get_hold(wish.hold).state, counter.tasks("incomplete")) == ("hold", "ready", [])


def test_a_lost_item_is_charged_and_given_back_when_it_turns_up(counter: Counter) -> None:
    counter.rule_by(PAYING, policy=LibraryPolicy(lost_processing_fee=Decimal("3.00")))
    counter.change_item(A, price=4250)
    counter.checkout(ALICE, A)
    (lost,) = counter.at(days=11).lose(A)
    assert (lost.status, lost.fee, counter.owed(ALICE)) == ("ok", Decimal("45.50"), Decimal("45.50"))
    assert counter.item(A).status == "lost"
    assert codes(counter.checkout(BO, A)) == ["item_lost"]
    (task,) = counter.tasks("lost")
    assert task.code == "item_lost"
    (found,) = counter.at(days=13).checkin(A)
    assert (found.status, found.fee) == ("ok", Decimal("1.50")), "it was late instead"
    assert counter.owed(ALICE) == Decimal("4.50")
    assert counter.item(A).status == "on_shelf"
    assert counter.tasks("lost") == []


def test_a_lost_item_that_was_paid_is_paid_back_but_not_after_the_librarys_time(counter: Counter) -> None:
    counter.rule_by(Rule(days=10), policy=LibraryPolicy(lost_price=Decimal("20.00"), lost_refund_days=90))
    counter.checkout(ALICE, A, B)
    counter.lose(A, B)
    patron_id = counter.patron_id(ALICE)
    paid = {"payment_id": "p", "means": "cash", "actor": "user:librarian", "at": NOW}
    counter.do(lambda session: fees.pay(session, patron_id, Decimal("40.00"), **paid))  # type: ignore[arg-type]
    counter.at(days=5).checkin(A)
    counter.at(days=91).checkin(B)
    ledger = counter.ask(lambda session: fees.ledger_of(session, patron_id))
    assert [line.amount for line in ledger if line.entry == "refund"] == [Decimal("20.00")]
    assert counter.owed(ALICE) == Decimal(0)
    assert counter.item(B).status == "on_shelf"


def test_an_undone_return_of_a_lost_item_leaves_it_lost_and_paid_as_it_was(counter: Counter) -> None:
    counter.rule_by(PAYING, policy=LibraryPolicy(lost_price=Decimal("20.00"), lost_processing_fee=Decimal("3.00")))
    counter.checkout(ALICE, A)
    wish = counter.hold(BO, A)
    counter.at(days=11).lose(A)
    alice = counter.patron_id(ALICE)
    paid = {"payment_id": "p", "means": "cash", "actor": "user:librarian", "at": NOW}
    counter.do(lambda session: fees.pay(session, alice, Decimal("5.00"), **paid))  # type: ignore[arg-type]
    (before,) = counter.ask(lambda session: [repository.history(session, counter.item(A).id)])
    (task,) = counter.tasks("lost")
    for day in (13, 15):  # also a second time
        found = counter.at(days=day)
        assert codes(found.checkin(A)) == ["ok"]
        assert counter.get_hold(wish.hold).state == "ready"
        (undone,) = found.at(seconds=20).undo(A)
        assert (undone.status, undone.security, undone.due) == ("ok", "on_loan", None)
        assert (counter.item(A).status, counter.owed(ALICE)) == ("lost", Decimal("18.00"))
        assert counter.ask(lambda session: repository.history(session, counter.item(A).id)) == before
        assert counter.tasks("lost") == [task]
        assert counter.get_hold(wish.hold).state == "waiting"
    counter.at(days=16).checkin(A)
    ledger = counter.ask(lambda session: fees.ledger_of(session, alice))
    assert sum(line.amount for line in ledger if line.entry in ("refund", "payment")) == Decimal(0), "given back once"


def test_what_is_not_on_loan_cannot_be_lost(counter: Counter) -> None:
    assert codes(counter.lose(A, "nothing")) == ["not_on_loan", "unknown_item"]


def test_a_cancelled_checkout_leaves_nothing(counter: Counter) -> None:
    counter.checkout(ALICE, A)
    assert codes(counter.cancel(BO, A)) == ["not_your_loan"]
    assert codes(counter.cancel("12345", A)) == ["unknown_card"]
    (undone,) = counter.on(Channel.SIP2).at(hours=2).cancel(ALICE, A)
    assert (undone.status, undone.security) == ("ok", "in_stock")
    assert loans(counter, A) == []
    assert counter.item(A).status == "on_shelf"
    assert codes(counter.cancel(ALICE, A)) == ["not_on_loan"]


def test_the_number_of_an_undone_loan_is_not_given_again(counter: Counter) -> None:
    """A terminal that has not heard of it names it with a payment, and would mean another patron's loan."""
    counter.checkout(ALICE, A)
    (first,) = loans(counter, A)
    counter.cancel(ALICE, A)
    counter.checkout(BO, A)
    (second,) = loans(counter, A)
    assert second.id > first.id


def test_the_desk_undoes_a_checkout_for_half_a_minute(counter: Counter) -> None:
    counter.checkout(ALICE, A, B)
    assert codes(counter.at(seconds=30).undo(A)) == ["ok"]
    assert codes(counter.at(seconds=31).undo(B)) == ["undo_too_late"]
    assert loans(counter, A) == []


def test_the_desk_undoes_a_checkin_with_its_fee_and_what_it_set_aside(counter: Counter) -> None:
    counter.rule_by(PAYING)
    (lent,) = counter.checkout(ALICE, A)
    wish = counter.hold(BO, A)
    late = counter.at(days=20)
    (back,) = late.checkin(A)
    assert (back.route, back.fee) == ("hold", Decimal("5.00"))
    (undone,) = late.at(seconds=20).undo(A)
    assert (undone.status, undone.security, undone.due) == ("ok", "on_loan", lent.due)
    assert counter.owed(ALICE) == Decimal(0)
    assert counter.item(A).status == "on_loan"
    assert counter.get_hold(wish.hold).state == "waiting"
    assert codes(late.at(seconds=20).undo(B)) == ["nothing_to_undo"]


def test_the_desk_undoes_a_renewal_and_then_the_checkout(counter: Counter) -> None:
    counter.rule_by(PAYING)
    (lent,) = counter.checkout(ALICE, A)
    counter.rule_by(Rule(days=3, renewals=2, fee_per_open_day=Decimal(9)))
    (longer,) = counter.at(seconds=5).renew(ALICE, A)
    assert longer.due is not None
    assert lent.due is not None
    assert longer.due > lent.due
    (undone,) = counter.at(seconds=10).undo(A)
    assert (undone.status, undone.due, undone.security) == ("ok", lent.due, "on_loan")
    (loan,) = loans(counter, A)
    terms = (loan.fee_per_open_day, loan.grace_open_days, loan.grace_deducted, loan.fee_cap)
    assert (loan.due_at, loan.renewals, terms) == (lent.due, 0, (50, 2, False, 500)), "the first promise holds again"
    assert counter.ask(lambda session: session.query(RenewalRow).count()) == 0
    assert codes(counter.at(seconds=12).renew(ALICE, A)) == ["ok"], "it counts as never renewed"
    assert codes(counter.at(seconds=14).undo(A)) == ["ok"]
    assert codes(counter.at(seconds=15).undo(A)) == ["ok"]
    assert loans(counter, A) == []


def test_each_of_several_renewals_is_undone_while_it_is_fresh(counter: Counter) -> None:
    counter.rule_by(Rule(days=10, renewals=3))
    counter.checkout(ALICE, A)
    (first,) = counter.at(days=1).renew(ALICE, A)
    later = counter.at(days=2)
    later.renew(ALICE, A)
    (undone,) = later.at(seconds=30).undo(A)
    assert (undone.status, undone.due) == ("ok", first.due)
    assert codes(later.at(seconds=30).undo(A)) == ["undo_too_late"], "the renewal of yesterday stays"
    assert loans(counter, A)[0].renewals == 1


@pytest.mark.parametrize(
    ("card", "seconds", "code"), [(None, 31, "undo_too_late"), (BO, 5, "not_your_loan"), ("12345", 5, "unknown_card")]
)
def test_a_renewal_that_is_not_undone_says_why(counter: Counter, card: str | None, seconds: int, code: str) -> None:
    counter.rule_by(Rule(days=10, renewals=3))
    counter.checkout(ALICE, A)
    later = counter.at(days=1)
    (longer,) = later.renew(ALICE, A)
    assert codes(later.at(seconds=seconds).undo(A, card=card)) == [code]
    assert loans(counter, A)[0].due_at == longer.due


def test_a_renewal_of_which_nobody_knows_what_it_changed_stays(counter: Counter) -> None:
    counter.checkout(ALICE, A)
    counter.renew(ALICE, A)
    counter.do(lambda session: session.query(RenewalRow).update({"due_before": None}))
    assert codes(counter.undo(A)) == ["undo_too_late"]


def test_a_return_is_undone_for_its_own_reader_only(counter: Counter) -> None:
    counter.checkout(ALICE, A)
    counter.checkin(A)
    assert codes(counter.undo(A, card=BO)) == ["not_your_loan"]
    assert codes(counter.undo(A, card=ALICE)) == ["ok"]


def test_a_return_by_another_hand_at_the_desk_closes_the_first_loan(counter: Counter) -> None:
    counter.rule_by(PAYING)
    counter.checkout(ALICE, A)
    later = counter.at(days=14)
    assert codes(later.checkout(BO, A)) == ["on_loan"]
    assert codes(later.on(Channel.KIOSK).checkout(BO, A, implicit_return=True)) == ["on_loan"]
    assert codes(later.checkout(BO, A, implicit_return=True)) == ["ok"]
    first, second = loans(counter, A)
    assert (first.ended, first.checked_in_at, second.checked_in_at) == ("implicit", NOW + timedelta(days=14), None)
    assert counter.owed(ALICE) == Decimal("2.00")


def test_nothing_is_taken_back_for_somebody_who_may_not_borrow(counter: Counter) -> None:
    counter.checkout(ALICE, A)
    assert codes(counter.checkout(BLOCKED, A, implicit_return=True)) == ["patron_blocked"]
    assert loans(counter, A)[0].checked_in_at is None


def test_a_branch_that_the_library_does_not_have_sends_no_book_on_its_way(counter: Counter) -> None:
    counter.rule_by(policy=LibraryPolicy(branches=("main", "north")))
    with pytest.raises(UnknownBranchError):
        counter.checkout(ALICE, A, branch="nowhere")
    assert counter.item(A).status == "on_shelf"
    counter.checkout(ALICE, A, branch="north")
    for act in (counter.checkin, lambda *barcodes, **more: counter.renew(ALICE, *barcodes, **more)):
        with pytest.raises(UnknownBranchError):
            act(A, branch="nowhere")
    assert (counter.item(A).status, counter.item(A).at_branch) == ("on_loan", "north")
    assert codes(counter.checkin(A, branch="main")) == ["ok"]


def test_a_request_may_name_the_own_branch_and_any_where_the_policy_names_none(counter: Counter) -> None:
    assert codes(counter.checkout(ALICE, A, branch="annexe")) == ["ok"]
    counter.rule_by(policy=LibraryPolicy(branches=("north", "south")))
    assert codes(counter.checkin(A, branch="main")) == ["ok"]
