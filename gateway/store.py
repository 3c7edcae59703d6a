"""var/gateway.db: what the edge must not forget. One SQLite file, one process.

Latches and overrides by name, the durable log of events that the server has not confirmed, the answers to recent
commands, and the tables of `gateway.relay.spool`. Every method is one committed transaction (synchronous FULL: on the
disk when it returns), may be called from any thread, and raises sqlite3.Error when the disk refuses; what was there
before then still is.
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
from typing import IO, Any

from gateway.store_schema import upgrade

ANSWERS_KEPT = timedelta(minutes=10)
ANSWERS_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Row:
    """One event; `seq` rises by at least one."""

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
        with self.transaction() as db:
            db.execute("INSERT OR REPLACE INTO memory VALUES (?, ?)", (name, json.dumps(value, ensure_ascii=False)))

    def load(self, name: str) -> Any:
        """The value kept under a name, or None; ValueError for one that is no JSON any more."""
        with self._lock:
            row = self._db.execute("SELECT value FROM memory WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else None

    def save_with_events(self, name: str, value: Any, events: Iterable[tuple[str, str]]) -> None:
        """Keep a value and append (kind, body) events in the same transaction: both or neither."""
        with self.transaction() as db:
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
        with self.transaction() as db:
            db.execute("DELETE FROM event WHERE seq <= ?", (seq,))

    def discard_event(self, seq: int) -> None:
        """Remove one event that cannot be sent."""
        with self.transaction() as db:
            db.execute("DELETE FROM event WHERE seq = ?", (seq,))

    # ------------------------------------------------------------ answers
    def remember_answer(self, id_: str, body: str, *, now: datetime, expires: datetime) -> None:
        """Keep the answer to a command while a repeat of it may come: it is answered and not done again."""
        until = max(now, min(expires, now + timedelta(days=1))) + ANSWERS_KEPT
        with self.transaction() as db:
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

    # ------------------------------------------------------------ for parts with tables of their own
    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One committed transaction, or none when it raises; nobody else uses the file meanwhile."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # a full disk ends some transactions by itself
                    self._db.execute("ROLLBACK")
                raise

    def read(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        """All rows of a query."""
        with self._lock:
            return self._db.execute(query, values).fetchall()

    # ------------------------------------------------------------ inside
    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.file, isolation_level=None, check_same_thread=False, timeout=10)
        try:
            upgrade(db)
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
