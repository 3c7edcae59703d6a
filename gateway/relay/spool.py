"""The durable log of readings: appended once, read by each consumer at its own pace through a cursor of its own.

A reading goes when every consumer has confirmed it. Cursors count rows, not time: a clock that is set back changes
nothing. Methods wait for the disk, may be called from any thread, and raise sqlite3.Error when the disk refuses.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from carrel.contracts.telemetry import Reading
from gateway.instants import microseconds
from gateway.store import Store

log = logging.getLogger(__name__)

SERVER, INFLUX = "server", "influx"
"""The consumers there may be."""

ROWS_KEPT = 2_000_000
"""About a day at 20 rows/s (90 MB) while a consumer is away; older rows are then lost to it, and counted."""
REFUSED_KEPT = 1000


class Row(NamedTuple):
    """One reading; `seq` rises by at least one, `at_us` is microseconds since 1970."""

    seq: int
    at_us: int
    device: str
    zone: str
    quantity: str
    value: float


class Refused(NamedTuple):
    """A reading that a consumer will never take, as it was sent, and why."""

    seq: int
    line: str
    reason: str


class Spool:
    """Readings on their way to the consumers."""

    def __init__(self, store: Store, consumers: Collection[str] = (SERVER,)) -> None:
        """Take up where the cursors stand. A new consumer gets what is still there, one left out holds nothing up."""
        self._store = store
        with store.transaction() as db:
            known = {name for (name,) in db.execute("SELECT name FROM consumer")}
            db.executemany("DELETE FROM consumer WHERE name = ?", ((name,) for name in known.difference(consumers)))
            db.executemany("INSERT OR IGNORE INTO consumer VALUES (?, 0, 0)", ((name,) for name in consumers))
            _trim(db)

    def append(self, readings: Iterable[Reading]) -> Mapping[str, int]:
        """Append; beyond ROWS_KEPT the oldest go. How many that were lost to which consumer."""
        with self._store.transaction() as db:
            db.executemany(
                "INSERT INTO reading (at_us, device, zone, quantity, value) VALUES (?, ?, ?, ?, ?)",
                ((microseconds(r.at), r.device, r.zone, r.quantity.value, r.value) for r in readings),
            )
            return _cut(db)

    def waiting(self, consumer: str, limit: int) -> list[Row]:
        """The oldest rows that a consumer has not confirmed, in order and without a gap in `seq`."""
        found = self._store.read(
            "SELECT * FROM reading WHERE seq > (SELECT seq FROM consumer WHERE name = ?) ORDER BY seq LIMIT ?",
            (consumer, limit),
        )
        rows = [Row._make(row) for row in found]
        if rows and rows[-1].seq - rows[0].seq != len(rows) - 1:
            rows = [row for n, row in enumerate(rows) if row.seq == rows[0].seq + n]
        return rows

    def confirm(self, consumer: str, seq: int, refused: Sequence[Refused] = ()) -> None:
        """A consumer has everything up to `seq` but what it refused, which is kept for people to look at."""
        with self._store.transaction() as db:
            db.execute(  # a row that is yet to come must not count as confirmed
                "UPDATE consumer SET seq = max(seq, min(?, (SELECT seq FROM sqlite_sequence WHERE name = 'reading')))"
                " WHERE name = ? AND EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'reading')",
                (seq, consumer),
            )
            db.executemany("INSERT OR REPLACE INTO refused VALUES (?, ?, ?)", refused)
            if refused:
                db.execute(
                    "DELETE FROM refused WHERE seq <= (SELECT seq FROM refused ORDER BY seq DESC LIMIT 1 OFFSET ?)",
                    (REFUSED_KEPT,),
                )
            _trim(db)

    def discard(self, seq: int) -> None:
        """Remove one row that cannot be sent."""
        with self._store.transaction() as db:
            db.execute("DELETE FROM reading WHERE seq = ?", (seq,))

    def lost(self, consumer: str) -> int:
        """Rows lost to a consumer since it is one."""
        found = self._store.read("SELECT lost FROM consumer WHERE name = ?", (consumer,))
        return int(found[0][0])

    def refused(self) -> list[Refused]:
        """The newest readings that InfluxDB would not take, oldest first."""
        return [Refused._make(row) for row in self._store.read("SELECT * FROM refused ORDER BY seq")]


def _trim(db: sqlite3.Connection) -> None:
    """Remove what every consumer has."""
    db.execute("DELETE FROM reading WHERE seq <= (SELECT min(seq) FROM consumer)")


def _cut(db: sqlite3.Connection) -> dict[str, int]:
    """Remove what is beyond ROWS_KEPT; how much of it was lost to whom."""
    # two queries in one: min and max in a single SELECT would read the whole table
    newest, oldest = db.execute("SELECT (SELECT max(seq) FROM reading), (SELECT min(seq) FROM reading)").fetchone()
    if newest is None or newest - oldest < ROWS_KEPT:
        return {}
    last = newest - ROWS_KEPT
    lost: dict[str, int] = {}
    for name, seq in db.execute("SELECT name, seq FROM consumer").fetchall():
        count = db.execute("SELECT count(*) FROM reading WHERE seq > ? AND seq <= ?", (seq, last)).fetchone()[0]
        if count:
            lost[name] = count
            db.execute("UPDATE consumer SET lost = lost + ? WHERE name = ?", (count, name))
    db.execute("DELETE FROM reading WHERE seq <= ?", (last,))
    return lost
