"""The tables that the history makes are the tables that the models describe."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.engine import make_url

from carrel.config import ConfigError
from server.app import create_app
from server.db import Base, Database
from server.migrations.apply import upgrade

assert create_app  # importing the application imports every domain's models


@pytest.fixture
def fresh(databases):  # type: ignore[no-untyped-def]
    opened = Database(make_url(databases.create()))
    yield opened
    opened.close()


def test_history_and_models_agree(fresh: Database) -> None:
    upgrade(fresh)
    with fresh.connection() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_all_constraints_of_the_models_are_in_the_history(fresh: Database) -> None:
    upgrade(fresh)
    with fresh.connection() as connection:
        there = inspect(connection)
        for table in Base.metadata.tables.values():
            wanted = {str(c.name) for c in table.constraints if type(c).__name__ == "CheckConstraint"}
            assert {str(c["name"]) for c in there.get_check_constraints(table.name)} == wanted
            indexes = {index["name"]: index for index in there.get_indexes(table.name)}
            for index in table.indexes:
                assert bool(indexes[str(index.name)]["unique"]) == index.unique
                dialect = connection.dialect.name
                partial = indexes[str(index.name)].get("dialect_options", {}).get(f"{dialect}_where")
                expected = index.dialect_options[dialect].get("where")
                assert re.sub(r"[()]", "", str(partial)) == str(expected)


def test_doing_it_again_changes_nothing(fresh: Database) -> None:
    upgrade(fresh)
    upgrade(fresh)


def test_servers_that_start_together_wait_for_each_other(fresh: Database) -> None:
    others = [Database(fresh.engine.url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(upgrade, others))
    for other in others:
        other.close()
    with fresh.connection() as connection:
        assert inspect(connection).has_table("loan")


def test_a_database_of_the_future_is_told_in_one_sentence(fresh: Database) -> None:
    upgrade(fresh)
    with fresh.connection() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'v9999'"))
    with pytest.raises(ConfigError, match="another version of the program"):
        upgrade(fresh)
