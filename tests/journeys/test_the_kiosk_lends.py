"""Journey (b): card and five books -> five loans, tags switched and read back, a receipt; and back again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.kiosk import KioskScreen
from tests.support.programs import START_S, Library, library, wait_for

pytestmark = [pytest.mark.process, pytest.mark.timeout(240)]

BOOKS = ("30000011", "30000012", "30000013", "30000014", "30000015")
ON_LOAN, IN_STOCK = "C2", "07"


def afis(running: Library, barcodes: tuple[str, ...]) -> list[str]:
    tags = running.observe()["tags"]
    return [tags[code]["afi"].upper() for code in barcodes]


def empty_handed(running: Library) -> tuple[str, str]:
    """A patron (card, PIN) who has nothing on loan."""
    for patron in running.facts()["patrons"]:
        client = running.client(patron["card"], patron["pin"])
        standing = client.get("/patrons/me")
        if standing.status_code == 200 and not client.get("/patrons/me/loans").json()["loans"]:
            return patron["card"], patron["pin"]
    raise AssertionError("every demo patron has something on loan")


@pytest.fixture
def screen(running: Library) -> Iterator[KioskScreen]:
    """The kiosk at rest, its pad empty."""
    on_pad = [name for name, tag in running.observe()["tags"].items() if tag["pad"]]
    if on_pad:
        running.sim("remove", "kiosk-1", *on_pad)
    with KioskScreen(running.kiosk) as found:
        if found.now["screen"] != "idle":
            found.touch("done")
        found.until("idle")
        yield found


def loans(running: Library, card: str, pin: str) -> set[str]:
    found: list[dict[str, Any]] = running.client(card, pin).get("/patrons/me/loans").json()["loans"]
    return {loan["barcode"] for loan in found}


def receipts(running: Library) -> set[str]:
    return {file.read_text() for file in (running.folder / "var" / "receipts").glob("kiosk-1-*.txt")}


def borrow(running: Library, screen: KioskScreen, card: str, books: tuple[str, ...]) -> None:
    running.sim("place", "kiosk-1", *books)  # books first: what lies there before the card must count
    screen.touch("borrow")
    screen.until("identify")
    running.sim("place", "kiosk-1", card)
    screen.until("items", *books)
    screen.touch("confirm")


def test_five_books_are_lent_and_taken_back(running: Library, screen: KioskScreen) -> None:
    card, pin = empty_handed(running)
    assert afis(running, BOOKS) == [IN_STOCK] * 5

    before = receipts(running)
    borrow(running, screen, card, BOOKS)
    result = screen.until("result")
    assert loans(running, card, pin) == set(BOOKS)
    assert afis(running, BOOKS) == [ON_LOAN] * 5, "the tags are switched before the result is shown"
    assert result["tone"] == "ok"
    (receipt,) = wait_for("a receipt is printed", lambda: receipts(running) - before, 5)
    titles = {item["barcode"]: item["title"] for item in running.facts()["items"]}
    assert all(titles[code] in receipt for code in BOOKS)
    assert card not in receipt
    assert card[-4:] in receipt, "only the card's tail is printed"
    screen.touch("done")
    screen.until("idle")
    running.sim("remove", "kiosk-1", card, *BOOKS)

    screen.touch("return")
    screen.until("return")
    running.sim("place", "kiosk-1", *BOOKS)
    wait_for("all five are back", lambda: not loans(running, card, pin), 20)
    wait_for("all five tags are secured", lambda: afis(running, BOOKS) == [IN_STOCK] * 5, 20)
    screen.until("return", *BOOKS)
    screen.touch("done")
    screen.until("idle")


def test_a_book_on_loan_to_another_is_left_out(running: Library, screen: KioskScreen) -> None:
    card, pin = empty_handed(running)
    lent = next(item["barcode"] for item in running.facts()["items"] if item["on_loan"])
    borrow(running, screen, card, (BOOKS[0], lent))
    screen.until("result")
    assert loans(running, card, pin) == {BOOKS[0]}
    assert afis(running, (BOOKS[0], lent)) == [ON_LOAN, ON_LOAN]

    screen.touch("done")
    running.sim("remove", "kiosk-1", lent)
    screen.until("idle")
    screen.touch("return")
    screen.until("return")
    wait_for("the book is back", lambda: not loans(running, card, pin), 20)
    screen.until("return", BOOKS[0])


@pytest.mark.parametrize(
    ("cards", "words"),
    [(("90000001", "90000002"), "two cards"), (("90000029",), "blocked"), (("90000030",), "no longer valid")],
)
def test_a_card_that_does_not_do_is_told_why(
    cards: tuple[str, ...], words: str, running: Library, screen: KioskScreen
) -> None:
    screen.touch("language")
    screen.touch("borrow")
    screen.until("identify")
    running.sim("place", "kiosk-1", *cards)
    assert screen.until("identify", words)["tone"] == "fail"


def test_nonsense_from_a_browser_changes_nothing(running: Library, screen: KioskScreen) -> None:
    for nonsense in ("", "{", "[]", '{"touch": 7}', '{"touch": "confirm"}', "x" * 2000, '{"touch":"explode","seq":1}'):
        screen.say(nonsense)
    screen.touch("return")
    screen.until("return")


def test_a_server_killed_in_the_middle_of_a_checkout_lends_once(tmp_path: Path) -> None:
    with library(tmp_path) as running, KioskScreen(running.kiosk) as screen:
        screen.until("idle")
        card, pin = empty_handed(running)
        running.sim("place", "kiosk-1", card, *BOOKS)
        screen.touch("borrow")
        screen.until("items", *BOOKS)
        running.freeze("server")
        screen.touch("confirm")
        screen.until("busy")
        running.kill("server")
        running.begin("server")  # which takes its time: the patron waits for it
        screen.until("result", within_s=3 * START_S, staying=True)
        assert loans(running, card, pin) == set(BOOKS)
        assert afis(running, BOOKS) == [ON_LOAN] * 5


def test_a_gateway_killed_while_it_waits_finishes_afterwards(tmp_path: Path) -> None:
    with library(tmp_path) as running:
        with KioskScreen(running.kiosk) as screen:
            screen.until("idle")
            card, pin = empty_handed(running)
            running.sim("place", "kiosk-1", card, *BOOKS)
            screen.touch("borrow")
            screen.until("items", *BOOKS)
            running.kill("server")
            screen.touch("confirm")
            screen.until("busy")
            running.kill("gateway")
        running.start("server", "gateway")
        wait_for("the loans are there", lambda: loans(running, card, pin) == set(BOOKS), 40)
        wait_for("the tags are switched", lambda: afis(running, BOOKS) == [ON_LOAN] * 5, 40)


def test_without_a_server_the_kiosk_says_it_is_closed(tmp_path: Path) -> None:
    with library(tmp_path) as running, KioskScreen(running.kiosk) as screen:
        screen.until("idle")
        running.kill("server")
        screen.until("closed")
        running.start("server")
        screen.until("idle")


def test_a_reader_unplugged_and_plugged_back_heals(tmp_path: Path) -> None:
    with library(tmp_path) as running, KioskScreen(running.kiosk) as screen:
        screen.until("idle")
        running.sim("fault", "kiosk-1", "unplug")
        screen.until("out_of_service")
        running.sim("fault", "kiosk-1", "restore")
        screen.until("idle")
