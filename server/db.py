"""The database: one request or one ingested message is one transaction, committed here and nowhere else.

SQLite is the embedded default (WAL, synchronous FULL, writers begin IMMEDIATE so that they queue instead of
failing half-way); PostgreSQL the scale-out. Everything above this module is the same on both.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Dialect, MetaData, create_engine, event, extract, func, text
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

AWAY = (OperationalError, PoolTimeoutError)
"""What any use of a database that does not answer raises."""

BUSY_TIMEOUT_S = 10
"""How long a writer waits for its turn on SQLite, and a connection for PostgreSQL."""

_WRITE = "carrel_write"


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant in UTC; SQLite keeps it as text without a zone. Naive values are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC, and off with the zone where the database has none."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: pass an aware one")
        at = value.astimezone(UTC)
        return at.replace(tzinfo=None) if dialect.name == "sqlite" else at

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # SQLAlchemy's own signature
        """Aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


QUARTER_S = 900
"""Every zone of today differs from UTC by whole quarters of an hour, so a day of any zone is made of whole ones."""


def quarter_of(session: Session, at: ColumnElement[datetime]) -> ColumnElement[int]:
    """The number of the quarter of an hour (UTC, since 1970) in which an instant lies, for grouping in SQL."""
    seconds = extract("epoch", at)
    return seconds // QUARTER_S if session.get_bind().dialect.name == "sqlite" else func.floor(seconds / QUARTER_S)


class Base(DeclarativeBase):
    """Base of every domain's tables. Foreign keys name other domains' tables as text."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime()}  # noqa: RUF012  # SQLAlchemy declares it so


class Database:
    """An engine and the only two ways to use it. Opening connects to nothing yet."""

    def __init__(self, url: URL) -> None:
        self.engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url)
        self.writer = self.engine.execution_options(**{_WRITE: True})
        """For libraries that keep tables of their own here; everybody else writes through `writing`."""

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that changes nothing; always rolled back."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that commits when the block ends well and rolls back when it raises."""
        with Session(self.writer, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A bare writing connection."""
        with self.writer.begin() as connection:
            yield connection

    @contextmanager
    def changing_tables(self) -> Iterator[Connection]:
        """A bare writing connection for migrations. On SQLite a table is altered by making it anew, which must not
        touch the rows that refer to it: foreign keys are off meanwhile, and whoever changes tables checks them."""
        with self.writer.connect() as connection:
            sqlite = connection.dialect.name == "sqlite"
            driver: Any = connection.connection.driver_connection
            if sqlite:  # heeded outside of transactions only
                driver.execute("PRAGMA foreign_keys = OFF").close()
            try:
                with connection.begin():
                    yield connection
            finally:
                if sqlite:
                    driver.execute("PRAGMA foreign_keys = ON").close()

    def probe(self) -> str | None:
        """None when the database answers, else why not."""
        try:
            with self.reading() as session:
                session.execute(text("SELECT 1"))
        except Exception as error:  # any driver's error means the same here
            return type(error).__name__
        return None

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def _postgresql(url: URL) -> Engine:
    return create_engine(
        url, pool_pre_ping=True, pool_size=10, max_overflow=30, connect_args={"connect_timeout": BUSY_TIMEOUT_S}
    )


def _sqlite(url: URL) -> Engine:
    Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, pool_size=10, max_overflow=30, connect_args={"timeout": BUSY_TIMEOUT_S})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    if not pages:  # it means something before the first page only, and would else wait for a writer
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL").close()
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
