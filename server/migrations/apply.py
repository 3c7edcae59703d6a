"""Brings a database to the present tables when the server starts."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

from carrel.config import ConfigError
from server.db import Database

_LOCK = 0x436172726C  # any number of ours; servers that start together wait for each other on it


def upgrade(database: Database) -> None:
    """Apply every step that is missing, in one transaction; raises ConfigError for a database of the future."""
    with database.changing_tables() as connection:
        upgrade_within(connection)


def upgrade_within(connection: Connection, to: str = "head") -> None:
    """The same up to a step, within a transaction of `Database.changing_tables`."""
    config = _config()
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    config.attributes["connection"] = connection
    before = _version(connection)
    try:
        command.upgrade(config, to)
    except CommandError as error:
        raise ConfigError(f"this database was made by another version of the program: {error}") from None
    if connection.dialect.name == "sqlite" and _version(connection) != before:
        _check_references(connection)


def known(revision: str) -> bool:
    """Whether this program has a step of that name."""
    try:
        return ScriptDirectory.from_config(_config()).get_revision(revision) is not None
    except CommandError:
        return False


def head() -> str:
    """The newest step."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config


def _version(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _check_references(connection: Connection) -> None:
    """Undo a step, by raising, that has left rows without the rows they refer to."""
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(5)
    if broken:
        raise ConfigError(
            f"the database could not be brought up to date: rows refer to others that are not there: {broken}. "
            "Nothing was changed; restore a backup or tell the makers of the program"
        )
