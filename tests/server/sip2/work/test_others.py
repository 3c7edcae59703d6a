"""Items, holds and payments at a terminal."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from server.catalogue import service as catalogue
from server.catalogue.service import NewRecord
from server.db import Database
from server.fees import service as fees
from server.lending import service as lending
from server.lending.policy import LibraryPolicy
from server.patrons import service as patrons
from server.sip2.wire.messages import F, Message
from tests.support.library import ALICE, BO, BOOKS, MISSING, NOW, PIN
from tests.support.sip2 import DATE, Client, screen

pytestmark = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
Connect = Callable[..., Client]


def hold(terminal: Client, mode: str, card: str, item: str, more: str = "") -> Message:
    return terminal.ask(f"15{mode}{DATE}{more}AOMAIN|AA{card}|AD{PIN}|AB{item}|")


def hold_title(terminal: Client, mode: str, title: str, more: str = "") -> Message:
    return terminal.ask(f"15{mode}{DATE}AOMAIN|AA{ALICE}|AD{PIN}|AJ{title}|{more}")


def pay(terminal: Client, amount: str, more: str = "", *, kind: str = "00", currency: str = "CNY") -> Message:
    return terminal.ask(f"37{DATE}01{kind}{currency}BV{amount}|AOMAIN|AA{ALICE}|{more}")


@pytest.fixture
def fee(database: Database) -> int:
    """Alice owes 5.00 and then 2.50; the second one's id."""
    with database.writing() as session:
        patron = patrons.find(session, ALICE)
        assert patron is not None
        fees.charge(session, patron.id, "damage", Decimal("5.00"), at=NOW, actor="tests")
        return fees.charge(session, patron.id, "overdue", Decimal("2.50"), at=NOW, actor="tests")


def owed(database: Database) -> Decimal:
    with database.reading() as session:
        patron = patrons.find(session, ALICE)
        assert patron is not None
        return fees.balance(session, patron.id)


def test_an_item_on_its_shelf(terminal: Client) -> None:
    told = terminal.item(BOOKS[0])
    assert (told.id, told.fixed) == (
        "18", {"circulation": "03", "security": "00", "fee_type": "01", "date": DATE},
    )  # fmt: skip
    assert [told.get(n) for n in (F.ITEM, F.TITLE, F.QUEUE_LENGTH, F.HOME_PLACE, F.PRESENT_PLACE, F.MEDIA_TYPE)] == [
        BOOKS[0], "Book 1", "0", "main", "main", "001",
    ]  # fmt: skip
    assert (told.get(F.CALL_NUMBER), told.get(F.COLLECTION), F.DUE in told.names()) == ("I0/1", "stacks", False)


def test_an_item_s_status_follows_it(terminal: Client) -> None:
    terminal.checkout(BO, BOOKS[0], pin=PIN)
    hold(terminal, "+", ALICE, BOOKS[0])
    lent = terminal.item(BOOKS[0])
    assert (lent.fixed["circulation"], lent.get(F.DUE), lent.get(F.QUEUE_LENGTH)) == ("04", "20260401    235959", "1")
    terminal.checkin(BOOKS[0])
    kept = terminal.item(BOOKS[0])
    assert (kept.fixed["circulation"], kept.get(F.HOLD_PATRON)) == ("08", ALICE)
    assert len(kept.get(F.PICKUP_DATE)) == 18
    assert terminal.item(MISSING).fixed["circulation"] == "13"


def test_an_unknown_item_has_no_title(terminal: Client) -> None:
    for barcode in ("99999999", "?"):
        unknown = terminal.item(barcode)
        assert unknown.fixed["circulation"] + unknown.fixed["security"] + unknown.fixed["fee_type"] == "010101"
        assert (unknown.get(F.ITEM), unknown.get(F.TITLE)) == (barcode, "")
        assert screen(unknown)


def test_a_robot_tells_where_an_item_stands(terminal: Client, connect: Connect, database: Database) -> None:
    stored = terminal.ask(f"19{DATE}AOMAIN|AB{BOOKS[0]}|CHspine torn|AQeast|APeast|KQA-03-2|AC|")
    assert (stored.id, stored.fixed["ok"], stored.get(F.PROPERTIES)) == ("20", "1", "spine torn")
    with database.reading() as session:
        item = catalogue.get_item(session, BOOKS[0])
    assert (item.branch, item.at_branch, item.location, item.note) == ("east", "east", "A-03-2", "spine torn")
    assert terminal.ask(f"19{DATE}AOMAIN|AB99999999|CH|").fixed["ok"] == "0"
    assert "may not" in screen(connect("trusted").ask(f"19{DATE}AOMAIN|AB{BOOKS[0]}|CHx|"))


@pytest.mark.parametrize(("named", "ok"), [
    ("AQeast|", "1"), ("AQmain|APeast|", "1"), ("AQ|AP|", "1"),
    ("AQnroth|", "0"), ("APnroth|", "0"), ("AQno such place|", "0"),
])  # fmt: skip
def test_a_robot_names_branches_of_the_library(terminal: Client, database: Database, named: str, ok: str) -> None:
    with database.writing() as session:
        lending.set_policy(session, LibraryPolicy(branches=("main", "east")), actor="tests", at=NOW)
    stored = terminal.ask(f"19{DATE}AOMAIN|AB{BOOKS[0]}|CHseen|{named}")
    assert (stored.fixed["ok"], "branch" in screen(stored)) == (ok, ok == "0")
    assert terminal.item(BOOKS[0]).get(F.PROPERTIES) == ("seen" if ok == "1" else "")
    assert "branch" in screen(hold(terminal, "+", ALICE, BOOKS[0], "BSno such place|"))


def test_a_hold_is_placed_changed_and_cancelled(terminal: Client) -> None:
    terminal.checkout(BO, BOOKS[0], pin=PIN)
    placed = hold(terminal, "+", ALICE, BOOKS[0], "BW20261231    235959|BSmain|BY2|")
    assert (placed.id, placed.fixed["ok"], placed.fixed["available"]) == ("16", "1", "N")
    assert [placed.get(n) for n in (F.QUEUE_POSITION, F.PICKUP, F.EXPIRY, F.TITLE)] == [
        "1", "main", "20261231    235959", "Book 1",
    ]  # fmt: skip
    assert hold(terminal, "+", ALICE, BOOKS[0]).fixed["ok"] == "0"
    changed = hold(terminal, "*", ALICE, BOOKS[0], "BSeast|")
    assert (changed.fixed["ok"], changed.get(F.PICKUP), changed.get(F.EXPIRY)[:8]) == ("1", "east", "20261231")
    assert hold(terminal, "-", BO, BOOKS[0]).fixed["ok"] == "0"
    assert hold(terminal, "-", ALICE, BOOKS[0]).fixed["ok"] == "1"
    assert hold(terminal, "-", ALICE, BOOKS[0]).fixed["ok"] == "0"
    assert hold(terminal, "+", ALICE, "99999999").fixed["ok"] == "0"


@pytest.mark.parametrize("last", ["00010101    000000", "20260301    235959", "99991231    235959"])
def test_a_last_day_that_is_over_or_none_is_no_last_day(terminal: Client, last: str) -> None:
    terminal.checkout(BO, BOOKS[0], pin=PIN)
    placed = hold(terminal, "+", ALICE, BOOKS[0], f"BW{last}|")
    assert (placed.fixed["ok"], placed.get(F.EXPIRY)) == ("1", "")
    assert hold(terminal, "+", ALICE, BOOKS[1], "BW20260302    000000|").get(F.EXPIRY) == "20260302    235959"


@pytest.mark.parametrize("mode", ["x", " ", "?"])
def test_a_hold_in_no_mode_changes_nothing(terminal: Client, mode: str) -> None:
    terminal.checkout(BO, BOOKS[0], pin=PIN)
    hold(terminal, "+", ALICE, BOOKS[0], "BSmain|")
    assert hold(terminal, mode, ALICE, BOOKS[0], "BSeast|").fixed["ok"] == "0"
    assert hold(terminal, "*", ALICE, BOOKS[0]).get(F.PICKUP) == "main"


def test_a_hold_on_what_stands_on_the_shelf_says_so(terminal: Client) -> None:
    placed = hold(terminal, "+", ALICE, BOOKS[0], "BY3|")
    assert (placed.fixed["ok"], placed.fixed["available"]) == ("1", "Y")


def test_a_title_is_held_by_its_name_or_isbn(terminal: Client, database: Database) -> None:
    with database.writing() as session:
        twin = catalogue.add_record(session, NewRecord("Book 2", isbn="978-7-02-000220-7"), at=NOW)
        catalogue.add_item(session, twin, catalogue.NewItem("30000099", branch="main"))
    placed = hold_title(terminal, "+", "book １")
    assert (placed.fixed["ok"], placed.get(F.TITLE), placed.get(F.QUEUE_POSITION)) == ("1", "book １", "1")
    assert terminal.item(BOOKS[0]).get(F.QUEUE_LENGTH) == "1"
    assert "Several titles" in screen(hold_title(terminal, "+", "Book 2"))
    assert hold_title(terminal, "+", "7-02-000220-X", "AB|").fixed["ok"] == "1"
    assert terminal.item("30000099").get(F.QUEUE_LENGTH) == "1"
    assert hold_title(terminal, "*", "Book 2", "BSeast|").get(F.PICKUP) == "east"  # the one of them that is held
    assert hold_title(terminal, "-", "Book 1").fixed["ok"] == "1"
    assert hold_title(terminal, "-", "Book 1").fixed["ok"] == "0"
    assert "no such title" in screen(hold_title(terminal, "+", "Book"))
    assert "not in our catalogue" in screen(hold_title(terminal, "+", "Book 1", "AB?|"))
    assert "incomplete" in screen(hold_title(terminal, "+", ""))


def test_a_hold_needs_the_pin(terminal: Client) -> None:
    assert "PIN" in screen(terminal.ask(f"15+{DATE}AOMAIN|AA{ALICE}|AB{BOOKS[0]}|"))


def test_a_payment_is_booked_once_by_its_id(terminal: Client, connect: Connect, database: Database, fee: int) -> None:
    for client in (terminal, connect()):
        paid = pay(client, "3.00", "BKpay-1|")
        assert (paid.id, paid.fixed["ok"], paid.get(F.TRANSACTION)) == ("38", "Y", "pay-1")
    assert owed(database) == Decimal("4.50")
    assert pay(terminal, "3.00").fixed["ok"] == "Y"
    assert owed(database) == Decimal("1.50")


def test_long_payment_ids_are_told_apart(terminal: Client, database: Database, fee: int) -> None:
    for end in ("1", "2", "2"):
        assert pay(terminal, "1.00", f"BK{'A' * 64}{end}|").fixed["ok"] == "Y"
    assert owed(database) == Decimal("5.50")


def test_a_named_fee_is_paid_itself(terminal: Client, database: Database, fee: int) -> None:
    assert pay(terminal, "2.50", f"CG{fee}|", kind="11").fixed["ok"] == "Y"
    assert terminal.patron(ALICE, pin=PIN, summary=3).all(F.FEES) == [f"{fee - 1} 5.00 damage"]


@pytest.mark.parametrize("amount", ["0", "0.00", "-1", "1,50", "1.234", "1e2", "１", "", "9999999", "7.51", "NaN"])
def test_no_other_amount_is_taken(terminal: Client, database: Database, fee: int, amount: str) -> None:
    refused = pay(terminal, amount)
    assert refused.fixed["ok"] == "N"
    assert screen(refused)
    assert owed(database) == Decimal("7.50")


@pytest.mark.parametrize(("currency", "ok"), [("USD", "N"), ("   ", "Y"), ("cny", "Y")])
def test_only_the_library_s_currency_is_taken(terminal: Client, fee: int, currency: str, ok: str) -> None:
    answer = pay(terminal, "1.00", currency=currency)
    assert (answer.fixed["ok"], "currency" in screen(answer)) == (ok, ok == "N")


@pytest.mark.parametrize("more", ["CGx|", "CG99999999999999999999|", "CG0|", "AD0000|"])
def test_an_unknown_fee_or_a_wrong_pin_pays_nothing(terminal: Client, database: Database, fee: int, more: str) -> None:
    assert pay(terminal, "1.00", more).fixed["ok"] == "N"
    assert owed(database) == Decimal("7.50")
