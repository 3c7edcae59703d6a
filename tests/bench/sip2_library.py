"""A library of 100,000 items for the lending benchmark, and the same rows committed by a bare script."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import insert
from sqlalchemy.engine import make_url

from server.catalogue.models import ItemRow, RecordRow
from server.db import Database
from server.migrations.apply import upgrade
from server.patrons.models import CardRow, PatronRow

ITEMS, PATRONS = 100_000, 1_000
CHUNK = 5_000
FIRST_BARCODE, FIRST_CARD = 40_000_000, 70_000_000
LOGIN, PASSWORD = "bench", "bench"
ACTOR = "sip2:bench"

_LOAN = (
    "INSERT INTO loan (item_id, patron_id, checked_out_at, due_at, renewals, branch, patron_class, item_type, channel, "
    "fee_per_open_day, grace_open_days, grace_deducted) "
    "VALUES (?, ?, ?, ?, 0, 'main', 'adult', 'book', 'sip2', 0, 0, ?) RETURNING id"
)
_LENT = "UPDATE item SET status = 'on_loan', at_branch = 'main', transit_to = NULL WHERE id = ?"
_ENDED = "UPDATE loan SET checked_in_at = ?, ended = 'returned', ended_at = ? WHERE id = ?"
_BACK = "UPDATE item SET status = 'on_shelf', at_branch = 'main', transit_to = NULL, last_seen_at = ? WHERE id = ?"
_AUDIT = "INSERT INTO audit_entry (seq, at, actor, action, target, detail, prev, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


def fill(url: str) -> None:
    """The product's tables with records, items and patrons; every item is on its shelf."""
    database = Database(make_url(url))
    now = datetime.now(UTC)
    try:
        upgrade(database)
        for rows, table in (
            (_records(now), RecordRow),
            (_items(), ItemRow),
            (_patrons(now), PatronRow),
            (_cards(now), CardRow),
        ):
            for chunk in _chunks(rows):
                with database.writing() as session:
                    session.execute(insert(table), chunk)
    finally:
        database.close()


def config(folder: Path, url: str, *, port: int, sip2_port: int) -> Path:
    """A server with one trusted terminal, which may hold many connections."""
    file = folder / "config.toml"
    file.write_text(
        f"""[library]\nopening = []\n[log]\nlevel = "warning"\n[mqtt]\nport = 1\nembedded = false
[server]\nport = {port}\ndatabase = "{url}"\ndemo = false\n[server.policy]\nmax_loans = 10
[server.sip2]\nenabled = true\nport = {sip2_port}\nlog = "messages.log"
[[server.sip2.terminal]]\nid = "bench"\nlogin = "{LOGIN}"\npassword = "{PASSWORD}"\npin = "trusted"
""",
        encoding="utf-8",
    )
    return file


def bare_sqlite(file: Path, seconds: float) -> float:
    """Pairs a second of one sqlite3 connection that commits what a checkout and a checkin commit, synchronous FULL."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}").fetchall()

        def run(sql: str, values: tuple[Any, ...]) -> Any:
            return connection.execute(sql, values)

        (seq,) = connection.execute("SELECT coalesce(max(seq), 0) FROM audit_entry").fetchone()
        return _bare(
            run, lambda: connection.execute("BEGIN IMMEDIATE"), lambda: connection.execute("COMMIT"), seq, seconds
        )


def bare_postgresql(dsn: str, seconds: float) -> float:
    """The same through one psycopg connection."""
    with psycopg.connect(dsn, autocommit=True) as connection:

        def run(sql: str, values: tuple[Any, ...]) -> Any:
            return connection.execute(sql.replace("?", "%s"), values)  # type: ignore[arg-type]  # our own constants

        row = connection.execute("SELECT coalesce(max(seq), 0) FROM audit_entry").fetchone()
        assert row is not None
        return _bare(
            run, lambda: connection.execute("BEGIN"), lambda: connection.execute("COMMIT"), int(row[0]), seconds
        )


def _bare(
    run: Callable[[str, tuple[Any, ...]], Any],
    begin: Callable[[], Any],
    commit: Callable[[], Any],
    seq: int,
    seconds: float,
) -> float:
    pairs, until = 0, time.perf_counter() + seconds
    while time.perf_counter() < until:
        item, patron = pairs * 7919 % ITEMS + 1, pairs % PATRONS + 1
        now = datetime.now(UTC).replace(tzinfo=None)
        begin()
        loan = run(_LOAN, (item, patron, str(now), str(now + timedelta(days=30)), False)).fetchone()[0]
        run(_LENT, (item,))
        seq = _sealed(run, seq, "loan.checkout", loan, str(now))
        commit()
        begin()
        run(_ENDED, (str(now), str(now), loan))
        run(_BACK, (str(now), item))
        seq = _sealed(run, seq, "loan.checkin", loan, str(now))
        commit()
        pairs += 1
    return pairs / (seconds + time.perf_counter() - until)


def _sealed(run: Callable[[str, tuple[Any, ...]], Any], seq: int, action: str, loan: int, now: str) -> int:
    detail = '{"channel":"sip2","item":12345}'
    run(_AUDIT, (seq + 1, now, ACTOR, action, f"loan:{loan}", detail, "0" * 64, "1" * 64))
    return seq + 1


def _chunks(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    chunk: list[dict[str, Any]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _records(now: datetime) -> Iterator[dict[str, Any]]:
    for n in range(1, ITEMS + 1):
        title = f"伊索寓言 {n}"
        yield {"id": n, "title": title, "author": "伊索", "title_key": title, "search_text": title} | {
            "created_at": now, "updated_at": now,
        }  # fmt: skip


def _items() -> Iterator[dict[str, Any]]:
    for n in range(1, ITEMS + 1):
        yield {"id": n, "barcode": str(FIRST_BARCODE + n), "record_id": n, "location": "stacks"} | {
            "branch": "main", "at_branch": "main", "call_number": f"I545.74/{n}",
        }  # fmt: skip


def _patrons(now: datetime) -> Iterator[dict[str, Any]]:
    for n in range(1, PATRONS + 1):
        yield {"id": n, "name": f"读者{n}", "pin_hash": "!", "created_at": now}


def _cards(now: datetime) -> Iterator[dict[str, Any]]:
    for n in range(1, PATRONS + 1):
        yield {"id": n, "number": str(FIRST_CARD + n), "patron_id": n, "issued_at": now}
