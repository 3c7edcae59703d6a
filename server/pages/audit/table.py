"""Entries of the audit log as CSV (RFC 4180), a part at a time: a log of millions of rows is never held at once."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC
from zoneinfo import ZoneInfo

from server.audit import service
from server.audit.values import Sealed, Wanted
from server.db import Database
from server.lending_reports.table import plain

BOM = "\ufeff"
"""By which a spreadsheet program knows UTF-8."""
PART = 1000


def to_csv(database: Database, wanted: Wanted, zone: ZoneInfo) -> Iterator[str]:
    """Head and rows, newest first; each part is read in a transaction of its own, since rows never change."""
    yield BOM + _lines(
        [["row", f"time [{zone.key}]", "time [UTC]", "actor", "action", "target", "detail", "hash"]],
    )
    while True:
        with database.reading() as session:
            found = service.page(session, wanted, PART)
        if found:
            yield _lines([_cells(row, zone) for row in found])
        if len(found) < PART:
            return
        wanted = replace(wanted, before=found[-1].seq)


def _cells(row: Sealed, zone: ZoneInfo) -> list[str]:
    entry = row.entry
    utc = entry.at.astimezone(UTC)
    times = [utc.astimezone(zone).isoformat(timespec="seconds"), f"{utc:%Y-%m-%dT%H:%M:%SZ}"]
    return [str(row.seq), *times, entry.actor, entry.action, entry.target, entry.detail, row.hash]


def _lines(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([plain(cell) for cell in row] for row in rows)
    return text.getvalue()
