"""PINs where a card is at hand: kiosk, desk and terminals."""

import pytest

from server.auth import service
from server.auth.errors import PinLockedError, WrongPinError
from server.db import Database
from server.patrons import desk
from server.patrons import service as patrons
from server.patrons.service import Patron
from tests.support.library import ALICE, BO, NOW, PIN, ManualClock


def test_the_right_pin_names_the_patron(database: Database) -> None:
    found = service.verify_pin(database, ALICE, PIN, now=NOW)
    assert isinstance(found, Patron)
    assert found.name == "Alice Wu"


@pytest.mark.parametrize("card", [ALICE, "99999999"])
def test_five_wrong_pins_lock_the_card_known_or_not(database: Database, clock: ManualClock, card: str) -> None:
    for _ in range(5):
        assert isinstance(service.verify_pin(database, card, "0000", now=clock.now()), WrongPinError)
        clock.advance(minutes=1)
    locked = service.verify_pin(database, card, PIN, now=clock.now())
    assert isinstance(locked, PinLockedError)
    assert locked.params == {"seconds": 840}
    assert isinstance(service.verify_pin(database, BO, PIN, now=clock.now()), Patron)
    clock.advance(minutes=14)
    assert isinstance(service.verify_pin(database, card, PIN, now=clock.now()), Patron | WrongPinError)


def test_wrong_pins_at_a_terminal_and_at_the_sign_in_are_counted_together(database: Database) -> None:
    for _ in range(3):
        service.verify_pin(database, ALICE, "0000", now=NOW)
    for _ in range(2):
        service.sign_in(database, ALICE, "0000", now=NOW, hours=1)
    assert isinstance(service.verify_pin(database, ALICE, PIN, now=NOW), PinLockedError)


def test_the_right_pin_clears_the_count(database: Database) -> None:
    for _ in range(3):
        for _ in range(4):
            service.verify_pin(database, ALICE, "0000", now=NOW)
        assert isinstance(service.verify_pin(database, ALICE, PIN, now=NOW), Patron)


def test_a_lost_card_has_no_pin(database: Database) -> None:
    with database.writing() as session:
        alice = patrons.find(session, ALICE)
        assert alice
        desk.end_card(session, alice.id, "lost", actor="tests", at=NOW)
    assert isinstance(service.verify_pin(database, ALICE, PIN, now=NOW), WrongPinError)
