"""The server's database made anew from a backup, of either kind from either kind.

The tables are made as they were at the backup's version (so triggers and constraints are there), filled, counted, and
only then brought up to this program's version; a transaction or a file of its own holds all of it until the end.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from server.backup import tables
from server.backup.errors import BackupError
from server.backup.reading import Archive
from server.db import Database
from server.migrations.apply import upgrade_within

Tell = Callable[[str], None]
Counts = dict[str, int]
"""Rows by table, as they were found after filling."""

SIDES = ("-wal", "-shm")
PATIENCE = "10s"
"""How long PostgreSQL waits for other programs to let go of the tables that give way."""

CONSTRAINTS = text(
    "SELECT c.conrelid::regclass::text, quote_ident(c.conname) FROM pg_constraint c"
    " WHERE c.contype = 'f' AND c.connamespace = current_schema()::regnamespace"
)
FUNCTIONS = text(
    "SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace"
    " AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
)


def rebuild(database: Database, archive: Archive, tell: Tell) -> Counts:
    """In place of what is there, in one transaction: a cut or an error leaves that. Raises BackupError, ConfigError,
    SQLAlchemyError."""
    with database.changing_tables() as connection:
        postgresql = connection.dialect.name == "postgresql"
        if postgresql:
            connection.execute(text(f"SET LOCAL lock_timeout = '{PATIENCE}'"))
            _clear(connection)
        upgrade_within(connection, archive.manifest.revision)
        references = _defer(connection) if postgresql else ()
        counts = _fill(connection, archive, tell)
        if postgresql:
            _enforce(connection, references)
            _go_on_counting(connection)
        else:
            _check_references(connection)
        upgrade_within(connection)
    return counts


def settle(aside: Path) -> None:
    """Have a closed SQLite file on the disk."""
    with aside.open("r+b") as opened:
        os.fsync(opened.fileno())


def put(aside: Path, file: Path) -> None:
    """In the place of what was there. An old log beside a new file would be played into it: it goes first."""
    for side in SIDES:
        file.with_name(file.name + side).unlink(missing_ok=True)
    aside.replace(file)


def _clear(connection: Connection) -> None:
    """Drop what is ours, on PostgreSQL. The caller has seen that nothing else is there."""
    quote = connection.dialect.identifier_preparer.quote
    for name in inspect(connection).get_table_names():
        connection.execute(text(f"DROP TABLE {quote(name)} CASCADE"))
    for (function,) in connection.execute(FUNCTIONS).all():
        connection.execute(text(f"DROP FUNCTION {function} CASCADE"))


def _fill(connection: Connection, archive: Archive, tell: Tell) -> Counts:
    there = {table.name: table for table in tables.tables(connection)}
    parts = {part.stem: part for part in archive.manifest.of("table")}
    if set(parts) != set(there):
        other = ", ".join(sorted(set(parts) ^ set(there)))
        raise BackupError(f"the backup's tables are not those of its version ({other}): it was altered")
    counts: Counts = {}
    for name, table in there.items():
        tables.rows_in(connection, table, parts[name], archive.lines(parts[name]))
        counts[name] = tables.count(connection, table)
        if counts[name] != parts[name].rows:
            raise BackupError(f"table '{name}' has {counts[name]} rows, the backup {parts[name].rows}: nothing is kept")
        tell(f"{name}: {counts[name]} rows")
    return counts


def _check_references(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(5)
    if broken:
        raise BackupError(f"rows of the backup refer to others that are not in it: {broken}; nothing is kept")


def _defer(connection: Connection) -> Iterable[tuple[str, str]]:
    """Rows may refer to later ones of the same table: references are judged when all are there."""
    found = [(str(table), str(name)) for table, name in connection.execute(CONSTRAINTS)]
    for table, name in found:
        connection.execute(text(f"ALTER TABLE {table} ALTER CONSTRAINT {name} DEFERRABLE INITIALLY DEFERRED"))
    return found


def _enforce(connection: Connection, references: Iterable[tuple[str, str]]) -> None:
    connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    for table, name in references:
        connection.execute(text(f"ALTER TABLE {table} ALTER CONSTRAINT {name} NOT DEFERRABLE"))


def _go_on_counting(connection: Connection) -> None:
    """New rows get numbers after those restored."""
    quote = connection.dialect.identifier_preparer.quote
    for table in tables.tables(connection):
        for column in table.primary_key.columns:
            owned = text("SELECT pg_get_serial_sequence(:table, :column)")
            sequence = connection.execute(owned, {"table": quote(table.name), "column": column.name}).scalar_one()
            if sequence is not None:
                newest = f"SELECT coalesce(max({quote(column.name)}), 0) + 1 FROM {quote(table.name)}"  # noqa: S608  # our own names
                connection.execute(text(f"SELECT setval(:sequence, ({newest}), false)"), {"sequence": sequence})
