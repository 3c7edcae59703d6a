"""The patrons' step keeps who a library has."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.engine import make_url

from server import hashing
from server.db import Database
from server.migrations import apply
from server.patrons import desk, service
from tests.support.library import NOW

PEOPLE = (
    "INSERT INTO account VALUES (1, 'librarian', 'The librarian', 'librarian', 'x')",
    "INSERT INTO patron VALUES (3, '90000001', 'Alice Wu', '{pin}', 'en', '2030-01-01', FALSE)",
    "INSERT INTO patron VALUES (9, '90000002', '张波', '{pin}', NULL, NULL, TRUE)",
    "INSERT INTO sign_in VALUES ('abc', NULL, 3, '2026-03-02 16:30:00')",
    "INSERT INTO wrong_secret VALUES (1, '90000001', '2026-03-02 04:30:00')",
)


@pytest.fixture
def before(databases) -> Iterator[Database]:  # type: ignore[no-untyped-def]
    """A database of the skeleton, with people."""
    opened = Database(make_url(databases.create()))
    with opened.connection() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(apply.__file__).parent))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "v0003")
        pin = hashing.make("2468")
        for statement in PEOPLE:
            connection.execute(text(statement.replace("{pin}", pin)))
    yield opened
    opened.close()


def test_patrons_keep_card_pin_and_block_and_new_ones_come_after_them(before: Database) -> None:
    apply.upgrade(before)
    with before.writing() as session:
        alice = service.check_pin(session, "90000001", "2468")
        assert alice
        assert (alice.id, alice.name, alice.card_state, alice.patron_class, alice.branch) == (
            3, "Alice Wu", "active", "adult", "main",
        )  # fmt: skip
        assert not alice.blocked_at(NOW)
        bo = service.find(session, "90000002")
        assert bo
        assert (bo.id, bo.blocked_at(NOW), bo.blocks[0].reason) == (9, True, "manual")
        assert [one.name for one in desk.search(session, "张")] == ["张波"]
        assert service.add(session, service.NewPatron("90000003", "New"), NOW) not in (3, 9)
        assert service.find(session, "90000003") is not None
