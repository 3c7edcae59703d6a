"""A library in which anything may happen in any order; what must always hold is looked at after every step."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from server.circulation import service as circulation
from server.circulation.models import LoanRow, RenewalRow
from server.db import Database
from server.fees import service as fees
from server.fees.undoing import PaymentUndo, undo_payment
from server.holds import service as holds
from server.holds.errors import HoldReadyError, UnknownHoldError
from server.holds.models import HoldRow
from server.lending.policy import Calendar, LibraryPolicy, Rule
from tests.server.conftest import STOCKED, Databases
from tests.support.counter import Counter
from tests.support.library import ALICE, BO, BOOKS, NOW, add_patron

CHEN = "90000011"
people = st.sampled_from([ALICE, BO, CHEN])
things = st.sampled_from(BOOKS[:3])
branches = st.sampled_from(["main", "main", "north"])


class Library(RuleBasedStateMachine):
    """Three people, three items of which two are copies of one title, two branches."""

    database: Database

    @initialize()
    def open(self) -> None:
        self.counter = Counter(self.database)
        self.now = NOW
        self.row = 0
        self.counter.do(lambda session: add_patron(session, CHEN, "Chen Li"))
        first = self.counter.item(BOOKS[0])
        self.counter.change_item(BOOKS[1], record_id=first.record_id)
        self.counter.rule_by(
            Rule(days=5, renewals=1, max=2, fee_per_open_day=Decimal("0.50"), grace_open_days=1, cap=Decimal(3)),
            policy=LibraryPolicy(
                max_loans=3, fee_limit=Decimal(5), hold_limit=2, hold_shelf_days=2, hold_expiry_days=20,
                lost_after_days=30, lost_price=Decimal(10), forget_after_days=3,
            ),
            calendar=Calendar(closed_weekdays=("mon",)),
        )  # fmt: skip

    def at(self, branch: str = "main") -> Counter:
        return self.counter.at(self.now).on(branch=branch)

    @rule(hours=st.integers(1, 100))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(card=people, barcode=things, branch=branches, implicit=st.booleans())
    def checkout(self, card: str, barcode: str, branch: str, implicit: bool) -> None:
        self.at(branch).checkout(card, barcode, implicit_return=implicit)

    @rule(barcode=things, branch=branches, accept=st.booleans())
    def checkin(self, barcode: str, branch: str, accept: bool) -> None:
        item, queue = self.counter.item(barcode), self.counter.queue(barcode)
        fitting = [hold for hold in queue if hold.state == "waiting" and not hold.paused and hold.takes(item.id)]
        aside = any(hold.filled_item_id == item.id for hold in queue)
        (told,) = self.at(branch).checkin(barcode, accept_not_on_loan=accept)
        if fitting and not aside and told.route is not None:
            assert self.counter.get_hold(fitting[0].id).filled_item_id == item.id, "holds are served in order"

    @rule(card=people, barcode=things)
    def renew(self, card: str, barcode: str) -> None:
        self.at().renew(card, barcode)

    @rule(card=people, barcode=things, pickup=branches, only=st.booleans())
    def place(self, card: str, barcode: str, pickup: str, only: bool) -> None:
        self.at().hold(card, barcode, pickup=pickup, only_this=only)

    @rule(barcode=things, number=st.integers(0, 3), what=st.sampled_from(["cancel", "pause", "resume"]))
    def change_hold(self, barcode: str, number: int, what: str) -> None:
        queue = self.counter.queue(barcode)
        if number < len(queue):
            act = {"cancel": holds.cancel, "pause": holds.pause, "resume": holds.resume}[what]
            try:
                self.counter.do(lambda session: act(session, queue[number].id, self.at().occasion))  # type: ignore[operator]
            except HoldReadyError:
                assert queue[number].state != "waiting"
            except UnknownHoldError:
                raise AssertionError("an open hold was unknown") from None

    @rule(card=people, barcode=things)
    def cancel(self, card: str, barcode: str) -> None:
        self.at().cancel(card, barcode)

    @rule(barcode=things)
    def undo(self, barcode: str) -> None:
        self.at().undo(barcode)

    @rule(card=people, barcode=things)
    def renew_by_mistake(self, card: str, barcode: str) -> None:
        before = self.counter.ask(lambda session: circulation.open_loan(session, self.counter.item(barcode).id))
        (told,) = self.at().renew(card, barcode)
        if told.status == "ok":
            (undone,) = self.at().undo(barcode)
            after = self.counter.ask(lambda session: circulation.open_loan(session, self.counter.item(barcode).id))
            assert (undone.status, after) == ("ok", before), "an undone renewal leaves no trace"

    @rule(barcode=things)
    def lose(self, barcode: str) -> None:
        self.at().lose(barcode)

    @rule()
    def night(self) -> None:
        self.at().night()
        again = self.at().night()
        assert (again.holds_expired, again.marked_lost, again.loans_forgotten) == (0, 0, 0)

    @rule(card=people, barcode=things, ago=st.integers(0, 60), out=st.booleans(), twice=st.booleans())
    def replay(self, card: str, barcode: str, ago: int, out: bool, twice: bool) -> None:
        self.row += 1
        row = {
            "kiosk": "kiosk-1", "counter": self.row, "at": self.now - timedelta(hours=ago),
            "kind": "checkout" if out else "checkin", "items": [{"barcode": barcode}],
        } | ({"card": card} if out else {})  # fmt: skip
        for _ in range(1 + twice):
            (told,) = self.at().replay(row)
            assert told.results[0].status == "ok"

    @rule(card=people, mistaken=st.booleans())
    def pay(self, card: str, mistaken: bool) -> None:
        owed = self.counter.owed(card)
        if owed > 0:
            self.row += 1
            paid = {"payment_id": f"p{self.row}", "means": "cash", "actor": "user:librarian", "at": self.now}
            patron_id = self.counter.patron_id(card)
            self.counter.do(lambda session: fees.pay(session, patron_id, owed, **paid))  # type: ignore[arg-type]
            if mistaken:
                asked = PaymentUndo(request_id=f"u{self.row}", patron_id=patron_id, payment_id=f"p{self.row}")
                self.counter.do(lambda session: undo_payment(session, asked, actor="user:librarian", at=self.now))
                assert self.counter.owed(card) == owed

    @invariant()
    def an_item_has_one_loan_at_most_and_its_state_says_so(self) -> None:
        if not hasattr(self, "counter"):
            return
        with self.database.reading() as session:
            query = select(LoanRow.item_id, func.count()).where(LoanRow.checked_in_at.is_(None))
            lent = {row[0]: row[1] for row in session.execute(query.group_by(LoanRow.item_id))}
            open_holds = session.scalars(select(HoldRow).where(HoldRow.closed_at.is_(None))).all()
        assert set(lent.values()) <= {1}
        aside = {hold.filled_item_id: hold for hold in open_holds if hold.filled_item_id is not None}
        for barcode in BOOKS[:3]:
            item = self.counter.item(barcode)
            assert (item.status == "on_loan") == (item.id in lent), item
            hold = aside.get(item.id)
            assert (item.status == "on_hold_shelf") == (hold is not None and hold.state == "ready"), (item, hold)
            if hold is not None and hold.state == "in_transit":
                assert (item.status, item.transit_to) == ("in_transit", hold.pickup)
            assert (item.status == "in_transit") == (item.transit_to is not None)

    @invariant()
    def a_loan_was_renewed_as_often_as_is_written_down(self) -> None:
        if not hasattr(self, "counter"):
            return
        with self.database.reading() as session:
            numbers = select(RenewalRow.loan_id, RenewalRow.number).order_by(RenewalRow.number)
            written: dict[int, list[int]] = {}
            for loan_id, number in session.execute(numbers):
                written.setdefault(loan_id, []).append(number)
            renewed = {row[0]: row[1] for row in session.execute(select(LoanRow.id, LoanRow.renewals))}
        assert written == {loan_id: list(range(1, count + 1)) for loan_id, count in renewed.items() if count}

    @invariant()
    def a_hold_is_what_its_columns_say(self) -> None:
        if not hasattr(self, "counter"):
            return
        with self.database.reading() as session:
            for hold in session.scalars(select(HoldRow)):
                assert (hold.state in ("waiting", "in_transit", "ready")) == (hold.closed_at is None)
                if hold.closed_at is None:
                    assert (hold.state == "waiting") == (hold.filled_item_id is None)
                    assert hold.patron_id is not None

    @invariant()
    def the_ledger_sums_up(self) -> None:
        if not hasattr(self, "counter"):
            return
        for card in (ALICE, BO, CHEN):
            patron_id = self.counter.patron_id(card)
            ledger = self.counter.ask(lambda session: fees.ledger_of(session, patron_id))  # noqa: B023  # asked at once
            assert sum(line.amount for line in ledger) == self.counter.owed(card)
            assert self.counter.owed(card) >= 0

    @invariant()
    def nobody_waits_for_what_they_have(self) -> None:
        if not hasattr(self, "counter"):
            return
        with self.database.reading() as session:
            periods = session.execute(
                select(LoanRow.item_id, LoanRow.checked_out_at, LoanRow.checked_in_at, LoanRow.due_at)
            ).all()
        assert all(back is None or out <= back for _, out, back, _ in periods)


@contextmanager
def library(databases: Databases) -> Iterator[type[Library]]:
    """The machine on a kind of database; every run gets a fresh one."""

    class Here(Library):
        def __init__(self) -> None:
            super().__init__()
            self.url = databases.create(STOCKED)
            self.database = Database(make_url(self.url))

        def teardown(self) -> None:
            self.database.close()
            databases.drop(self.url)

    yield Here


@pytest.mark.timeout(300)
def test_whatever_happens_the_library_stays_in_order(databases: Databases) -> None:
    with library(databases) as machine:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=6, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
            ),
        )
