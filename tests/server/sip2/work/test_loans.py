"""Checkout, renewal and undo at a terminal, over a real socket."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from server.circulation.models import LoanRow
from server.db import Database
from server.sip2.wire.messages import F, Message
from server.tasks import service as tasks
from tests.support.library import ALICE, BLOCKED, BO, BOOKS, EXPIRED, MISSING, PIN, REFERENCE, ManualClock
from tests.support.sip2 import DATE, NO_DATE, Client, screen

DUE = "20260401    235959"
SQLITE = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
"""What the database does not decide."""
Connect = Callable[..., Client]


def renew(terminal: Client, card: str, item: str, pin: str = PIN, no_block: str = "N", due: str = NO_DATE) -> Message:
    return terminal.ask(f"29N{no_block}{DATE}{due}AOMAIN|AA{card}|AD{pin}|AB{item}|")


def loans(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(LoanRow)) or 0


def test_a_loan_is_told_with_everything_a_self_check_needs(terminal: Client, database: Database) -> None:
    done = terminal.checkout(ALICE, BOOKS[0], pin=PIN)
    assert (done.id, done.fixed) == (
        "12",
        {"ok": "1", "renewal_ok": "N", "magnetic": "N", "desensitise": "Y", "date": DATE},
    )
    told = [done.get(name) for name in (F.INSTITUTION, F.PATRON, F.ITEM, F.TITLE, F.DUE, F.MEDIA_TYPE)]
    assert told == ["MAIN", ALICE, BOOKS[0], "Book 1", DUE, "001"]
    assert screen(done) == "Borrowed."
    assert loans(database) == 1


@SQLITE
@pytest.mark.parametrize(
    ("card", "item", "says"),
    [
        (ALICE, "99999999", "not in our catalogue"),
        (ALICE, "no such\tbarcode", "not in our catalogue"),
        (ALICE, REFERENCE, "use in the library only"),
        (ALICE, MISSING, ""),
        (BLOCKED, BOOKS[0], "blocked"),
        (EXPIRED, BOOKS[0], "no longer valid"),
        ("99999999", BOOKS[0], ""),
    ],
)
def test_a_refusal_says_why_and_leaves_the_security_on(
    terminal: Client, database: Database, card: str, item: str, says: str
) -> None:
    refused = terminal.checkout(card, item, pin=PIN)
    assert (refused.fixed["ok"], refused.fixed["desensitise"]) == ("0", "N")
    assert says in screen(refused)
    assert screen(refused)
    assert refused.get(F.DUE) == ""
    assert all(len(line) <= 60 for line in refused.all(F.SCREEN))
    assert loans(database) == 0


@SQLITE
def test_the_pin_is_asked_for_once_a_visit(terminal: Client) -> None:
    assert "PIN" in screen(terminal.checkout(ALICE, BOOKS[0]))
    wrong = terminal.checkout(ALICE, BOOKS[0], pin="0000")
    assert (wrong.fixed["ok"], wrong.get(F.TITLE)) == ("0", "")
    assert terminal.patron(ALICE, pin=f"{PIN} ").get(F.VALID_PIN) == "Y", "blanks fill up what is short"
    assert terminal.checkout(ALICE, BOOKS[0]).fixed["ok"] == "1"
    assert terminal.checkout(BO, BOOKS[1]).fixed["ok"] == "0", "another patron's PIN is another's"
    assert terminal.ask(f"35{DATE}AOMAIN|AA{ALICE}|").fixed == {"ok": "Y", "date": DATE}
    assert terminal.checkout(ALICE, BOOKS[2]).fixed["ok"] == "0", "the visit is over"


@SQLITE
def test_a_trusted_terminal_needs_none_and_heeds_a_wrong_one(connect: Connect) -> None:
    trusted = connect("trusted")
    assert trusted.checkout(ALICE, BOOKS[0], pin="0000").fixed["ok"] == "0"
    assert trusted.checkout(ALICE, BOOKS[0]).fixed["ok"] == "1"


def test_what_the_patron_has_already_is_renewed_if_the_terminal_may(terminal: Client, clock: ManualClock) -> None:
    terminal.checkout(ALICE, BOOKS[0], pin=PIN)
    again = terminal.checkout(ALICE, BOOKS[0], pin=PIN, more="BON|")
    assert (again.fixed["ok"], again.get(F.DUE)) == ("0", DUE), "one's own due date may be told"
    clock.advance(days=1)
    renewed = terminal.ask(f"11YN{DATE}{NO_DATE}AOMAIN|AA{ALICE}|AB{BOOKS[0]}|AC|AD{PIN}|")
    assert (renewed.fixed["ok"], renewed.fixed["renewal_ok"], renewed.fixed["desensitise"]) == ("1", "Y", "N")
    assert renewed.get(F.DUE) > DUE


@SQLITE
def test_nobody_learns_who_has_an_item(terminal: Client) -> None:
    terminal.checkout(BO, BOOKS[0], pin=PIN)
    refused = terminal.checkout(ALICE, BOOKS[0], pin=PIN)
    assert refused.fixed["ok"] == "0"
    assert not {BO, "张波"} & {value for _, value in refused.fields}
    assert refused.get(F.DUE) == ""


def test_a_loan_the_terminal_could_not_finish_leaves_nothing(terminal: Client, database: Database) -> None:
    terminal.checkout(ALICE, BOOKS[0], pin=PIN)
    undone = terminal.checkout(ALICE, BOOKS[0], pin=PIN, more="BIY|")
    assert (undone.fixed["ok"], undone.fixed["desensitise"], undone.get(F.DUE)) == ("1", "N", "")
    assert loans(database) == 0
    again = terminal.checkout(ALICE, BOOKS[0], more="BIY|BON|")
    assert again.fixed["ok"] == "1", "taking back what is not there is as good"
    assert terminal.checkout(ALICE, BOOKS[1], more="BIY|").fixed["ok"] == "1"


def test_a_renewal_the_terminal_could_not_finish_leaves_the_loan(
    terminal: Client, database: Database, clock: ManualClock
) -> None:
    terminal.checkout(ALICE, BOOKS[0], pin=PIN)
    clock.advance(days=1)
    again = f"11YN{DATE}{NO_DATE}AOMAIN|AA{ALICE}|AB{BOOKS[0]}|AC|AD{PIN}|"
    assert terminal.ask(again).get(F.DUE) > DUE
    undone = terminal.ask(again + "BIY|")
    assert (undone.fixed["ok"], undone.get(F.DUE)) == ("1", DUE)
    with database.reading() as session:
        (loan,) = session.scalars(select(LoanRow))
    assert (loan.renewals, loan.checked_in_at) == (0, None)


@SQLITE
def test_only_the_patron_s_own_loan_is_taken_back(terminal: Client, database: Database) -> None:
    terminal.checkout(BO, BOOKS[0], pin=PIN)
    assert terminal.checkout(ALICE, BOOKS[0], pin=PIN, more="BIY|").fixed["ok"] == "0"
    assert loans(database) == 1


@SQLITE
def test_renewal_by_barcode_and_by_title(terminal: Client, clock: ManualClock) -> None:
    terminal.checkout(ALICE, BOOKS[0], pin=PIN)
    clock.advance(days=1)
    renewed = renew(terminal, ALICE, BOOKS[0])
    assert (renewed.id, renewed.fixed["ok"], renewed.fixed["renewal_ok"]) == ("30", "1", "Y")
    by_title = terminal.ask(f"29NN{DATE}{NO_DATE}AOMAIN|AA{ALICE}|AD{PIN}|AJbook 1|")
    assert (by_title.fixed["ok"], by_title.get(F.ITEM)) == ("1", BOOKS[0])
    assert "renewed again" in screen(renew(terminal, ALICE, BOOKS[0]))
    assert renew(terminal, BO, BOOKS[0]).fixed["ok"] == "0"


@SQLITE
@pytest.mark.parametrize("no_block", ["N", "Y"])
def test_a_renewal_that_finds_nothing_says_what_was_not_found(terminal: Client, no_block: str) -> None:
    def told(asked: str) -> str:
        answer = terminal.ask(f"29N{no_block}{DATE}{NO_DATE}AOMAIN|AD{PIN}|{asked}|")
        assert (answer.id, answer.fixed["ok"], answer.get(F.TITLE)) == ("30", "0", "")
        return screen(answer)

    assert "There is no such title in the catalogue." in told(f"AA{ALICE}|AJNo such book")
    assert "No copy of this title is on loan on this card." in told(f"AA{ALICE}|AJbook 2")
    assert "This item is not in our catalogue." in told(f"AA{ALICE}|ABno barcode at all")
    assert "message is incomplete" in told(f"AA{ALICE}")
    if no_block == "Y":
        assert "We do not know this card." in told("AAnobody at all|AJBook 1")


def test_renewing_all_counts_what_was_and_what_was_not(terminal: Client, clock: ManualClock) -> None:
    none = terminal.ask(f"65{DATE}AOMAIN|AA{ALICE}|AD{PIN}|")
    assert (none.fixed["ok"], none.fixed["renewed"], none.get(F.SCREEN)) == (
        "1",
        "0000",
        "Nothing is on loan on this card.",
    )
    for book in BOOKS[:3]:
        terminal.checkout(ALICE, book, pin=PIN)
    clock.advance(days=1)
    for _ in range(2):
        renew(terminal, ALICE, BOOKS[0])
    done = terminal.ask(f"65{DATE}AOMAIN|AA{ALICE}|AD{PIN}|")
    assert (done.id, done.fixed["ok"]) == ("66", "1")
    assert (done.fixed["renewed"], sorted(done.all(F.RENEWED))) == ("0002", sorted(BOOKS[1:3]))
    assert (done.fixed["unrenewed"], done.all(F.UNRENEWED)) == ("0001", [BOOKS[0]])
    assert terminal.ask(f"65{DATE}AOMAIN|AA99999999|AD{PIN}|").fixed["ok"] == "0"


def test_eight_terminals_race_for_one_item_and_one_gets_it(connect: Connect, database: Database) -> None:
    terminals = [connect("trusted") for _ in range(8)]
    ready = threading.Barrier(len(terminals))

    def grab(number: int) -> str:
        ready.wait()
        return terminals[number].checkout((ALICE, BO)[number % 2], BOOKS[0]).fixed["ok"]

    with ThreadPoolExecutor(len(terminals)) as pool:
        outcomes = list(pool.map(grab, range(len(terminals))))
    assert sorted(outcomes) == ["0"] * 7 + ["1"]
    assert loans(database) == 1


def test_a_frame_that_comes_twice_is_carried_out_once(terminal: Client, database: Database, clock: ManualClock) -> None:
    text = f"11YN{DATE}{NO_DATE}AOMAIN|AA{ALICE}|AB{BOOKS[0]}|AC|AD{PIN}|"
    terminal.ask(text, checked=False)
    first = terminal.raw
    clock.advance(hours=1)
    terminal.ask(text, checked=False)
    assert terminal.raw == first
    terminal.send(b"97\r")
    assert terminal.receive() == first
    with database.reading() as session:
        assert session.scalars(select(LoanRow.renewals)).all() == [0]


@SQLITE
def test_a_terminal_s_bytes_are_in_its_own_encoding(connect: Connect, house: TestClient) -> None:
    chinese = connect("gbk", encoding="gb18030")
    done = chinese.checkout(BO, BOOKS[0], pin=PIN)
    assert done.get(F.DUE) == "2026-04-01"
    assert screen(done) == "借书成功"
    chinese.send(f"17{DATE}AOMAIN|AB书|\r".encode("gb18030"))
    assert "AB书|".encode("gb18030") in chinese.receive()
    assert house.get("/healthz").status_code == 200


class TestOffline:
    """What happened while the library was away."""

    THEN = "20260301    100000"
    PROMISED = "20260320    235900"

    def lent(self, terminal: Client, card: str, item: str) -> Message:
        return terminal.ask(f"11NY{self.THEN}{self.PROMISED}AOMAIN|AA{card}|AB{item}|AC|")

    def test_it_is_recorded_as_it_happened_even_for_a_blocked_patron(
        self, terminal: Client, database: Database, house: TestClient
    ) -> None:
        done = self.lent(terminal, BLOCKED, BOOKS[0])
        assert (done.fixed["ok"], done.get(F.DUE)) == ("1", self.PROMISED)
        with database.reading() as session:
            (loan,) = session.scalars(select(LoanRow))
        assert (loan.checked_out_at.hour, loan.channel) == (2, "replay")

    def test_it_counts_once_however_often_it_is_told(self, connect: Connect, database: Database) -> None:
        for _ in range(2):
            assert self.lent(connect(), ALICE, BOOKS[0]).fixed["ok"] == "1"
        assert loans(database) == 1

    def test_an_item_of_somebody_else_s_changes_hands(self, terminal: Client, database: Database) -> None:
        terminal.checkout(BO, BOOKS[0], pin=PIN)
        assert self.lent(terminal, ALICE, BOOKS[0]).fixed["ok"] == "1"

    @SQLITE
    @pytest.mark.parametrize(("card", "item"), [("99999999", BOOKS[0]), (ALICE, "99999999"), (ALICE, "b?d")])
    def test_what_nobody_knows_goes_to_the_staff(
        self, terminal: Client, database: Database, card: str, item: str
    ) -> None:
        assert self.lent(terminal, card, item).fixed["ok"] == "0"
        with database.reading() as session:
            assert [task.kind for task in tasks.find(session)] == ["unknown_row"]

    def test_a_return_counts_when_it_was_made(self, terminal: Client, database: Database) -> None:
        self.lent(terminal, ALICE, BOOKS[0])
        done = terminal.checkin(BOOKS[0], returned="20260301    180000", no_block="Y")
        assert (done.fixed["ok"], done.fixed["alert"]) == ("1", "N")
        with database.reading() as session:
            (loan,) = session.scalars(select(LoanRow))
        assert loan.checked_in_at is not None
        assert loan.checked_in_at.hour == 10

    def test_what_was_taken_back_off_line_is_taken_back(self, terminal: Client, database: Database) -> None:
        told = f"11NY{self.THEN}{self.PROMISED}AOMAIN|AA{ALICE}|AB{BOOKS[0]}|AC|"
        assert terminal.ask(told).fixed["ok"] == "1"
        undone = terminal.ask(told + "BIY|")
        assert (undone.fixed["ok"], undone.fixed["desensitise"]) == ("1", "N")
        assert loans(database) == 0
        assert terminal.ask(told.replace(BOOKS[0], BOOKS[1]) + "BIY|").fixed["ok"] == "1", "there is nothing to undo"
        assert loans(database) == 0

    @SQLITE
    def test_a_return_that_cannot_be_taken_back_goes_to_the_staff(self, terminal: Client, database: Database) -> None:
        assert terminal.checkin(BOOKS[0], more="BIY|", no_block="Y").fixed["ok"] == "0"
        with database.reading() as session:
            (task,) = tasks.find(session)
        assert (task.kind, task.code) == ("unknown_row", "nothing_to_undo")

    def test_a_promise_that_nobody_can_have_made_is_none(self, terminal: Client) -> None:
        kept = terminal.ask(f"11NY{self.THEN}99991231    235959AOMAIN|AA{ALICE}|AB{BOOKS[0]}|AC|")
        assert (kept.fixed["ok"], kept.get(F.DUE)[:4]) == ("1", "2026")
        assert terminal.ask(f"65{DATE}AOMAIN|AA{ALICE}|AD{PIN}|").fixed["ok"] == "1"

    @SQLITE
    def test_a_renewal_by_title_is_found(self, terminal: Client) -> None:
        terminal.checkout(ALICE, BOOKS[0], pin=PIN)
        by_title = terminal.ask(f"29NY{DATE}20260501    235900AOMAIN|AA{ALICE}|AD{PIN}|AJBook 1|")
        assert (by_title.fixed["ok"], by_title.get(F.ITEM), by_title.get(F.DUE)[:8]) == ("1", BOOKS[0], "20260501")
        unknown = terminal.ask(f"29NY{DATE}{NO_DATE}AOMAIN|AA{ALICE}|AD{PIN}|AJNo such book|")
        assert (unknown.fixed["ok"], unknown.get(F.ITEM)) == ("0", "")

    def test_a_renewal_keeps_its_promise(self, terminal: Client) -> None:
        terminal.checkout(ALICE, BOOKS[0], pin=PIN)
        kept = renew(terminal, ALICE, BOOKS[0], no_block="Y", due="20260501    235900")
        assert (kept.fixed["ok"], kept.get(F.DUE)) == ("1", "20260501    235900")

    @SQLITE
    def test_a_terminal_that_may_not_lend_off_line_is_judged_as_always(self, connect: Connect) -> None:
        assert self.lent(connect("trusted"), BLOCKED, BOOKS[0]).fixed["ok"] == "0"
