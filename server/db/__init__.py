"""The database: one request or one ingested message is one transaction, committed here and nowhere else.

SQLite is the embedded default, PostgreSQL the scale-out. Everything above this package is the same on both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Dialect, MetaData, event, extract, func, text
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from carrel.config import ConfigError
from server.db import postgresql, sqlite
from server.db.transaction import Transaction, Way, kind_of

AWAY = (OperationalError, PoolTimeoutError)
"""What any use of a database that does not answer raises."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant in UTC; SQLite keeps it as text without a zone. Naive values are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Any:
        """As SQLAlchemy's of SQLite writes it, in a fifth of the time."""
        return _written if dialect.name == "sqlite" else super().bind_processor(dialect)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC, and off with the zone where the database has none."""
        if value is None:
            return None
        at = _aware(value).astimezone(UTC)
        return at.replace(tzinfo=None) if dialect.name == "sqlite" else at

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """The same the other way; raises ValueError for what is no instant."""
        return _read if dialect.name == "sqlite" else super().result_processor(dialect, coltype)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # SQLAlchemy's own signature
        """Aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


@lru_cache(16)
def _written(value: datetime | None) -> str | None:
    """2026-03-02 04:30:00.000000, the zone cut off: to take it off the value before takes longer. A transaction writes
    one instant many times."""
    return None if value is None else _aware(value).astimezone(UTC).isoformat(" ", "microseconds")[:26]


def _read(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value + "+00:00")


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError(f"naive datetime {value!r}: pass an aware one")
    return value


QUARTER_S = 900
"""Every zone of today differs from UTC by whole quarters of an hour, so a day of any zone is made of whole ones."""


def quarter_of(session: Session, at: ColumnElement[datetime]) -> ColumnElement[int]:
    """The number of the quarter of an hour (UTC, since 1970) in which an instant lies, for grouping in SQL."""
    seconds = extract("epoch", at)
    return seconds // QUARTER_S if kind_of(session) == "sqlite" else func.floor(seconds / QUARTER_S)


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


WRITING: tuple[Way, ...] = ("write", "at_once")
KEPT = 2
"""So many sessions of each way to write rest with their connections; more are made when more write at once."""


class Database:
    """An engine and the only two ways to use it. Opening connects to nothing yet."""

    def __init__(self, url: URL) -> None:
        kind = sqlite if url.get_backend_name() == "sqlite" else postgresql
        self.engine = kind.open_engine(url)
        self.writer = self.engine.execution_options(**{sqlite.WRITE: True})
        """For libraries that keep tables of their own here; everybody else writes through `writing`."""
        self._new = partial(Transaction, self.engine, kind)
        self._kept = {way: deque(self._new(way, kept=True) for _ in range(KEPT)) for way in WRITING}
        """Rest until the next who writes, which is often the same thread in the next moment."""
        self._closed = False
        self.on_refused: Callable[[], None] = _nobody
        """Called from any thread after a transaction of `writing` was not taken."""

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that changes nothing; always rolled back."""
        with self._new("read") as session:
            yield session

    @contextmanager
    def writing(self, *, at_once: bool = False) -> Iterator[Session]:
        """A transaction that commits when the block ends well and rolls back when it raises.

        `at_once` raises OperationalError rather than wait for another writer of SQLite, or for long for one who has
        locked the same rows of PostgreSQL.
        """
        way: Way = "at_once" if at_once else "write"
        kept = self._kept[way]
        try:
            session = kept.pop()
        except IndexError:
            session = self._new(way)
        try:
            with session:
                yield session
                session.end_well()
        except OperationalError:
            self.on_refused()
            raise
        finally:
            if session.kept:
                kept.append(session)
            if self._closed:
                session.give_back()

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
        """Close all connections; one that a thread still uses is closed as soon as the thread gives it back."""
        self._closed = True
        for kept in self._kept.values():
            for session in list(kept):
                session.give_back()
        event.listen(self.engine, "checkin", _close)
        self.engine.dispose()


def _nobody() -> None:
    """Nobody wants to know."""


def _close(_connection: Any, record: Any) -> None:
    """Instead of keeping it in a pool that nobody asks any more."""
    record.invalidate()


@contextmanager
def looked_at(url: URL, *, none_yet: str) -> Iterator[Database]:
    """A library's database that is only read, and not made where there is none. Raises ConfigError: `none_yet`, or why
    it cannot be read."""
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        raise ConfigError(none_yet)
    database = Database(url)
    try:
        yield database
    except DBAPIError as error:
        said = (str(error.orig).strip() or type(error.orig).__name__).splitlines()[0]
        if isinstance(error, ProgrammingError) or "no such table" in said:
            raise ConfigError(none_yet) from None
        raise ConfigError(f"the database cannot be read: {said}") from None
    finally:
        database.close()
