"""The tables that the history makes are the tables that the models describe."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.engine import make_url

from carrel.config import ConfigError
from carrel.contracts.telemetry import Quantity, TelemetryPoint
from server.app import create_app
from server.db import Base, Database
from server.migrations import apply
from server.migrations.apply import upgrade
from server.telemetry.database import DatabaseStore
from server.telemetry.store import Source, Window
from server.telemetry.windows import EPOCH

assert create_app  # importing the application imports every domain's models


@pytest.fixture
def fresh(databases):  # type: ignore[no-untyped-def]
    opened = Database(make_url(databases.create()))
    yield opened
    opened.close()


def test_history_and_models_agree(fresh: Database) -> None:
    upgrade(fresh)
    with fresh.connection() as connection:
        ours = MigrationContext.configure(connection, opts={"include_name": lambda name, *_: not is_search_index(name)})
        assert compare_metadata(ours, Base.metadata) == []


def is_search_index(name: str | None) -> bool:
    """What no model describes: FTS5 and its own tables, tsvectors; tests/server/catalogue/search looks at them."""
    return name is not None and name.startswith(("search_index", "ix_search_index"))


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


def test_what_was_measured_before_the_rollups_is_rolled_up(fresh: Database) -> None:
    with fresh.connection() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(apply.__file__).parent))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "v0002")
        connection.execute(text("INSERT INTO telemetry_series VALUES (1, 'stacks', 'temp', 'th-1')"))
        connection.execute(text("INSERT INTO telemetry_series VALUES (2, 'stacks', 'rh', 'th-1')"))
        rows = [{"ts": ts, "value": float(n)} for n, ts in enumerate((-300_001, -1, 0, 299_999, 300_000, 7_200_000))]
        connection.execute(text("INSERT INTO telemetry_point VALUES (1, :ts, :value)"), rows)
        connection.execute(text("INSERT INTO telemetry_latest VALUES (1, 7200000, 5)"))
    upgrade(fresh)
    store = DatabaseStore(fresh)
    (source, other) = (Source("th-1", "stacks", quantity) for quantity in (Quantity.TEMP, Quantity.RH))
    day = Window(EPOCH - timedelta(hours=2), EPOCH + timedelta(hours=4), 3600)
    hours = [(bucket.start, bucket.minimum, bucket.maximum, bucket.count) for bucket in store.aggregate([source], day)]
    assert hours == [
        (EPOCH - timedelta(hours=1), 0.0, 1.0, 2),
        (EPOCH, 2.0, 4.0, 3),
        (EPOCH + timedelta(hours=2), 5.0, 5.0, 1),
    ]
    fives = store.aggregate([source], Window(day.start, day.end, 300))
    assert [bucket.count for bucket in fives] == [1, 1, 2, 1, 1]
    assert [(point.quantity, point.value) for point in store.latest("stacks")] == [(Quantity.TEMP, 5.0)]
    store.append([TelemetryPoint(ts=EPOCH, device="th-1", zone="stacks", quantity=Quantity.TEMP, value=99.0)])
    store.append([TelemetryPoint(ts=EPOCH, device="th-1", zone="stacks", quantity=other.quantity, value=50.0)])
    assert store.aggregate([source], day)[1].count == 3
    assert store.aggregate([other], day)[0].mean == 50.0
