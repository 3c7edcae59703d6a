"""Scratch databases, one for each case, and a clock that is set by hand."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from carrel.config import ConfigError
from server.db import Database
from server.migrations.apply import upgrade


class StageClock:
    """Satisfies `carrel.clock.Clock`: stands still until it is put forward."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        """Where the hands are."""
        return self._at

    def forward(self, at: datetime) -> None:
        """Put it forward; it never goes back."""
        self._at = max(self._at, at)


class Stage:
    """Where cases are played."""

    @contextmanager
    def scratch(self) -> Iterator[Database]:
        """A new database with tables and nothing in them, gone afterwards."""
        raise NotImplementedError


class SqliteStage(Stage):
    """Files in a folder of their own; the tables are made once and copied."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._template = folder / "template.db"
        with _opened(_sqlite(self._template)) as database:
            upgrade(database)

    @contextmanager
    def scratch(self) -> Iterator[Database]:
        """A copy of the template."""
        file = self._folder / f"{uuid.uuid4().hex}.db"
        shutil.copyfile(self._template, file)
        with _opened(_sqlite(file)) as database:
            yield database
        for rest in self._folder.glob(f"{file.name}*"):
            rest.unlink()


class PostgresStage(Stage):
    """A schema of its own for each case: whatever else the database holds is neither seen nor touched."""

    def __init__(self, url: URL) -> None:
        self._url = url

    @contextmanager
    def scratch(self) -> Iterator[Database]:
        """A new schema, dropped afterwards whatever happens."""
        schema = f"rehearsal_{uuid.uuid4().hex}"
        with _opened(self._url) as outside:
            with outside.connection() as connection:
                connection.execute(text(f"CREATE SCHEMA {schema}"))
            try:
                inside = self._url.update_query_dict({"options": f"-csearch_path={schema}"})
                with _opened(inside) as database:
                    upgrade(database)
                    yield database
            finally:
                with outside.connection() as connection:
                    connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))


@contextmanager
def open_stage(database_url: str | None) -> Iterator[Stage]:
    """SQLite in a temporary folder, or the PostgreSQL database that is named; raises ConfigError for another URL."""
    if database_url is not None:
        yield PostgresStage(_postgres_url(database_url))
        return
    with tempfile.TemporaryDirectory(prefix="carrel-rehearsal-") as folder:
        yield SqliteStage(Path(folder))


def _postgres_url(written: str) -> URL:
    """Errors never repeat the URL, which may hold a password."""
    try:
        url = make_url(written)
    except ArgumentError:
        url = None
    if url is None or url.get_backend_name() != "postgresql":
        raise ConfigError(
            "--database takes a PostgreSQL database, such as postgresql+psycopg://user:password@host/name; "
            "leave it out for SQLite in a temporary folder"
        )
    return url.set(drivername="postgresql+psycopg")


def _sqlite(file: Path) -> URL:
    return make_url(f"sqlite+pysqlite:///{file}")


@contextmanager
def _opened(url: URL) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.close()
