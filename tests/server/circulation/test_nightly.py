"""What the library does by itself."""

from decimal import Decimal

from sqlalchemy import select, update

from server.audit import service as audit
from server.circulation.models import LoanRow, ReplayedRow
from server.lending.policy import LibraryPolicy, Rule
from server.patrons.models import PatronRow
from server.tasks import service as tasks
from tests.support.counter import Counter, codes
from tests.support.library import ALICE, BO, BOOKS, NOW

A, B, C = BOOKS[:3]


def borrowers(counter: Counter) -> list[int | None]:
    return counter.ask(lambda session: list(session.scalars(select(LoanRow.patron_id).order_by(LoanRow.id))))


def test_who_had_what_is_forgotten_but_not_class_and_branch(counter: Counter) -> None:
    counter.rule_by(policy=LibraryPolicy(forget_after_days=30))
    counter.checkout(ALICE, A, B)
    counter.at(days=1).checkin(A)
    assert counter.at(days=31).night().loans_forgotten == 0
    assert counter.at(days=31, seconds=1).night().loans_forgotten == 1
    assert counter.at(days=31, seconds=1).night().loans_forgotten == 0
    assert borrowers(counter) == [None, counter.patron_id(ALICE)]
    row = counter.ask(lambda session: session.get(LoanRow, 1))
    assert row is not None
    assert (row.patron_class, row.item_type, row.branch) == ("adult", "book", "main")


def test_a_library_may_forget_the_next_night(counter: Counter) -> None:
    counter.rule_by(policy=LibraryPolicy(forget_after_days=0))
    counter.checkout(ALICE, A)
    counter.checkin(A)
    assert counter.at(hours=12).night().loans_forgotten == 1


def test_those_who_want_to_keep_their_history_and_those_who_owe_are_not_forgotten(counter: Counter) -> None:
    counter.rule_by(Rule(days=1, fee_per_open_day=Decimal(1)), policy=LibraryPolicy(forget_after_days=0))
    bo = counter.patron_id(BO)
    counter.do(lambda session: session.execute(update(PatronRow).where(PatronRow.id == bo).values(keeps_history=True)))
    counter.checkout(BO, A)
    counter.checkout(ALICE, B, C)
    counter.checkin(A, B)
    counter.at(days=3).checkin(C)
    assert counter.at(days=9).night().loans_forgotten == 1
    assert borrowers(counter) == [bo, None, counter.patron_id(ALICE)]


def test_holds_that_are_over_are_forgotten_too(counter: Counter) -> None:
    counter.rule_by(policy=LibraryPolicy(forget_after_days=0))
    wish = counter.hold(BO, A)
    counter.checkout(BO, A)
    counter.at(days=1).night()
    assert counter.get_hold(wish.hold).patron_id is None
    assert counter.at(days=1).cancel(BO, A)[0].route == "shelf", "nobody waits who is not known"


def test_what_is_overdue_for_long_is_given_up(counter: Counter) -> None:
    counter.rule_by(Rule(days=10), policy=LibraryPolicy(lost_after_days=60, lost_price=Decimal(15)))
    counter.checkout(ALICE, A)
    assert counter.at(days=70).night().marked_lost == 0
    assert counter.at(days=71).night().marked_lost == 1
    assert counter.at(days=72).night().marked_lost == 0
    assert (counter.item(A).status, counter.owed(ALICE)) == ("lost", Decimal(15))
    assert codes(counter.at(days=73).checkin(A)) == ["ok"]
    assert counter.owed(ALICE) == Decimal(0)


def test_who_lost_an_item_is_known_as_long_as_its_price_may_be_given_back(counter: Counter) -> None:
    counter.rule_by(policy=LibraryPolicy(lost_refund_days=None))
    counter.checkout(ALICE, A)
    counter.lose(A)
    assert counter.at(days=900).night().loans_forgotten == 0
    counter.at(days=900).checkin(A)
    assert counter.at(days=931).night().loans_forgotten == 1


def test_what_was_lost_is_on_no_list_when_it_is_found_or_not_lost_after_all(counter: Counter) -> None:
    counter.rule_by(policy=LibraryPolicy(lost_refund_days=0))
    counter.checkout(ALICE, A, B)
    counter.lose(A, B)
    counter.undo(A)
    assert counter.at(days=40).night().loans_forgotten == 1
    assert [task.item_id for task in counter.tasks("lost")] == [counter.item(B).id]
    counter.checkin(B)
    assert counter.tasks("lost") == []


def test_old_answers_and_resolved_tasks_are_dropped(counter: Counter) -> None:
    row = {"kiosk": "k", "counter": 1, "at": NOW, "kind": "checkout", "card": "?", "items": [{"barcode": A}]}
    counter.replay(row)
    (task,) = counter.tasks()
    done = {"resolution": "done", "note": "", "actor": "user:librarian", "at": NOW}
    counter.do(lambda session: tasks.resolve(session, task.id, **done))  # type: ignore[arg-type]
    counter.at(days=31).night()
    assert counter.ask(lambda session: tasks.find(session, resolved=True)) == []
    assert counter.ask(lambda session: session.scalars(select(ReplayedRow.answer)).all()) == [""]
    assert counter.at(days=31).replay(row)[0].status == "repeated", "that it came is kept"


def test_the_audit_log_never_says_who_had_what(counter: Counter) -> None:
    counter.checkout(ALICE, A)
    counter.renew(ALICE, A)
    counter.checkin(A)
    counter.lose(A)
    with counter.database.reading() as session:
        entries = [entry.entry for entry in audit.page(session, audit.Wanted())]
    loans = [entry for entry in entries if entry.action.startswith("loan.")]
    assert [entry.action for entry in loans] == ["loan.checkin", "loan.renew", "loan.checkout"]
    assert all(ALICE not in entry.detail and "patron" not in entry.detail for entry in loans)
    assert audit.verify(counter.database).broken is None
