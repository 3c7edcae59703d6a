"""The tables of var/gateway.db and how a file of an earlier version becomes one of this."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator

from pydantic import ValidationError

from carrel.contracts.telemetry import TelemetryPoint
from gateway.instants import microseconds

log = logging.getLogger(__name__)

VERSION = 2
"""2: readings in columns, with a cursor for each of their consumers. 1: readings as JSON, for the server only."""

TABLES = (
    "memory (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "event (seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, body TEXT NOT NULL)",
    "answer (id TEXT PRIMARY KEY, until TEXT NOT NULL, body TEXT NOT NULL) WITHOUT ROWID",
    "reading (seq INTEGER PRIMARY KEY AUTOINCREMENT, at_us INTEGER NOT NULL, device TEXT NOT NULL, zone TEXT NOT NULL,"
    " quantity TEXT NOT NULL, value REAL NOT NULL)",
    "consumer (name TEXT PRIMARY KEY, seq INTEGER NOT NULL, lost INTEGER NOT NULL) WITHOUT ROWID",
    "refused (seq INTEGER PRIMARY KEY, line TEXT NOT NULL, reason TEXT NOT NULL)",
)


def upgrade(db: sqlite3.Connection) -> None:
    """Set the connection up and bring its file to VERSION; raises ValueError for a newer file, sqlite3.Error."""
    found = int(db.execute("PRAGMA user_version").fetchone()[0])
    if found > VERSION:
        raise ValueError(f"a newer Carrel (store version {found}) wrote it")
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("BEGIN IMMEDIATE")
    try:
        for table in TABLES:
            db.execute(f"CREATE TABLE IF NOT EXISTS {table}")
        if found == 1:
            _take_over_json(db)
        db.execute(f"PRAGMA user_version={VERSION}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _take_over_json(db: sqlite3.Connection) -> None:
    """The readings of version 1 keep their numbers, and those given out already are not given out again."""
    old = db.execute("SELECT seq, body FROM telemetry ORDER BY seq")
    db.executemany("INSERT INTO reading VALUES (?, ?, ?, ?, ?, ?)", _columns(old))
    db.execute("DELETE FROM sqlite_sequence WHERE name = 'reading'")
    db.execute("INSERT INTO sqlite_sequence SELECT 'reading', seq FROM sqlite_sequence WHERE name = 'telemetry'")
    db.execute("DROP TABLE telemetry")


def _columns(rows: sqlite3.Cursor) -> Iterator[tuple[int, int, str, str, str, float]]:
    for seq, body in rows:
        try:
            point = TelemetryPoint.model_validate_json(body)
        except ValidationError as error:
            log.error("reading %d cannot be read and is dropped: %s", seq, error)
        else:
            yield seq, microseconds(point.ts), point.device, point.zone, point.quantity.value, point.value
