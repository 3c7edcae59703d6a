"""The server's tables as they are in a database, read out and filled; which there are is asked of the database itself.

Two things are left out, since they are made anew: the search's index, and the timetable of background work, which is
pickled Python and must not come out of a file that somebody hands in.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from alembic.migration import MigrationContext
from sqlalchemy import JSON, Connection, MetaData, Table, func, inspect, select, text

from server.backup.errors import BackupError
from server.backup.manifest import Part
from server.backup.values import plain, reader_of
from server.db import Database

VERSION_TABLE = "alembic_version"
NOT_KEPT = ("search_", "sqlite_", "background_job", VERSION_TABLE)
ROWS = 1000


@contextmanager
def snapshot(database: Database) -> Iterator[Connection]:
    """A connection that sees one moment of the whole database, whatever is written meanwhile."""
    engine = database.engine
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with engine.begin() as connection:
        yield connection


def revision(connection: Connection) -> str | None:
    """The schema's version; None where there are no tables of ours."""
    return MigrationContext.configure(connection).get_current_revision()


def tables(connection: Connection) -> list[Table]:
    """All that a backup holds, by name."""
    metadata = MetaData()
    metadata.reflect(connection, only=lambda name, _: not name.startswith(NOT_KEPT))
    return [metadata.tables[name] for name in sorted(metadata.tables)]


def first_filled(connection: Connection) -> str | None:
    """The name of a table that has rows, if one has."""
    there = (table for table in tables(connection) if connection.execute(select(text("1")).select_from(table)).first())
    found = next(there, None)
    return None if found is None else found.name


def foreign(connection: Connection) -> list[str]:
    """Tables that are not ours: all, where no schema of ours is."""
    return sorted(inspect(connection).get_table_names()) if revision(connection) is None else []


def count(connection: Connection, table: Table) -> int:
    """How many rows."""
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def rows_out(connection: Connection, table: Table) -> Generator[tuple[int, bytes], None, None]:
    """How many rows, and these as lines of JSON, some hundred at a time, in the order of the primary key."""
    query = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=ROWS)
    with connection.execute(query) as found:
        for some in found.partitions():
            lines = (json.dumps(list(row), default=plain, separators=(",", ":")) for row in some)
            yield len(some), ("\n".join(lines) + "\n").encode("ascii")


def rows_in(connection: Connection, table: Table, part: Part, lines: Iterable[bytes]) -> None:
    """Fill a table whose present rows, which the schema's own steps may have put there, give way."""
    if set(part.columns) != set(table.columns.keys()):
        raise BackupError(f"the backup's table '{table.name}' has other columns than its schema: it was altered")
    if count(connection, table):
        connection.execute(table.delete())
    zoned = connection.dialect.name == "postgresql"
    readers = [(name, reader_of(table.columns[name].type, zoned=zoned)) for name in part.columns]
    for column in table.columns:
        if isinstance(column.type, JSON):
            column.type.none_as_null = bool(column.nullable)
    waiting: list[dict[str, Any]] = []
    for line in lines:
        values = zip(readers, json.loads(line), strict=True)
        waiting.append({name: read(v) if read and v is not None else v for (name, read), v in values})
        if len(waiting) == ROWS:
            connection.execute(table.insert(), waiting)
            waiting = []
    if waiting:
        connection.execute(table.insert(), waiting)
