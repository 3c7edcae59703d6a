"""PINs where a card is at hand: kiosk, desk and terminals; and which sign-ins the audit log tells of."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest

from server.audit import service as audit
from server.audit.values import Wanted
from server.auth import accounts, service
from server.auth.errors import PinLockedError, SignInLockedError, WrongPinError, WrongSignInError
from server.auth.service import SignedIn
from server.db import Database
from server.patrons import desk
from server.patrons import service as patrons
from server.patrons.service import Patron
from tests.support.commits import counting_commits
from tests.support.library import ALICE, BO, NOW, PASSWORD, PIN, ManualClock


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


@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("pin", "told"), [(PIN, [Patron] * 8), ("0000", [WrongPinError] * 5 + [PinLockedError] * 3)])
def test_several_servers_judge_one_card_in_turn(
    database: Database, monkeypatch: pytest.MonkeyPatch, pin: str, told: list[type]
) -> None:
    monkeypatch.setattr(service, "_TURNS", [nullcontext()])  # each thread is a server of its own
    gate = threading.Barrier(8)

    def come(_: int) -> object:
        gate.wait()
        return service.verify_pin(database, ALICE, pin, now=NOW)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(come, range(8)))
    assert sorted((type(one) for one in answers), key=told.index) == told


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


def sign_in(database: Database, user: str = "librarian", secret: str = PASSWORD) -> SignedIn:
    found = service.sign_in(database, user, secret, now=NOW, hours=1)
    assert isinstance(found, SignedIn)
    return found


def told(database: Database) -> list[tuple[str, str, str]]:
    """What the audit log says of sessions, oldest first: actor, action, and the account's name for its number."""
    with database.reading() as session:
        names = {f"account:{one.id}": one.user for one in accounts.listed(session)}
        entries = [row.entry for row in reversed(audit.page(session, Wanted()))]
    return [(one.actor, one.action, names[one.target]) for one in entries if one.action.startswith("session.")]


def test_colleagues_sessions_are_audited_from_start_to_end(database: Database) -> None:
    here, there = sign_in(database), sign_in(database)
    with database.reading() as session:
        other = next(one.id for one in service.sessions_of(session, here.token, NOW) if not one.current)
        entries = audit.page(session, Wanted(action="session.start"))
    assert json.loads(entries[0].entry.detail) == {"session": other}
    assert there.token not in repr(entries)
    with database.writing() as session:
        service.end_session(session, here.token, other, NOW)
        service.sign_out(session, here.token, NOW)
        service.sign_out(session, here.token, NOW)
        service.sign_out(session, "no token of ours", NOW)
    start, end = (("user:librarian", f"session.{what}", "librarian") for what in ("start", "end"))
    assert told(database) == [start, start, end, end]
    assert audit.verify(database).broken is None


def test_an_end_of_no_session_is_not_audited(database: Database) -> None:
    mine = sign_in(database)
    with database.writing() as session:
        service.end_session(session, mine.token, "0" * 16, NOW)
    assert [action for _who, action, _account in told(database)] == ["session.start"]


def test_readers_sign_ins_and_locks_are_nobodys_to_look_up(database: Database) -> None:
    reader = sign_in(database, ALICE, PIN)
    with database.writing() as session:
        service.sign_out(session, reader.token, NOW)
    for user in (ALICE, "nobody"):
        for _ in range(5):
            service.sign_in(database, user, "wrong", now=NOW, hours=1)
        assert isinstance(service.sign_in(database, user, "wrong", now=NOW, hours=1), SignInLockedError)
    assert told(database) == []


def test_a_locked_account_is_told_once_for_each_lock(database: Database, clock: ManualClock) -> None:
    refused = ("sign_in", "session.refused", "librarian")
    for locks in (1, 2):
        for _ in range(5):
            found = service.sign_in(database, "Librarian", "wrong", now=clock.now(), hours=1)
            assert isinstance(found, WrongSignInError)
        assert told(database) == [refused] * (locks - 1)
        for _ in range(3):
            clock.advance(seconds=20)
            found = service.sign_in(database, "librarian", PASSWORD, now=clock.now(), hours=1)
            assert isinstance(found, SignInLockedError)
        assert told(database) == [refused] * locks
        clock.advance(minutes=30)


def test_a_sign_in_commits_as_often_as_without_the_log(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    commits = counting_commits(monkeypatch)
    sign_in(database)
    assert len(commits) == 2  # the try is counted; the session is opened and told
