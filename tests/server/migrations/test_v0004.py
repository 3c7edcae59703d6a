"""The catalogue's step keeps what a library has."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError

from carrel.config import ConfigError
from server.db import Database
from server.migrations import apply

SHELF = (
    "INSERT INTO record VALUES (7, '红楼梦', '曹雪芹', '清', '', 'zh', '', 'I242', 'I242/1', '红楼梦', '红楼梦')",
    "INSERT INTO item VALUES (1, '30000001', 7, 'stacks', 'I242/1', 'in_stock', TRUE)",
    "INSERT INTO item VALUES (2, '30000002', 7, 'stacks', 'I242/1', 'on_loan', TRUE)",
    "INSERT INTO item VALUES (3, '30000003', 7, 'stacks', 'I242/1', 'missing', FALSE)",
    "INSERT INTO patron (id, card, name, pin_hash, blocked) VALUES (1, '90000001', 'Alice Wu', 'x', FALSE)",
    "INSERT INTO loan VALUES (5, 2, 1, '2026-03-02 04:30:00', '2026-04-02 04:30:00', 0, NULL)",
)


@pytest.fixture
def before(databases) -> Iterator[Database]:  # type: ignore[no-untyped-def]
    """A database of the step before, with a loan."""
    opened = Database(make_url(databases.create()))
    with opened.connection() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(apply.__file__).parent))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "v0003")
        for statement in SHELF:
            connection.execute(text(statement))
    yield opened
    opened.close()


def test_records_items_and_loans_are_all_there_afterwards(before: Database) -> None:
    apply.upgrade(before)
    with before.connection() as connection:
        items = connection.execute(text("SELECT barcode, status, type, tags, branch FROM item ORDER BY id")).all()
        assert [tuple(row) for row in items] == [
            ("30000001", "on_shelf", "book", 1, ""),
            ("30000002", "on_loan", "book", 1, ""),
            ("30000003", "missing", "book", 1, ""),
        ]
        title, kind, suppressed = connection.execute(text("SELECT title, kind, suppressed FROM record")).one()
        assert (title, kind, bool(suppressed)) == ("红楼梦", "book", False)
        assert connection.execute(text("SELECT item_id FROM loan WHERE id = 5")).scalar() == 2


def test_afterwards_the_database_knows_the_new_states_only_and_still_minds_references(before: Database) -> None:
    apply.upgrade(before)
    with before.connection() as connection:
        connection.execute(text("UPDATE item SET status = 'in_processing' WHERE id = 1"))
    with pytest.raises(IntegrityError), before.connection() as connection:
        connection.execute(text("UPDATE item SET status = 'in_stock' WHERE id = 1"))
    with pytest.raises(IntegrityError), before.connection() as connection:
        connection.execute(text("DELETE FROM item WHERE id = 2"))


def test_a_step_that_would_leave_rows_hanging_is_undone_and_told(before: Database) -> None:
    if before.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL minds references while tables are altered")
    with before.changing_tables() as connection:
        connection.execute(text("DELETE FROM item WHERE id = 2"))
    with pytest.raises(ConfigError, match="Nothing was changed"):
        apply.upgrade(before)
    with before.connection() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "v0003"
