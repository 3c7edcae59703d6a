"""One transaction as the domains see it: a session that hands hot statements over to the driver as they are."""

from __future__ import annotations

import time
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from operator import itemgetter
from typing import Any, Literal, Protocol, TypeVar, cast

from sqlalchemy import Dialect, Executable, String
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import PoolProxiedConnection

from server.db.nul import without_nul

_GIVEN = (dict, list, type(None))
"""What a hot statement takes as its parameters."""

Way = Literal["read", "write", "at_once"]
"""How a transaction begins; `at_once` writes too, and rather fails than waits for another writer."""

RESTED_S = 1.0
"""Hardly a restart of a database server is shorter: a connection that was used since was opened after it."""

S = TypeVar("S", bound=Executable)


class Kind(Protocol):
    """What the databases do differently; satisfied by `server.db.sqlite` and `server.db.postgresql`. All raise the
    driver's errors."""

    def begin(self, driver: Any, *, way: Way) -> Any:
        """A cursor, in a transaction."""

    def commit(self, driver: Any, ahead: Any) -> None:
        """End a transaction."""

    def send_ahead(self, driver: Any) -> Any:
        """A context in which a connection, between two transactions, sends what nobody waits for together with what
        comes next; what went wrong with it is raised at its end, if not before. None where there is nobody to send to.
        """

    def rest(self, driver: Any) -> None:
        """Undo what is under way, and leave the connection as it was before it sent ahead."""


def hot(statement: S, *, unread: bool = False) -> S:
    """Have a statement that every loan or imported record runs compiled once and handed to the driver as it then is.

    SQLAlchemy's own work at each execution takes five times as long as the database's. For sessions of `Database`; the
    statement is of tables, not of mapped classes, its parameters are a mapping, its rows named tuples. One that is
    given a list of mappings with the same keys runs for each of them and gives nothing back. Nor does an `unread` one,
    for whose answer nobody waits.
    """
    _HOT[statement] = {}
    if unread:
        _UNREAD.add(statement)
    return statement


class Rows(list[Any]):
    """What a hot statement gives back, with as much of SQLAlchemy's Result as such statements are asked for."""

    def all(self) -> Rows:
        """Every row."""
        return self

    def first(self) -> Any:
        """The first row; None when there is none."""
        return self[0] if self else None

    def scalar_one_or_none(self) -> Any:
        """The first row's first column; None when there is none."""
        return self[0][0] if self else None


class _Ready:
    """A hot statement as one dialect has it; `columns` are those that it is given."""

    def __init__(self, statement: Any, dialect: Dialect, columns: Sequence[str]) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=None if statement.is_select else columns)
        self.sql = str(compiled)
        into = {
            name: _into(bind.type.dialect_impl(dialect), dialect)
            for bind, name in compiled.bind_names.items()
        }  # fmt: skip
        names = compiled.positiontup
        self._pick = dict if names is None else _picker(names)
        places: Any = into if names is None else range(len(names))
        self._in = [(place, work) for place, name in zip(places, names or into, strict=True) if (work := into[name])]
        self._own = {name: compiled.params[name] for bind, name in compiled.bind_names.items() if not bind.required}
        answered = statement not in _UNREAD and (statement.is_select or statement.exported_columns)
        given = list(statement.exported_columns) if answered else []
        out: list[Any] = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in given]
        self._out = [(place, work) for place, work in enumerate(out) if work is not None]
        row: Any = namedtuple("Row", [column.key for column in given]) if given else None
        self._row = partial(tuple.__new__, row) if given else None
        """As the row's own `_make`, which counts the columns each time."""
        self.unread = not given

    def run(self, cursor: Any, values: Mapping[str, Any] | list[Mapping[str, Any]]) -> Rows:
        """Raises the driver's own errors."""
        if isinstance(values, list):
            cursor.executemany(self.sql, [self._given(one) for one in values])
            return Rows()
        cursor.execute(self.sql, self._given(values))
        if self._row is None:
            return Rows()
        rows = cursor.fetchall()
        return Rows(map(self._row, map(self._read, rows) if self._out else rows))

    def _given(self, values: Mapping[str, Any]) -> Any:
        """The parameters as the driver takes them."""
        given: Any = self._pick({**self._own, **values} if self._own else values)
        for place, work in self._in:
            given[place] = work(given[place])
        return given

    def _read(self, row: Sequence[Any]) -> list[Any]:
        read = list(row)
        for place, work in self._out:
            if read[place] is not None:
                read[place] = work(read[place])
        return read


def _into(kind: Any, dialect: Dialect) -> Callable[[Any], Any] | None:
    """What makes of a value of this type one that the driver takes; None where there is nothing to do."""
    plain = without_nul if dialect.name == "sqlite" and isinstance(kind, String) else None
    return kind.bind_processor(dialect) or plain


def _picker(names: Sequence[str]) -> Callable[[Mapping[str, Any]], list[Any]]:
    """Gives the values of these names, in their order."""
    if len(names) < 2:  # of one name itemgetter gives the value itself
        return lambda values: [values[name] for name in names]
    pick = itemgetter(*names)
    return lambda values: list(pick(values))


_HOT: dict[Any, dict[tuple[str, ...], _Ready]] = {}
_UNREAD: set[Any] = set()


class Transaction(Session):
    """One transaction on one connection, begun when it is first needed; knows hot statements.

    A transaction of hot statements alone goes without what SQLAlchemy does for mapped objects and for connections:
    beginning, preparing and ending that take longer than a statement. With the first other statement both join.
    """

    def __init__(self, engine: Engine, kind: Kind, way: Way, *, kept: bool = False) -> None:
        """`kept`: another may follow soon, and has the same connection unless something else than hot statements was
        done; these send ahead what nobody reads."""
        super().__init__(expire_on_commit=False)
        self._engine, self._dialect = engine, engine.dialect
        self._kind, self._way = kind, way
        self.kept = kept
        self._ended_s = 0.0
        self._ahead: Any = None
        self._leaving = ExitStack()
        self._begun = False
        self._pooled: PoolProxiedConnection | None = None
        self._connection: Connection | None = None
        self._cursor: Any = None
        self._listeners: Sequence[Callable[..., Any]] = ()
        self.kind = engine.dialect.name
        self.at_end: dict[Callable[[Session], None], None] = {}

    def get_bind(self, *_arguments: Any, **_options: Any) -> Connection:
        """The connection, in its transaction."""
        if self._connection is None:
            pooled = self._driver()
            self._wait()
            self._connection = Connection(self._engine, pooled)
            self._connection.begin()
        return self._connection

    def execute(self, statement: Any, params: Any = None, **options: Any) -> Any:
        """As any session does."""
        known = None if options else _HOT.get(statement)
        if known is None or not isinstance(params, _GIVEN):
            return super().execute(statement, params, **options)
        if self.in_transaction():
            self._catch_up()
        if not self._begun:
            self._driver()
        values = params or {}
        columns = (self.kind, *(values[0] if isinstance(values, list) else values))
        ready = known.get(columns)
        if ready is None:
            ready = known[columns] = _Ready(statement, self._dialect, columns[1:])
        for listener in self._listeners:  # who hears of statements hears of these
            listener(self.get_bind(), None, ready.sql, values, None, isinstance(values, list))
        try:
            rows = ready.run(self._cursor, values)
            if ready.unread and self._ahead is not None:  # this one's may be read before that one's answer is there
                self._cursor = self._cursor.connection.cursor()
        except self._dialect.loaded_dbapi.Error as error:
            raise self._wrapped(error, ready.sql) from error
        return rows

    def _catch_up(self) -> None:
        """There may be mapped objects, or savepoints, which are set when the session is asked for its connection."""
        self.flush()
        if self.in_nested_transaction():
            self.connection()

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
        elif self._pooled is not None and self._begun:
            try:
                self._kind.commit(self._pooled.driver_connection, self._ahead)
            except self._dialect.loaded_dbapi.Error as error:
                raise self._wrapped(error, "COMMIT") from error
            self._begun = False
            self._ended_s = time.monotonic()

    def flush(self, objects: Any = None) -> None:
        """As any session does; most have nothing."""
        if self.in_transaction():
            super().flush(objects)

    def expunge_all(self) -> None:
        """As any session does; most have nothing."""
        if self.in_transaction():
            super().expunge_all()

    def close(self) -> None:
        """Roll back what is not committed."""
        try:
            if self.in_transaction() or self._connection is not None:
                super().close()
        finally:
            self.at_end.clear()
            self.info.clear()
            if self._begun or not self.kept:
                self.give_back()

    def give_back(self) -> None:
        """The connection, in whatever state it is."""
        try:
            if self._pooled is not None and self.kept:
                self._calm(self._pooled)
            if self._connection is not None:
                self._connection.close()
            elif self._pooled is not None:
                self._pooled.close()
        finally:
            self._pooled = self._connection = self._cursor = None
            self._begun = False

    def _driver(self) -> PoolProxiedConnection:
        """What the pool has given, in its transaction."""
        if self._pooled is not None and not self._begun and time.monotonic() - self._ended_s > RESTED_S:
            self.give_back()  # the pool looks whether it is alive
        try:
            if self._pooled is None:
                self._pooled = self._engine.raw_connection()
                ahead = self._kind.send_ahead(self._pooled.driver_connection) if self.kept else None
                self._ahead = self._leaving.enter_context(ahead) if ahead else None
            if not self._begun:
                self._begun = True
                self._cursor = self._kind.begin(self._pooled.driver_connection, way=self._way)
                self._listeners = tuple(self._engine.dispatch.before_cursor_execute)
        except self._dialect.loaded_dbapi.Error as error:
            raise self._wrapped(error, "BEGIN") from error
        return self._pooled

    def _calm(self, pooled: PoolProxiedConnection) -> None:
        """Leave the connection as others expect it; one that cannot be left so is nobody's any more."""
        try:
            with suppress(DBAPIError):  # of what is undone now
                self._wait()
            if pooled.driver_connection is not None:
                self._kind.rest(pooled.driver_connection)
        except Exception as error:  # whatever it is: they would write without a transaction
            pooled.invalidate(error)

    def _wait(self) -> None:
        """Have every statement's answer waited for."""
        self._ahead = None
        try:
            self._leaving.close()
        except self._dialect.loaded_dbapi.Error as error:
            raise self._wrapped(error, "BEGIN") from error

    def _wrapped(self, error: Exception, sql: str) -> DBAPIError:
        return wrapped(error, self._dialect, self._pooled, sql)


def kind_of(session: Session) -> str:
    """`sqlite` or `postgresql`; asking connects to nothing."""
    assert isinstance(session, Transaction)
    return session.kind


def at_end(session: Session, work: Callable[[Session], None]) -> None:
    """Have this called once, as the last writing of a transaction of `Database.writing` before it commits."""
    assert isinstance(session, Transaction)
    session.at_end[work] = None


def wrapped(error: Exception, dialect: Any, pooled: PoolProxiedConnection | None, sql: str) -> DBAPIError:
    """A driver's error as SQLAlchemy's; a connection that is gone is not used again."""
    gone = pooled is not None and (not pooled.is_valid or dialect.is_disconnect(error, pooled, None))
    if pooled is not None and gone and pooled.is_valid:
        pooled.invalidate(error)
    return cast(
        DBAPIError,
        DBAPIError.instance(
            sql, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, connection_invalidated=gone,
            dialect=dialect,
        ),
    )  # fmt: skip
