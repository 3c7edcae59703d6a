"""Returns: always taken where they are made, and told where they go."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from server.catalogue import service as catalogue
from server.circulation.models import LoanRow
from server.db import Database
from server.sip2.wire.messages import F
from tests.support.library import ALICE, BO, BOOKS, NOW, PIN, ManualClock
from tests.support.sip2 import DATE, NO_DATE, Client, screen

pytestmark = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
Connect = Callable[..., Client]


def move(database: Database, barcode: str, branch: str) -> None:
    """The item belongs to another branch."""
    with database.writing() as session:
        item = catalogue.get_item(session, barcode)
        catalogue.place_item(session, item.id, NOW, branch=branch)


def test_a_plain_return_goes_to_its_shelf_without_an_alert(terminal: Client) -> None:
    terminal.checkout(ALICE, BOOKS[0], pin=PIN)
    back = terminal.checkin(BOOKS[0])
    assert (back.id, back.fixed) == (
        "10", {"ok": "1", "resensitise": "Y", "magnetic": "N", "alert": "N", "date": DATE},
    )  # fmt: skip
    told = [
        back.get(n) for n in (F.INSTITUTION, F.ITEM, F.HOME_PLACE, F.TITLE, F.SORT_BIN, F.COLLECTION, F.CALL_NUMBER)
    ]
    assert told == ["MAIN", BOOKS[0], "main", "Book 1", "1", "stacks", "I0/1"]
    assert back.get(F.PATRON) == ALICE, "the profile asks for who had it"
    assert not {F.ALERT_TYPE, F.DESTINATION} & {name for name, _ in back.fields}
    assert screen(back) == "Returned."


def test_an_unknown_item_is_for_the_exception_bin(terminal: Client) -> None:
    for barcode in ("99999999", "no?item"):
        strange = terminal.checkin(barcode)
        assert strange.fixed["ok"] + strange.fixed["resensitise"] + strange.fixed["alert"] == "0NY"
        assert (strange.get(F.ALERT_TYPE), strange.get(F.SORT_BIN)) == ("99", "9")


def test_what_was_not_lent_is_taken_all_the_same(terminal: Client, connect: Connect) -> None:
    here = terminal.checkin(BOOKS[0])
    assert (here.fixed["ok"], here.fixed["alert"]) == ("1", "N")
    strict = connect("sorter").checkin(BOOKS[0])
    assert (strict.fixed["ok"], strict.fixed["resensitise"], strict.get(F.ALERT_TYPE)) == ("0", "N", "")


def test_what_somebody_waits_for_is_kept_here(terminal: Client) -> None:
    terminal.checkout(BO, BOOKS[0], pin=PIN)
    terminal.ask(f"15+{DATE}AOMAIN|AA{ALICE}|AD{PIN}|AB{BOOKS[0]}|")
    held = terminal.checkin(BOOKS[0])
    assert held.fixed["ok"] + held.fixed["alert"] == "1Y"
    assert (held.get(F.ALERT_TYPE), held.get(F.DESTINATION), held.get(F.SORT_BIN)) == ("01", "", "8")
    assert (held.get(F.HOLD_PATRON), held.get(F.HOLD_PATRON_NAME)) == (ALICE, "A. W.")
    assert "Reserved" in screen(held)


def test_what_is_waited_for_elsewhere_is_sent_there(terminal: Client) -> None:
    terminal.checkout(BO, BOOKS[0], pin=PIN)
    terminal.ask(f"15+{DATE}BSeast|AOMAIN|AA{ALICE}|AD{PIN}|AB{BOOKS[0]}|")
    sent = terminal.checkin(BOOKS[0])
    assert sent.fixed["alert"] == "Y"
    assert (sent.get(F.ALERT_TYPE), sent.get(F.DESTINATION), sent.get(F.SORT_BIN)) == ("02", "east", "8")


def test_what_belongs_elsewhere_is_sent_home(terminal: Client, database: Database) -> None:
    move(database, BOOKS[0], "east")
    home = terminal.checkin(BOOKS[0])
    assert (home.fixed["ok"], home.fixed["alert"]) == ("1", "Y")
    assert (home.get(F.ALERT_TYPE), home.get(F.DESTINATION), home.get(F.SORT_BIN)) == ("04", "east", "7")
    assert home.get(F.HOME_PLACE) == "east"
    told = terminal.item(BOOKS[0])
    assert (told.fixed["circulation"], told.get(F.DESTINATION)) == ("10", "east")


def test_a_terminal_may_send_the_bearer_to_the_desk(terminal: Client, connect: Connect, database: Database) -> None:
    terminal.checkout(BO, BOOKS[0], pin=PIN)
    terminal.ask(f"15+{DATE}AOMAIN|AA{ALICE}|AD{PIN}|AB{BOOKS[0]}|")
    refused = connect("sorter").checkin(BOOKS[0])
    assert (refused.fixed["ok"], refused.fixed["alert"], refused.get(F.ALERT_TYPE)) == ("0", "Y", "01")
    with database.reading() as session:
        assert session.scalar(select(LoanRow.checked_in_at)) is None


@pytest.mark.parametrize(
    ("returned", "counts"),
    [
        ("20260409    200000", "2026-04-09 12:00"),
        ("20260409   Z120000", "2026-04-09 12:00"),
        (" " * 18, "2026-04-11 04:30"),
        ("20270101    000000", "2026-04-11 04:30"),
        ("20250101    000000", "2026-03-12 04:30"),
    ],
)
def test_a_book_drop_s_date_counts_within_limits(
    terminal: Client, database: Database, clock: ManualClock, returned: str, counts: str
) -> None:
    terminal.checkout(ALICE, BOOKS[0], pin=PIN)
    clock.advance(days=40)
    assert terminal.checkin(BOOKS[0], returned=returned).fixed["ok"] == "1"
    with database.reading() as session:
        at = session.scalar(select(LoanRow.checked_in_at))
    assert f"{at:%Y-%m-%d %H:%M}" == counts


def test_a_return_the_terminal_could_not_finish_is_undone(terminal: Client) -> None:
    terminal.checkout(ALICE, BOOKS[0], pin=PIN)
    terminal.checkin(BOOKS[0])
    undone = terminal.checkin(BOOKS[0], more="BIY|")
    assert (undone.fixed["ok"], undone.fixed["resensitise"]) == ("1", "N")
    assert terminal.patron(ALICE, pin=PIN, summary=2).all(F.CHARGED) == [BOOKS[0]]
    assert terminal.checkin(BOOKS[5], more="BIY|").fixed["ok"] == "0"


def test_undoing_a_return_twice_or_without_one_leaves_the_loan(
    terminal: Client, connect: Connect, database: Database, clock: ManualClock
) -> None:
    due = terminal.checkout(ALICE, BOOKS[0], pin=PIN).get(F.DUE)
    clock.advance(days=1)
    later = terminal.ask(f"29NN{DATE}{NO_DATE}AOMAIN|AA{ALICE}|AD{PIN}|AB{BOOKS[0]}|").get(F.DUE)
    assert later > due
    for client in (connect("sorter"), connect("sorter"), terminal):
        undone = client.checkin(BOOKS[0], more="BIY|")
        assert (undone.fixed["ok"], undone.fixed["resensitise"]) == ("1", "N")
    terminal.checkin(BOOKS[0])
    for client in (terminal, connect()):
        assert client.checkin(BOOKS[0], more="BIY|").fixed["ok"] == "1"
    with database.reading() as session:
        (loan,) = session.scalars(select(LoanRow))
    assert (loan.checked_in_at, loan.renewals) == (None, 1)
    assert terminal.item(BOOKS[0]).get(F.DUE) == later


def test_a_return_is_undone_for_a_moment_only(terminal: Client, database: Database, clock: ManualClock) -> None:
    terminal.checkout(ALICE, BOOKS[0], pin=PIN)
    terminal.checkin(BOOKS[0])
    clock.advance(minutes=1)
    late = terminal.checkin(BOOKS[0], more="BIY|")
    assert late.fixed["ok"] == "0"
    assert screen(late)
    with database.reading() as session:
        assert session.scalar(select(LoanRow.checked_in_at)) is not None


@pytest.mark.parametrize("returned", ["00010101    000000", "99991231    235959", "20261318    000000"])
def test_a_date_that_is_none_is_no_date(terminal: Client, database: Database, returned: str) -> None:
    terminal.checkout(ALICE, BOOKS[0], pin=PIN)
    assert terminal.checkin(BOOKS[0], returned=returned).fixed["ok"] == "1"
    with database.reading() as session:
        at = session.scalar(select(LoanRow.checked_in_at))
    assert f"{at:%Y-%m-%d}" == "2026-03-02"
