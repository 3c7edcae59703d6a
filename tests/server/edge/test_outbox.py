"""Commands: written with their cause, answered once, given up in time."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from carrel.contracts.actuation import CommandResult, CommandStatus, PanelCommand
from server.db import Database
from server.edge.models import CommandRow
from server.edge.outbox import KEPT, WAITING_AT_ONCE, Order, Outbox
from tests.support.acting_gateway import eventually
from tests.support.library import ManualClock


@pytest.fixture
def outbox(database: Database, clock: ManualClock) -> Outbox:
    return Outbox(database, clock, answer_within_s=5)


def order(clock: ManualClock, id_: str = "c1") -> Order:
    expires = clock.now() + timedelta(seconds=30)
    return Order("gw-1", "panel", PanelCommand(id=id_, action="silence", alarm="a", by="anna", expires=expires))


def nothing(_session: Session) -> None:
    """A cause that writes nothing."""


def result(clock: ManualClock, status: str, id_: str = "c1", code: str = "") -> CommandResult:
    return CommandResult(id=id_, status=CommandStatus(status), code=code, ts=clock.now())


def answering(outbox: Outbox, database: Database, answer: CommandResult) -> None:
    """The gateway answers as soon as the command is out."""

    def settle() -> None:
        with database.writing() as session:
            outbox.settle(session, "gw-1", answer)
        outbox.notify(answer.id)

    outbox.on_new = lambda: threading.Thread(target=settle).start()


def settled(outbox: Outbox, database: Database, answer: CommandResult, gateway: str = "gw-1") -> bool:
    with database.writing() as session:
        return outbox.settle(session, gateway, answer) is not None


def test_the_answer_is_waited_for(outbox: Outbox, database: Database, clock: ManualClock) -> None:
    answering(outbox, database, result(clock, "rejected", code="detector_active"))
    answer = outbox.carry_out(order(clock), nothing)
    assert answer == result(clock, "rejected", code="detector_active")
    assert outbox.due() == []


def test_a_cause_that_fails_sends_nothing(outbox: Outbox, clock: ManualClock) -> None:
    def fail(_session: Session) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        outbox.carry_out(order(clock), fail)
    assert outbox.due() == []


def test_only_so_many_wait_at_once_and_the_rest_go_on(database: Database, clock: ManualClock) -> None:
    outbox = Outbox(database, clock, answer_within_s=30)
    waiting = [
        threading.Thread(target=outbox.carry_out, args=(order(clock, f"w{n}"), nothing)) for n in range(WAITING_AT_ONCE)
    ]
    for thread in waiting:
        thread.start()
    eventually(lambda: outbox.waiting == WAITING_AT_ONCE and len(outbox.due()) == WAITING_AT_ONCE, "the waiting")
    assert outbox.carry_out(order(clock, "one-more"), nothing) is None
    for n in range(WAITING_AT_ONCE):
        outbox.notify(f"w{n}")
    for thread in waiting:
        thread.join(10)
        assert not thread.is_alive()


def test_the_first_answer_stands(outbox: Outbox, database: Database, clock: ManualClock) -> None:
    with database.writing() as session:
        outbox.put(session, order(clock))
    assert settled(outbox, database, result(clock, "done"))
    assert not settled(outbox, database, result(clock, "failed"))
    with database.reading() as session:
        assert outbox.answer_to(session, "c1") == result(clock, "done")


def test_accepted_is_no_end_but_it_is_not_sent_again(outbox: Outbox, database: Database, clock: ManualClock) -> None:
    with database.writing() as session:
        outbox.put(session, order(clock))
    assert not settled(outbox, database, result(clock, "accepted"))
    assert outbox.due() == []
    with database.reading() as session:
        assert outbox.answer_to(session, "c1") is None
    assert settled(outbox, database, result(clock, "done"))


def test_another_gateways_answer_counts_for_nothing(outbox: Outbox, database: Database, clock: ManualClock) -> None:
    with database.writing() as session:
        outbox.put(session, order(clock))
    assert not settled(outbox, database, result(clock, "done"), gateway="gw-2")
    assert len(outbox.due()) == 1


def test_what_ran_out_is_given_up_once_and_a_late_answer_is_truer(
    outbox: Outbox, database: Database, clock: ManualClock
) -> None:
    with database.writing() as session:
        outbox.put(session, order(clock))
    assert outbox.overdue() == []
    clock.advance(seconds=30)
    assert (outbox.overdue(), outbox.due()) == (["c1"], [])
    with database.writing() as session:
        given_up = outbox.give_up(session, "c1")
        assert given_up is not None
        assert (given_up.result.status, given_up.result.code) == ("expired", "no_answer")
        assert outbox.give_up(session, "c1") is None
    assert settled(outbox, database, result(clock, "done"))


def test_commands_of_the_past_are_forgotten(outbox: Outbox, database: Database, clock: ManualClock) -> None:
    with database.writing() as session:
        outbox.put(session, order(clock))
        clock.advance(days=KEPT.days, seconds=1)
        outbox.put(session, order(clock, "c2"))
        outbox.forget_old(session, clock.now())
    with database.reading() as session:
        assert list(session.scalars(select(CommandRow.id))) == ["c2"]
