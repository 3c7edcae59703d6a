"""SQLite as we use it: WAL, synchronous FULL, and writers that begin IMMEDIATE, so that they queue instead of failing
half-way."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path
from typing import Any, Self

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection, Engine

from server.db.nul import without_nul
from server.db.transaction import Way, wrapped

WRITE = "carrel_write"
"""Execution option of an engine: who takes a connection from it writes."""
BUSY_TIMEOUT_S = 10
"""How long a writer waits for its turn."""
CHECKPOINT_PAGES = 4000
"""So many pages are written behind each other before they are put into their places, which one commit waits for; with
SQLite's own 1000 that took a twentieth of a loan's time."""


class _Cursor(sqlite3.Cursor):
    """Looks for NUL in what it is given, but not in many rows at once: these are measured values, or come from files
    and were looked at there; to look again costs too much."""

    def execute(self, sql: str, values: Any = (), /) -> Self:
        """Raises NulError."""
        for value in values.values() if isinstance(values, dict) else values:
            if isinstance(value, str):
                without_nul(value)
        return super().execute(sql, values)


class _Connection(sqlite3.Connection):
    waits_s: float = BUSY_TIMEOUT_S

    def wait(self, seconds: float) -> None:
        """How long it waits for another writer."""
        if seconds != self.waits_s:
            self.execute(f"PRAGMA busy_timeout = {1000 * seconds:.0f}").close()
            self.waits_s = seconds

    def cursor(self, _factory: Any = _Cursor) -> Any:
        """One that looks at what it is given."""
        return super().cursor(_Cursor)


def open_engine(url: URL) -> Engine:
    """Its file is made when it is first used."""
    Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    arguments = {"timeout": BUSY_TIMEOUT_S, "factory": _Connection}
    engine = create_engine(url, pool_size=10, max_overflow=30, connect_args=arguments)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def begin(driver: Any, *, way: Way) -> Any:
    """A cursor that looks at nothing it is given; raises the driver's errors."""
    driver.wait(0 if way == "at_once" else BUSY_TIMEOUT_S)
    return sqlite3.Cursor(driver).execute("BEGIN" if way == "read" else "BEGIN IMMEDIATE")


def commit(driver: Any, _ahead: Any) -> None:
    """What is written is on the disk then."""
    driver.commit()


def send_ahead(_driver: Any) -> None:
    """Within a process nobody waits for an answer."""


def rest(_driver: Any) -> None:
    """It is as it was; what is under way the pool undoes."""


def _prepare(connection: Any, _record: Any) -> None:
    connection.create_function("sha256", 1, _sha256, deterministic=True)  # PostgreSQL has it
    connection.isolation_level = None  # transactions are begun here, not by the driver
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    if not pages:  # it means something before the first page only, and would else wait for a writer
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL").close()
    settings = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON")
    for pragma in (*settings, f"wal_autocheckpoint = {CHECKPOINT_PAGES}"):
        connection.execute(f"PRAGMA {pragma}").close()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _begin(connection: Connection) -> None:
    """Of a connection that SQLAlchemy begins, unless a `Transaction` has begun it."""
    driver: Any = connection.connection.driver_connection
    if driver.in_transaction:
        return
    try:
        begin(driver, way="write" if connection.get_execution_options().get(WRITE, False) else "read")
    except connection.dialect.loaded_dbapi.Error as error:
        raise wrapped(error, connection.dialect, connection.connection, "BEGIN") from error
