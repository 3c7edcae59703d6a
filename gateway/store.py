"""var/gateway.db: what the edge must not forget. One SQLite file, one process.

Latches and overrides by name, the durable logs of events and telemetry that the server has not confirmed, and the
answers to recent commands. Every method is one committed transaction (synchronous FULL: on the disk when it returns),
may be called from any thread, and raises sqlite3.Error when the disk refuses; what was there before then still is.
"""

from __future__ import annotations

import fcntl
import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, Literal

VERSION = 1
ANSWERS_KEPT = timedelta(minutes=10)
ANSWERS_LIMIT = 10_000
TELEMETRY_ROWS_KEPT = 500_000
"""About a day at 5 rows/s without a server (25 MB); older rows are then dropped and counted."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS memory (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS telemetry (seq INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS answer (id TEXT PRIMARY KEY, until TEXT NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of a durable log; `seq` rises by at least one."""

    seq: int
    kind: str
    body: str


class StoreError(Exception):
    """The file cannot be used; the message says what to do."""


class Store:
    """The gateway's memory."""

    def __init__(self, file: Path) -> None:
        """Open or create; raises StoreError."""
        self._lock = threading.Lock()
        self.telemetry_dropped = 0
        self.file = file
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._ours = _claim(file)
        except OSError as error:
            raise StoreError(f"cannot use {file}: {error}") from error
        try:
            self._db = self._open()
            self.session = self._next_session()
        except (OSError, sqlite3.Error, ValueError) as error:
            self._ours.close()
            raise StoreError(f"cannot use {file}: {error}; move the file away to begin afresh") from error

    def close(self) -> None:
        """Close the file; what is asked afterwards raises sqlite3.ProgrammingError."""
        with self._lock:
            self._db.close()
            self._ours.close()

    # ------------------------------------------------------------ memory
    def save(self, name: str, value: Any) -> None:
        """Keep a JSON value under a name."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO memory VALUES (?, ?)", (name, json.dumps(value, ensure_ascii=False)))

    def load(self, name: str) -> Any:
        """The value kept under a name, or None; ValueError for one that is no JSON any more."""
        with self._lock:
            row = self._db.execute("SELECT value FROM memory WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else None

    def save_with_events(self, name: str, value: Any, events: Iterable[tuple[str, str]]) -> None:
        """Keep a value and append (kind, body) events in the same transaction: both or neither."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO memory VALUES (?, ?)", (name, json.dumps(value, ensure_ascii=False)))
            db.executemany("INSERT INTO event (kind, body) VALUES (?, ?)", events)

    # ------------------------------------------------------------ events
    def events_after(self, seq: int, limit: int = 50) -> list[Row]:
        """Unconfirmed events in order."""
        with self._lock:
            rows = self._db.execute(
                "SELECT seq, kind, body FROM event WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit)
            ).fetchall()
        return [Row(*row) for row in rows]

    def confirm_events(self, seq: int) -> None:
        """The server has stored everything up to `seq`."""
        with self._transaction() as db:
            db.execute("DELETE FROM event WHERE seq <= ?", (seq,))

    def discard(self, log: Literal["event", "telemetry"], seq: int) -> None:
        """Remove one row that cannot be sent."""
        query = "DELETE FROM event WHERE seq = ?" if log == "event" else "DELETE FROM telemetry WHERE seq = ?"
        with self._transaction() as db:
            db.execute(query, (seq,))

    # ------------------------------------------------------------ telemetry
    def append_telemetry(self, bodies: Iterable[str]) -> None:
        """Append rows for the server; beyond TELEMETRY_ROWS_KEPT the oldest go, counted in `telemetry_dropped`."""
        with self._transaction() as db:
            db.executemany("INSERT INTO telemetry (body) VALUES (?)", ((body,) for body in bodies))
            newest, oldest = db.execute("SELECT max(seq), min(seq) FROM telemetry").fetchone()
            if newest is not None and newest - oldest >= TELEMETRY_ROWS_KEPT:
                cut = db.execute("DELETE FROM telemetry WHERE seq <= ?", (newest - TELEMETRY_ROWS_KEPT,))
                self.telemetry_dropped += cut.rowcount

    def telemetry_after(self, seq: int, limit: int = 500) -> list[Row]:
        """Unconfirmed rows in order, without a gap in `seq`."""
        with self._lock:
            rows = self._db.execute(
                "SELECT seq, '', body FROM telemetry WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit)
            ).fetchall()
        out = [Row(*row) for row in rows]
        return [row for n, row in enumerate(out) if row.seq == out[0].seq + n]

    def confirm_telemetry(self, seq: int) -> None:
        """The server has stored everything up to `seq`."""
        with self._transaction() as db:
            db.execute("DELETE FROM telemetry WHERE seq <= ?", (seq,))

    # ------------------------------------------------------------ answers
    def remember_answer(self, id_: str, body: str, *, now: datetime, expires: datetime) -> None:
        """Keep the answer to a command while a repeat of it may come: it is answered and not done again."""
        until = max(now, min(expires, now + timedelta(days=1))) + ANSWERS_KEPT
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO answer VALUES (?, ?, ?)", (id_, _text(until), body))
            db.execute("DELETE FROM answer WHERE until < ?", (_text(now),))
            db.execute(
                "DELETE FROM answer WHERE id IN (SELECT id FROM answer ORDER BY until DESC LIMIT -1 OFFSET ?)",
                (ANSWERS_LIMIT,),
            )

    def answer(self, id_: str) -> str | None:
        """The answer given to this command, if it was answered lately."""
        with self._lock:
            row = self._db.execute("SELECT body FROM answer WHERE id = ?", (id_,)).fetchone()
        return str(row[0]) if row else None

    # ------------------------------------------------------------ inside
    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.file, isolation_level=None, check_same_thread=False, timeout=10)
        try:
            found = int(db.execute("PRAGMA user_version").fetchone()[0])
            if found > VERSION:
                raise ValueError(f"a newer Carrel (store version {found}) wrote it")
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            db.executescript(SCHEMA)
            db.execute(f"PRAGMA user_version={VERSION}")
        except BaseException:
            db.close()
            raise
        return db

    def _next_session(self) -> int:
        """One more than the last; in a new file a number that no earlier file has come to."""
        before = self.load("session")
        session = int(before) + 1 if before is not None else int(time.time()) // 60
        self.save("session", session)
        return session

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # a full disk ends some transactions by itself
                    self._db.execute("ROLLBACK")
                raise


def _claim(file: Path) -> IO[bytes]:
    """Keep other processes off this store until the returned file is closed, even by kill -9; raises OSError."""
    lock = file.with_name(f"{file.name}.lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise OSError("another gateway is using it; end that one first") from None
    return lock


def _text(moment: datetime) -> str:
    """Times that sort as text."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
