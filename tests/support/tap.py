"""What the gateway wrote down of the wire, copied as it writes: what all consumers have leaves its own log."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gateway.store import Store

Row = tuple[str, str, int, float]
"""Device, quantity, milliseconds since 1970, value."""

Moment = tuple[str, str, int]
"""Two readings of one device and quantity within a millisecond are one, whichever of them."""

_OPEN = """
DROP TRIGGER IF EXISTS tap;
DROP TABLE IF EXISTS tapped;
CREATE TABLE tapped (device TEXT, quantity TEXT, ms INTEGER, value REAL);
CREATE TRIGGER tap AFTER INSERT ON reading
    BEGIN INSERT INTO tapped VALUES (new.device, new.quantity, new.at_us / 1000, new.value); END;
"""
_STORED = """
SELECT s.device, s.quantity, p.ts, p.value FROM telemetry_point p JOIN telemetry_series s ON s.id = p.series
"""


class Tap:
    """On a library's gateway; compares with what its server has stored. Survives what the gateway's file survives."""

    def __init__(self, folder: Path) -> None:
        self._gateway, self._server = folder / "var" / "gateway.db", folder / "var" / "server.db"
        if not self._gateway.exists():
            Store(self._gateway).close()  # so that nothing is logged before the tap is there
        with _opened(self._gateway) as db:
            db.executescript(_OPEN)
        self._before = self.stored()

    def logged(self, device: str = "%") -> list[Row]:
        """What the gateway logged since the tap was opened, in its order; of devices like this one."""
        with _opened(self._gateway) as db:
            return list(db.execute("SELECT * FROM tapped WHERE device LIKE ? ORDER BY rowid", (device,)))

    def count(self) -> int:
        """How many that are."""
        with _opened(self._gateway) as db:
            return int(db.execute("SELECT count(*) FROM tapped").fetchone()[0])

    def stored(self) -> set[Row]:
        """What the server has stored; nothing while it has no file."""
        if not self._server.exists():
            return set()
        with _opened(self._server) as db:
            return set(db.execute(_STORED))

    def missing(self) -> set[Moment]:
        """Logged and not stored."""
        return moments(self.logged()) - moments(self.stored())

    def invented(self) -> set[Row]:
        """Stored and never logged; rows of before the tap may still have been under way."""
        stored = self.stored() - self._before  # looked at first: what is logged meanwhile is not invented
        logged = set(self.logged())
        first = min((row[2] for row in logged), default=0)
        return {row for row in stored if row[2] >= first} - logged

    def close(self) -> None:
        """Leave the gateway's file as it was."""
        with _opened(self._gateway) as db:
            db.executescript("DROP TRIGGER IF EXISTS tap; DROP TABLE IF EXISTS tapped;")


def moments(rows: Iterable[Row]) -> set[Moment]:
    """Of which there are values."""
    return {row[:3] for row in rows}


@contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(file, timeout=10)) as db, db:
        yield db
