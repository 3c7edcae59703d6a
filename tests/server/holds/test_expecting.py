"""How long people will probably wait, by due dates, rules, closed days and those before them."""

from datetime import date

import pytest

from server.holds import service as holds
from server.holds.expecting import NEWCOMER, expected_days, newcomer
from server.lending.policy import Calendar, Rule
from tests.support.counter import SHANGHAI, Counter, day
from tests.support.library import ALICE, BO, BOOKS, add_patron

A, B = BOOKS[:2]
CHEN, DAN = "90000011", "90000012"


@pytest.fixture
def desk(counter: Counter) -> Counter:
    """Two of four patrons are students; rules give them a week and others ten days."""

    def work(session) -> None:  # type: ignore[no-untyped-def]
        add_patron(session, CHEN, "Chen Li", patron_class="student")
        add_patron(session, DAN, "Dan Ho", patron_class="student")

    counter.do(work)
    counter.rule_by(Rule(days=10, renewals=2), Rule(patron_class="student", days=7))
    return counter


def told(desk: Counter, barcode: str) -> dict[str, date]:
    """Of each who waits for a title, by card."""
    queue, now = desk.queue(barcode), desk.occasion.now
    days = desk.ask(lambda session: expected_days(session, {queue[0].record_id: queue}, now=now, zone=SHANGHAI))
    cards = {desk.patron_id(card): card for card in (ALICE, BO, CHEN, DAN)}
    return {cards[hold.patron_id or 0]: days[hold.id] for hold in queue if hold.id in days}


def test_each_waits_for_the_loan_and_for_those_before(desk: Counter) -> None:
    desk.checkout(ALICE, A)
    for card in (CHEN, BO, DAN):
        desk.hold(card, A)
    assert told(desk, A) == {CHEN: day("2026-03-12"), BO: day("2026-03-19"), DAN: day("2026-03-29")}
    assert told(desk.at(days=20), A)[CHEN] == day("2026-03-22"), "what is overdue may come back any day"


def test_what_is_set_aside_comes_back_after_its_reader(desk: Counter) -> None:
    desk.checkout(ALICE, A)
    desk.hold(CHEN, A)
    desk.hold(BO, A)
    desk.at(days=1).checkin(A)
    assert told(desk.at(days=1), A) == {BO: day("2026-03-10")}


def test_who_pauses_is_passed_over_and_told_nothing(desk: Counter) -> None:
    desk.checkout(ALICE, A)
    paused = desk.hold(CHEN, A)
    desk.hold(BO, A)
    desk.do(lambda session: holds.pause(session, paused.hold or 0, desk.occasion))
    assert told(desk, A) == {BO: day("2026-03-12")}


def test_copies_that_do_not_circulate_promise_nothing(desk: Counter) -> None:
    desk.change_item(B, record_id=desk.item(A).record_id)
    desk.checkout(ALICE, A)
    desk.hold(BO, A)
    desk.change_item(B, status="repair")
    assert told(desk, A) == {BO: day("2026-03-12")}
    desk.change_item(B, status="on_shelf", for_loan=False)
    assert told(desk, A) == {BO: day("2026-03-12")}
    desk.change_item(B, for_loan=True)
    assert told(desk, A) == {BO: day("2026-03-02")}
    desk.change_item(B, status="missing")
    desk.lose(A)
    assert told(desk, A) == {}


def test_nothing_is_ready_on_a_closed_day_and_hours_count_as_a_day(desk: Counter) -> None:
    desk.rule_by(Rule(hours=4), calendar=Calendar(closed_weekdays=("tue",)))
    desk.checkout(ALICE, A)
    desk.hold(BO, A)
    desk.hold(CHEN, A)
    assert told(desk, A) == {BO: day("2026-03-02"), CHEN: day("2026-03-04")}


def test_somebody_who_thinks_of_joining_is_told_too(desk: Counter) -> None:
    def ask(barcode: str) -> date | None:
        now, record_id = desk.occasion.now, desk.item(barcode).record_id
        queue = [*desk.queue(barcode), newcomer(record_id, pickup="main", now=now)]
        days = desk.ask(lambda session: expected_days(session, {record_id: queue}, now=now, zone=SHANGHAI))
        return days.get(NEWCOMER)

    desk.checkout(ALICE, A)
    desk.hold(BO, A)
    assert ask(A) == day("2026-03-22")
    assert ask(B) == day("2026-03-02")
    desk.change_item(B, status="lost")
    assert ask(B) is None
