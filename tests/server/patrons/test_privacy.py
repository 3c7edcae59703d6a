"""Everything held about a person, for that person; and forgetting them."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from server.db import Database
from server.deps import Role
from server.patrons import privacy, service
from server.patrons.errors import StillHeldError, UnknownPatronError
from server.patrons.models import BlockRow, CardRow, PatronRow
from server.patrons.privacy import Holder
from tests.support.library import ALICE, BLOCKED, BO, NOW, colleague, reader


@pytest.fixture
def alice(database: Database) -> int:
    with database.reading() as session:
        found = service.find(session, ALICE)
    assert found
    return found.id


def test_an_export_holds_what_every_domain_tells(database: Database, alice: int) -> None:
    holder = Holder("loans", export=lambda _session, patron_id: [{"of": patron_id}])
    with database.writing() as session:
        told = privacy.export(session, alice, [holder], actor="user:x", at=NOW)
    assert told["patron"]["name"] == "Alice Wu"
    assert [card["number"] for card in told["cards"]] == [ALICE]
    assert told["loans"] == [{"of": alice}]
    assert "pin_hash" not in str(told)


def test_what_is_open_is_named_and_nothing_is_forgotten(database: Database, alice: int) -> None:
    forgotten: list[int] = []
    holders = [
        Holder("loans", still_open=lambda *_: 2),
        Holder("fees", still_open=lambda *_: 1, forget=lambda _s, patron_id, _at: forgotten.append(patron_id)),
        Holder("holds"),
    ]
    with pytest.raises(StillHeldError) as refused, database.writing() as session:
        privacy.anonymise(session, alice, holders, actor="user:x", at=NOW)
    assert refused.value.params == {"loans": 2, "fees": 1}
    assert forgotten == []
    with database.reading() as session:
        assert service.find(session, ALICE) is not None


def test_an_anonymised_patron_leaves_class_and_branch_and_nothing_else(database: Database, alice: int) -> None:
    forgotten: list[int] = []
    holder = Holder("loans", forget=lambda _session, patron_id, _at: forgotten.append(patron_id))
    with database.writing() as session:
        privacy.anonymise(session, alice, [holder], actor="user:x", at=NOW)
    assert forgotten == [alice]
    with database.reading() as session:
        row = session.get(PatronRow, alice)
        assert row is not None
        left = {name: value for name, value in vars(row).items() if value and name[0] != "_"}
        assert left == {
            "id": alice, "name": "*", "pin_hash": "!", "patron_class": "adult", "branch": "main", "channels": "[]",
            "created_at": NOW, "anonymised_at": NOW,
        }  # fmt: skip
        assert session.scalars(select(CardRow).where(CardRow.patron_id == alice)).all() == []
        assert service.find(session, ALICE) is None
        assert service.check_pin(session, ALICE, "!") is None


def test_notes_of_blocks_and_wards_lose_the_person(database: Database) -> None:
    with database.writing() as session:
        blocked, bo = service.find(session, BLOCKED), service.find(session, BO)
        assert blocked
        assert bo
        session.get_one(BlockRow, blocked.blocks[0].id).note = "Carl was loud"
        session.get_one(PatronRow, bo.id).guardian_id = blocked.id
    with database.writing() as session:
        privacy.anonymise(session, blocked.id, [], actor="user:x", at=NOW)
    with database.reading() as session:
        assert session.get_one(BlockRow, blocked.blocks[0].id).note == ""
        assert session.get_one(PatronRow, bo.id).guardian_id is None


def test_nobody_is_forgotten_twice(database: Database, alice: int) -> None:
    with database.writing() as session:
        privacy.anonymise(session, alice, [], actor="user:x", at=NOW)
    with pytest.raises(UnknownPatronError), database.writing() as session:
        privacy.anonymise(session, alice, [], actor="user:x", at=NOW)


def test_a_reader_takes_their_data_and_goes(client: TestClient, alice: int) -> None:
    who, desk = reader(client), colleague(client, Role.LIBRARIAN)
    told = client.post("/api/v1/patrons/me/export", headers=who).json()
    assert told["patron"]["name"] == "Alice Wu"
    assert len(told["sessions"]) == 1
    assert told["log"] == []
    assert client.post(f"/api/v1/patrons/{alice}/anonymise", headers=desk).status_code == 204
    assert client.get("/api/v1/patrons/me", headers=who).status_code == 401
    again = client.post(f"/api/v1/patrons/{alice}/export", headers=desk)
    assert (again.status_code, again.json()["code"]) == (404, "unknown_patron")
