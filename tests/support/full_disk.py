"""A database that has no room: SQLite with no page to spare, PostgreSQL by the error that it raises on a full disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, text

from server.db import Database

NO_LIMIT = 2**32 - 2
POSTGRESQL = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END$$;
CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON alarm EXECUTE FUNCTION no_room();
"""


@contextmanager
def full_disk(database: Database) -> Iterator[None]:
    """Nothing larger than the rest of a page fits; on PostgreSQL nothing of alarms."""
    if database.engine.dialect.name == "postgresql":
        with database.connection() as connection:
            connection.execute(text(POSTGRESQL))
        yield
        with database.connection() as connection:
            connection.execute(text("DROP FUNCTION no_room CASCADE"))
        return
    limit = 1

    def restrict(connection: Any) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {limit}")

    with database.connection() as connection:
        connection.connection.cursor().executescript("PRAGMA incremental_vacuum")  # a step frees one page only
    event.listen(database.engine, "begin", restrict)
    yield
    limit = NO_LIMIT
    with database.connection():
        """One of each connection's transactions lifts it; those that rest lift it when they are used."""
