"""One transaction as the domains see it: a session that hands hot statements over to the driver as they are."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast

from sqlalchemy import Dialect, Executable
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

WRITE, AT_ONCE = "carrel_write", "carrel_at_once"
"""Execution options of engines: this one writes; this one rather fails than wait for another writer."""

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

    def run(self, cursor: Any, values: Mapping[str, Any] | list[Mapping[str, Any]]) -> Rows:
        """Raises the driver's own errors."""
        if isinstance(values, list):
            cursor.executemany(self.sql, [self.given(one) for one in values])
            return Rows(())
        cursor.execute(self.sql, self.given(values))
        return Rows([self._made(row) for row in cursor.fetchall()] if self._row is not None else ())

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


class Transaction(Session):
    """One transaction on one connection, begun when it is first needed; knows hot statements.

    A transaction of hot statements alone goes without what SQLAlchemy does for mapped objects: beginning, preparing
    and ending that take longer than a statement. With the first other statement the session joins the transaction.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__(expire_on_commit=False)
        self._engine = engine
        self._connection: Connection | None = None
        self._cursor: Any = None
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
            self._connection, self._cursor = connection, connection.connection.cursor()
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
        try:
            return ready.run(self._cursor, values)
        except dialect.loaded_dbapi.Error as error:
            raise wrapped(error, connection, ready.sql) from error


def at_end(session: Session, work: Callable[[Session], None]) -> None:
    """Have this called once, as the last writing of a transaction of `Database.writing` before it commits."""
    assert isinstance(session, Transaction)
    session.at_end[work] = None


def wrapped(error: Exception, connection: Connection, sql: str) -> DBAPIError:
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
