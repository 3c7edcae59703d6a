"""Patrons at a terminal: what is told with the right PIN, what without, blocks and lists."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from server.db import Database
from server.fees import service as fees
from server.patrons import service as patrons
from server.sip2.wire.messages import F, Message
from tests.support.library import ALICE, BLOCKED, BO, BOOKS, EXPIRED, NOW, PIN, ManualClock, add_patron
from tests.support.sip2 import DATE, Client, screen

pytestmark = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
Connect = Callable[..., Client]
FINE = " " * 14
CARLA = "90000009"


@pytest.fixture
def carla(database: Database) -> str:
    """A patron about whom everything is known."""
    with database.writing() as session:
        add_patron(
            session, CARLA, "Carla Diaz", email="carla@example.org", phone="+86 10 5555", address="1 Long Street",
            born_on=date(1990, 5, 6), expires_on=date(2030, 1, 2),
        )  # fmt: skip
    return CARLA


def status(terminal: Client, card: str, pin: str = PIN) -> Message:
    return terminal.ask(f"23001{DATE}AOMAIN|AA{card}|AC|AD{pin}|")


def counts(message: Message) -> tuple[str, ...]:
    return tuple(message.fixed[n] for n in ("holds", "overdue", "charged", "fees", "recalls", "unavailable"))


def test_a_good_patron_s_status_is_blank(terminal: Client) -> None:
    fine = status(terminal, ALICE)
    assert (fine.id, fine.fixed) == ("24", {"status": FINE, "language": "001", "date": DATE})
    told = [fine.get(name) for name in (F.INSTITUTION, F.PATRON, F.NAME, F.VALID_PATRON, F.VALID_PIN)]
    assert told == ["MAIN", ALICE, "Alice Wu", "Y", "Y"]
    assert (fine.get(F.CURRENCY), fine.get(F.FEE_AMOUNT)) == ("CNY", "0.00")


@pytest.mark.parametrize("language", ["\x01\x02\x7f", "é é", "语语语"])
def test_a_language_that_is_none_is_not_repeated(terminal: Client, language: str) -> None:
    said = terminal.ask(f"23{language}{DATE}AOMAIN|AA{ALICE}|AC|AD{PIN}|")
    assert (said.id, said.fixed["language"], said.get(F.VALID_PATRON)) == ("24", "000", "Y")


def test_a_list_may_be_asked_for_to_any_end(terminal: Client) -> None:
    terminal.checkout(ALICE, BOOKS[0], pin=PIN)
    told = terminal.patron(ALICE, pin=PIN, summary=2, more=f"BP1|BQ{'9' * 5000}|")
    assert (told.get(F.VALID_PATRON), told.all(F.CHARGED)) == ("Y", [BOOKS[0]])


def test_an_unknown_card_is_told_as_such(terminal: Client) -> None:
    for unknown in (status(terminal, "99999999"), terminal.patron("99999998", pin=PIN, summary=2)):
        assert unknown.fixed["status"] == "YYYY" + " " * 10
        assert (unknown.get(F.NAME), unknown.get(F.VALID_PATRON)) == ("", "N")
        assert F.VALID_PIN not in unknown.names()
        assert screen(unknown)


@pytest.mark.parametrize("pin", ["0000", ""])
def test_without_the_right_pin_nothing_is_told(terminal: Client, carla: str, pin: str) -> None:
    terminal.checkout(carla, BOOKS[0], pin=PIN)
    terminal.ask(f"35{DATE}AOMAIN|AA{carla}|")
    for answer in (terminal.patron(carla, pin=pin, summary=2), status(terminal, carla, pin)):
        assert (answer.get(F.VALID_PATRON), answer.get(F.VALID_PIN)) == ("Y", "N")
        told = {name for name, _ in answer.fields}
        assert told <= {F.INSTITUTION, F.PATRON, F.NAME, F.VALID_PATRON, F.VALID_PIN, F.SCREEN}
        assert answer.get(F.NAME) == ""
        assert answer.fixed.get("charged", "    ") == "    "


def test_information_has_what_the_profile_asks_for(terminal: Client, connect: Connect, carla: str) -> None:
    told = terminal.patron(carla, pin=PIN)
    assert [told.get(name) for name in (F.ADDRESS, F.EMAIL, F.PHONE, F.CARD_EXPIRY, F.BIRTH_DATE, F.PATRON_CLASS)] == [
        "1 Long Street", "carla@example.org", "+86 10 5555", "20300102", "19900506", "adult",
    ]  # fmt: skip
    assert (told.get(F.HOLD_LIMIT), told.get(F.CHARGED_LIMIT)) == ("0005", "0006")
    private = connect("trusted").patron(carla)
    assert private.get(F.NAME) == "Carla Diaz"
    assert not {F.ADDRESS, F.EMAIL, F.PHONE, F.CARD_EXPIRY, F.BIRTH_DATE} & {name for name, _ in private.fields}


def test_loans_are_counted_and_listed_from_start_to_end(terminal: Client, clock: ManualClock) -> None:
    for book in BOOKS[:4]:
        terminal.checkout(ALICE, book, pin=PIN)
        clock.advance(days=1)
    plain = terminal.patron(ALICE, pin=PIN)
    assert counts(plain) == ("0000", "0000", "0004", "0000", "0000", "0000")
    assert not plain.all(F.CHARGED)
    assert terminal.patron(ALICE, pin=PIN, summary=2).all(F.CHARGED) == list(BOOKS[:4])
    some = terminal.patron(ALICE, pin=PIN, summary=2, more="BP2|BQ3|")
    assert (some.all(F.CHARGED), counts(some)[2]) == (list(BOOKS[1:3]), "0004")
    assert terminal.patron(ALICE, pin=PIN, summary=2, more="BP9|BQ1|").all(F.CHARGED) == []
    assert terminal.patron(ALICE, pin=PIN, summary=2, more="BPx|BQ-1|").all(F.CHARGED) == list(BOOKS[:4])
    clock.advance(days=28)
    late = terminal.patron(ALICE, pin=PIN, summary=1)
    assert (late.all(F.OVERDUE), counts(late)[1]) == (list(BOOKS[:2]), "0002")


def test_the_first_of_several_wishes_counts(terminal: Client) -> None:
    terminal.checkout(ALICE, BOOKS[0], pin=PIN)
    both = terminal.ask(f"63001{DATE}  Y  Y    AOMAIN|AA{ALICE}|AC|AD{PIN}|")
    assert (both.all(F.CHARGED), both.all(F.HOLDS_QUEUED)) == ([BOOKS[0]], [])
    nothing = terminal.ask(f"63001{DATE}       Y  AOMAIN|AA{ALICE}|AC|AD{PIN}|")
    assert not nothing.all(F.CHARGED)


def test_what_is_ready_and_what_is_waited_for_are_two_lists(terminal: Client) -> None:
    for book in BOOKS[:2]:
        terminal.checkout(BO, book, pin=PIN)
        placed = terminal.ask(f"15+{DATE}AOMAIN|AA{ALICE}|AD{PIN}|AB{book}|")
        assert placed.fixed["ok"] == "1"
    terminal.checkin(BOOKS[0])
    ready = terminal.patron(ALICE, pin=PIN, summary=0)
    assert (ready.all(F.HOLDS_READY), ready.all(F.HOLDS_QUEUED)) == ([BOOKS[0]], [])
    queued = terminal.patron(ALICE, pin=PIN, summary=5)
    assert (queued.all(F.HOLDS_READY), queued.all(F.HOLDS_QUEUED)) == ([], [BOOKS[1]])
    assert (counts(queued)[0], counts(queued)[5]) == ("0001", "0001")


def test_fees_are_owed_listed_and_named(terminal: Client, database: Database) -> None:
    with database.writing() as session:
        patron = patrons.find(session, ALICE)
        assert patron is not None
        fee = fees.charge(session, patron.id, "damage", Decimal("12.50"), at=NOW, actor="tests")
    told = terminal.patron(ALICE, pin=PIN, summary=3)
    assert (told.get(F.FEE_AMOUNT), counts(told)[3], told.all(F.FEES)) == ("12.50", "0001", [f"{fee} 12.50 damage"])


def test_titles_are_listed_where_the_profile_wants_them(connect: Connect) -> None:
    trusted = connect("trusted")
    trusted.checkout(ALICE, BOOKS[0])
    assert trusted.patron(ALICE, summary=2).all(F.CHARGED) == [f"{BOOKS[0]} Book 1"]


@pytest.mark.parametrize(("card", "flags"), [(BLOCKED, "YYYY"), (EXPIRED, "YYYY")])
def test_who_may_borrow_nothing_is_told_why(terminal: Client, card: str, flags: str) -> None:
    stopped = status(terminal, card)
    assert stopped.fixed["status"] == flags + " " * 10
    assert (stopped.get(F.VALID_PATRON), bool(screen(stopped))) == ("Y", True)


def test_too_many_loans_stop_lending_and_not_renewing(terminal: Client) -> None:
    for book in BOOKS[:6]:
        terminal.checkout(ALICE, book, pin=PIN)
    assert status(terminal, ALICE).fixed["status"] == "Y    Y        "


def test_a_terminal_blocks_and_only_its_own_blocks_are_lifted(terminal: Client) -> None:
    blocked = terminal.ask(f"01Y{DATE}AOMAIN|ALcard left behind|AA{ALICE}|AC|")
    assert (blocked.id, blocked.fixed["status"], blocked.fixed["language"]) == ("24", "YYYYY" + " " * 9, "000")
    assert blocked.get(F.NAME) == ""
    assert terminal.checkout(ALICE, BOOKS[0], pin=PIN).fixed["ok"] == "0"
    wrong = terminal.ask(f"25{DATE}AOMAIN|AA{ALICE}|AC|AD0000|")
    assert (wrong.id, wrong.get(F.VALID_PIN)) == ("26", "N")
    enabled = terminal.ask(f"25{DATE}AOMAIN|AA{ALICE}|AC|AD{PIN}|")
    assert (enabled.fixed["status"], enabled.get(F.VALID_PATRON)) == (FINE, "Y")
    assert terminal.checkout(ALICE, BOOKS[0], pin=PIN).fixed["ok"] == "1"
    terminal.ask(f"25{DATE}AOMAIN|AA{BLOCKED}|AC|AD{PIN}|")
    assert terminal.checkout(BLOCKED, BOOKS[1], pin=PIN).fixed["ok"] == "0", "a librarian's block stands"


def test_blocking_stops_no_return(terminal: Client) -> None:
    terminal.checkout(ALICE, BOOKS[0], pin=PIN)
    assert terminal.ask(f"01N{DATE}AOMAIN|AL|AA{ALICE}|AC|").fixed["status"] == "YYYY" + " " * 10
    assert terminal.checkin(BOOKS[0]).fixed["ok"] == "1"
    unknown = terminal.ask(f"01N{DATE}AOMAIN|AL|AA99999999|AC|")
    assert (unknown.get(F.VALID_PATRON), unknown.fixed["status"]) == ("N", "YYYY" + " " * 10)


def test_wrong_pins_lock_the_card(terminal: Client) -> None:
    said = [screen(status(terminal, ALICE, f"{number:04d}")) for number in range(8)]
    assert said[-1] != said[0]
    assert status(terminal, ALICE).get(F.VALID_PIN) == "N", "the right PIN does not open a locked card"


def test_screens_are_in_the_language_that_was_asked_for(terminal: Client) -> None:
    chinese = terminal.ask(f"23019{DATE}AOMAIN|AA{BLOCKED}|AC|AD{PIN}|")
    assert chinese.fixed["language"] == "019"
    assert "停" in screen(chinese) or "锁" in screen(chinese) or any("一" <= c <= "鿿" for c in screen(chinese))
    assert screen(terminal.checkout(BLOCKED, BOOKS[0], pin=PIN)) == screen(chinese)
