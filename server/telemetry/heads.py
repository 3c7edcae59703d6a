"""The heads of all series as this process left them, so that a batch need not read hundreds of rows first."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from sqlalchemy import Connection

from server.db import Database
from server.telemetry import repository
from server.telemetry.rollup import Head

MARK_BITS = 62


class Heads:
    """Each transaction that changes heads leaves a mark of its own; where the last one is not ours, another process
    wrote (or a backup was restored), and heads are read anew."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._mark: int | None = None
        self._known: dict[int, Head] = {}

    @contextmanager
    def changing(self, series: set[int]) -> Iterator[tuple[Connection, dict[int, Head]]]:
        """A writing transaction and these heads, nobody else's meanwhile; what the block makes of them is written, or
        nothing when it raises."""
        mark = secrets.randbits(MARK_BITS)
        with self._lock:
            before, self._mark = self._mark, None
            with self._database.connection() as connection:
                if repository.lock_mark(connection) != before:
                    self._known.clear()
                self._known |= repository.heads_of(connection, series - self._known.keys())
                found = {one: self._known[one] for one in series}
                yield connection, found
                repository.set_heads(connection, found, mark=mark)
            self._mark = mark
