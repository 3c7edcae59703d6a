"""The database: one request or one ingested message is one transaction, committed here and nowhere else.

SQLite is the embedded default (WAL, synchronous FULL, writers begin IMMEDIATE so that they queue instead of
failing half-way); PostgreSQL the scale-out. Everything above this module is the same on both.
"""

from __future__ import annotations

import math
import time
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Dialect,
    Executable,
    MetaData,
    create_engine,
    event,
    extract,
    func,
    text,
)  # fmt: skip
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, DisconnectionError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

AWAY = (OperationalError, PoolTimeoutError)
"""What any use of a database that does not answer raises."""

BUSY_TIMEOUT_S = 10
"""How long a writer waits for its turn on SQLite, and a connection for PostgreSQL."""

RESTED_S = 1.0
"""Hardly a restart of a database server is shorter: a connection that was used since was opened after it."""

_WRITE, _AT_ONCE = "carrel_write", "carrel_at_once"
_RESTS_SINCE = "carrel_rests_since"


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


S = TypeVar("S", bound=Executable)


def hot(statement: S) -> S:
    """Have a statement that every loan or imported record runs compiled once and handed to the driver as it then is.

    SQLAlchemy's own work at each execution takes five times as long as the database's. For sessions of `Database`; the
    statement is of tables, not of mapped classes, its parameters are a mapping, its rows named tuples. One that is
    given a list of mappings with the same keys runs for each of them and gives nothing back.
    """
    _HOT[statement] = {}
    return statement


class Rows:
    """What a hot statement gives back, with as much of SQLAlchemy's Result as such statements are asked for."""

    __slots__ = ("_rows",)

    def __init__(self, rows: Sequence[Any]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def all(self) -> Sequence[Any]:
        """Every row."""
        return self._rows

    def first(self) -> Any:
        """The first row; None when there is none."""
        return self._rows[0] if self._rows else None

    def scalar_one_or_none(self) -> Any:
        """The first row's first column; None when there is none."""
        return self._rows[0][0] if self._rows else None


class _Ready:
    """A hot statement as one dialect has it; `columns` are those that a changing statement is given."""

    def __init__(self, statement: Any, dialect: Dialect, columns: Sequence[str] | None) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=columns)
        self.sql = str(compiled)
        into = {
            name: bind.type.dialect_impl(dialect).bind_processor(dialect)
            for bind, name in compiled.bind_names.items()
        }  # fmt: skip
        self._by_place = compiled.positiontup is not None
        self._plan = [(name, into[name]) for name in compiled.positiontup or into]
        self._own = {name: compiled.params[name] for bind, name in compiled.bind_names.items() if not bind.required}
        given = list(statement.exported_columns) if statement.is_select or statement.exported_columns else []
        out = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in given]
        self._out = [(place, work) for place, work in enumerate(out) if work is not None]
        row: Any = namedtuple("Row", [column.key for column in given]) if given else None
        self._row = row._make if given else None

    def run(self, driver: Any, values: Mapping[str, Any] | list[Mapping[str, Any]]) -> Rows:
        """Raises the driver's own errors."""
        if isinstance(values, list):
            driver.cursor().executemany(self.sql, [self.given(one) for one in values])
            return Rows(())
        done = driver.execute(self.sql, self.given(values))
        return Rows([self._made(row) for row in done.fetchall()] if self._row is not None else ())

    def given(self, values: Mapping[str, Any]) -> Any:
        """The parameters as the driver takes them."""
        if self._own:
            values = {**self._own, **values}
        if self._by_place:
            return [values[name] if work is None else work(values[name]) for name, work in self._plan]
        return {name: values[name] if work is None else work(values[name]) for name, work in self._plan}

    def _made(self, row: Sequence[Any]) -> Any:
        assert self._row is not None
        if self._out:
            row = list(row)
            for place, work in self._out:
                row[place] = work(row[place])
        return self._row(row)


_HOT: dict[Any, dict[tuple[str, ...], _Ready]] = {}


class _Session(Session):
    """One transaction on one connection, begun when it is first needed; knows hot statements.

    A transaction of hot statements alone goes without what SQLAlchemy does for mapped objects: beginning, preparing
    and ending that take longer than a statement. With the first other statement the session joins the transaction.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__(expire_on_commit=False)
        self._engine = engine
        self._connection: Connection | None = None
        self._listeners: Sequence[Callable[..., Any]] = ()
        self.at_end: dict[Callable[[Session], None], None] = {}

    def get_bind(self, *_arguments: Any, **_options: Any) -> Connection:
        """The connection, in its transaction."""
        if self._connection is None:
            connection = self._engine.connect()
            try:
                connection.begin()
            except BaseException:
                connection.close()
                raise
            self._connection = connection
            self._listeners = tuple(connection.dispatch.before_cursor_execute)
        return self._connection

    def execute(self, statement: Any, params: Any = None, **options: Any) -> Any:
        """As any session does."""
        if options or statement not in _HOT or not isinstance(params, Mapping | list | None):
            return super().execute(statement, params, **options)
        return self._hand_over(statement, params or {})

    def scalar(self, statement: Any, params: Any = None, **options: Any) -> Any:
        """As any session does."""
        if options or statement not in _HOT:
            return super().scalar(statement, params, **options)
        return self.execute(statement, params).scalar_one_or_none()

    def end_well(self) -> None:
        """Commit."""
        self.flush()
        for work in self.at_end:
            work(self)
        if self.in_transaction():
            super().commit()  # ends what the session has of it, not the connection's transaction
        if self._connection is not None:
            self._connection.commit()

    def close(self) -> None:
        """Roll back what is not committed."""
        try:
            super().close()
        finally:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _hand_over(self, statement: Any, values: Mapping[str, Any] | list[Mapping[str, Any]]) -> Rows:
        self.flush()
        # a savepoint is set when the session is asked for its connection
        connection = self.connection() if self.in_nested_transaction() else self.get_bind()
        dialect = connection.dialect
        columns = () if statement.is_select else tuple(values[0] if isinstance(values, list) else values)
        key = (dialect.name, *columns)
        ready = _HOT[statement].get(key)
        if ready is None:
            ready = _HOT[statement][key] = _Ready(statement, dialect, None if statement.is_select else columns)
        for listener in self._listeners:  # who hears of statements hears of these
            listener(connection, None, ready.sql, values, None, isinstance(values, list))
        driver: Any = connection.connection.driver_connection
        try:
            return ready.run(driver, values)
        except dialect.loaded_dbapi.Error as error:
            raise _told(error, connection, ready.sql) from error


def at_end(session: Session, work: Callable[[Session], None]) -> None:
    """Have this called once, as the last writing of a transaction of `Database.writing` before it commits."""
    assert isinstance(session, _Session)
    session.at_end[work] = None


def _told(error: Exception, connection: Connection, sql: str) -> DBAPIError:
    """A driver's error as SQLAlchemy's; a connection that is gone is not used again."""
    dialect: Any = connection.dialect
    gone = dialect.is_disconnect(error, connection.connection.driver_connection, None)
    if gone:
        connection.invalidate(error)
    return cast(
        DBAPIError,
        DBAPIError.instance(
            sql, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, connection_invalidated=gone,
            dialect=dialect,
        ),
    )  # fmt: skip


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
        self._hasty = self.engine.execution_options(**{_WRITE: True, _AT_ONCE: True})
        self.on_refused: Callable[[], None] = _nobody
        """Called from any thread after a transaction of `writing` was not taken."""

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that changes nothing; always rolled back."""
        with _Session(self.engine) as session:
            yield session

    @contextmanager
    def writing(self, *, at_once: bool = False) -> Iterator[Session]:
        """A transaction that commits when the block ends well and rolls back when it raises.

        `at_once` raises OperationalError rather than wait for another writer of SQLite; it does nothing on PostgreSQL.
        """
        engine = self._hasty if at_once else self.writer
        try:
            with _Session(engine) as session:
                yield session
                session.end_well()
        except OperationalError:
            self.on_refused()
            raise

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


def _nobody() -> None:
    """Nobody wants to know."""


def _postgresql(url: URL) -> Engine:
    engine = create_engine(url, pool_size=10, max_overflow=30, connect_args={"connect_timeout": BUSY_TIMEOUT_S})
    event.listen(engine, "checkin", _note_rest)
    event.listen(engine, "checkout", partial(_try_rested, engine.dialect))
    return engine


def _note_rest(_connection: Any, record: Any) -> None:
    record.info[_RESTS_SINCE] = time.monotonic()


def _try_rested(dialect: Dialect, connection: Any, record: Any, _proxy: Any) -> None:
    """A connection that has rested may be dead since the server was restarted; its place is taken by a new one."""
    if time.monotonic() - record.info.get(_RESTS_SINCE, math.inf) < RESTED_S:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise DisconnectionError from error


def _sqlite(url: URL) -> Engine:
    Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, pool_size=10, max_overflow=30, connect_args={"timeout": BUSY_TIMEOUT_S})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "before_cursor_execute", _refuse_nul)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    if not pages:  # it means something before the first page only, and would else wait for a writer
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL").close()
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _refuse_nul(
    _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool
) -> None:  # fmt: skip
    """SQLite keeps NUL in a text, PostgreSQL does not: what one refuses the other refuses too. Raises DataError.

    Many rows at once are measured values, or come from files and were looked at there; to look again costs too much.
    """
    if many:
        return
    for value in parameters.values() if isinstance(parameters, Mapping) else parameters:
        if isinstance(value, str) and "\0" in value:
            raise DataError(statement, None, _NulError("a text contains NUL"), hide_parameters=True)


class _NulError(ValueError):
    """As psycopg's, which looks for NUL before it sends anything: an error of PostgreSQL itself has a state."""

    sqlstate = None


def is_nul(error: BaseException) -> bool:
    """Whether the error means that a text held NUL, which no database here keeps."""
    return isinstance(error, DataError) and getattr(error.orig, "sqlstate", "") is None


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    hasty, begin = options.get(_AT_ONCE, False), "BEGIN IMMEDIATE" if options.get(_WRITE, False) else "BEGIN"
    driver: Any = connection.connection.driver_connection
    if hasty:
        driver.execute("PRAGMA busy_timeout = 0").close()
    try:
        driver.execute(begin).close()
    except connection.dialect.loaded_dbapi.Error as error:
        raise _told(error, connection, begin) from error
    finally:
        if hasty:
            driver.execute(f"PRAGMA busy_timeout = {1000 * BUSY_TIMEOUT_S}").close()
