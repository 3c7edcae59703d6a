"""SQLite as we use it: WAL, synchronous FULL, and writers that begin IMMEDIATE, so that they queue instead of failing
half-way."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import DataError

from server.db.transaction import AT_ONCE, WRITE, wrapped

BUSY_TIMEOUT_S = 10
"""How long a writer waits for its turn."""


def open_sqlite(url: URL) -> Engine:
    """Its file is made when it is first used."""
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
    hasty, begin = options.get(AT_ONCE, False), "BEGIN IMMEDIATE" if options.get(WRITE, False) else "BEGIN"
    driver: Any = connection.connection.driver_connection
    if hasty:
        driver.execute("PRAGMA busy_timeout = 0").close()
    try:
        driver.execute(begin).close()
    except connection.dialect.loaded_dbapi.Error as error:
        raise wrapped(error, connection, begin) from error
    finally:
        if hasty:
            driver.execute(f"PRAGMA busy_timeout = {1000 * BUSY_TIMEOUT_S}").close()
