"""Brings a database to the present tables when the server starts."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import text

from carrel.config import ConfigError
from server.db import Database

_LOCK = 0x436172726C  # any number of ours; servers that start together wait for each other on it


def upgrade(database: Database) -> None:
    """Apply every step that is missing, in one transaction; raises ConfigError for a database of the future."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    with database.connection() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise ConfigError(f"this database was made by another version of the program: {error}") from None
