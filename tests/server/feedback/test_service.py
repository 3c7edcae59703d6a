"""Numbers under races, escalation, and being forgotten."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from server.db import Database
from server.feedback import service
from server.feedback.service import NewCase
from server.holders import HOLDERS
from server.lending.occasion import Occasion
from server.patrons import privacy
from server.patrons import service as patrons
from tests.support.library import ALICE, NOW

HERE = Occasion("anonymous", NOW, ZoneInfo("Asia/Shanghai"))


@pytest.fixture
def alice(database: Database) -> int:
    with database.reading() as session:
        patron = patrons.find(session, ALICE)
    assert patron is not None
    return patron.id


def tell(database: Database, patron_id: int | None = None, text: str = "Cold here.") -> str:
    with database.writing() as session:
        new = NewCase("complaint", text, place="stacks", patron_id=patron_id)
        return service.open_case(session, new, HERE, days=2).number


def test_numbers_have_neither_twins_nor_gaps_when_many_write_at_once(database: Database):
    with ThreadPoolExecutor(8) as many:
        numbers = list(many.map(lambda _: tell(database), range(24)))
    assert sorted(numbers) == [f"2026-{n:04}" for n in range(1, 25)]


def test_a_late_case_is_escalated_once(database: Database):
    late, answered = tell(database), tell(database)
    with database.writing() as session:
        service.answer(session, answered, "Here you are.", actor="user:librarian", at=NOW)
        assert service.escalate(session, NOW + timedelta(days=1)) == []
    after = NOW + timedelta(days=3)
    with ThreadPoolExecutor(4) as many:
        found = list(many.map(lambda _: escalate(database, after), range(4)))
    assert sorted(found) == [[], [], [], [late]]
    with database.writing() as session:
        case = service.get(session, late)
        assert (case.escalated_at, case.is_overdue(after)) == (after, True)
        service.answer(session, late, "Sorry.", actor="user:librarian", at=after)
        again = Occasion("user:librarian", after, HERE.zone)
        service.reopen(session, late, "", again, days=2)
        assert service.get(session, late).escalated_at is None
        assert service.escalate(session, after + timedelta(days=9)) == [late]


def escalate(database: Database, at) -> list[str]:  # type: ignore[no-untyped-def]
    with database.writing() as session:
        return service.escalate(session, at)


def test_a_person_gets_everything_told_and_is_forgotten_with_it(database: Database, alice: int):
    number = tell(database, alice, "My neighbour in 4b hums.")
    with database.writing() as session:
        service.note(session, number, "She is right.", public=False, actor="user:librarian", at=NOW)
        told = privacy.export(session, alice, HOLDERS, actor=f"patron:{alice}", at=NOW)
        assert [(c["number"], c["text"], c["notes"]) for c in told["feedback"]] == [
            (number, "My neighbour in 4b hums.", []),
        ]  # fmt: skip
        privacy.anonymise(session, alice, HOLDERS, actor="user:librarian", at=NOW)
    with database.reading() as session:
        case = service.get(session, number)
    assert (case.patron_id, case.text, case.place, case.state) == (None, "*", "", "closed")
    assert [note.text for note in case.notes] == ["*"]
