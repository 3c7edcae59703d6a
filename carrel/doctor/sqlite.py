"""An SQLite file: whether it opens, is whole, can be written, and keeps its log short."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from carrel.doctor.finding import Finding, bad, ok, warn

LONG_WAL_BYTES = 256 << 20
MEGABYTE = 1 << 20
WAIT_S = 5.0
RESTORE = "end the library, move the file away and `carrel restore` the newest backup; look at the disk (smartctl)"
NEVER_USED = "; if it was never used, delete the file"


def examine(check: str, file: Path, *, newest: int | None = None) -> Finding:
    """Nothing in the file is changed. One that is not there is made at the first start. `newest` is the version
    (user_version) of the tables that this program knows, for a file that says its own."""
    if not file.exists():
        return ok(check, f"{file} is not there yet; the first start makes it")
    if not os.access(file, os.R_OK | os.W_OK) or not os.access(file.parent, os.W_OK | os.X_OK):
        return bad(check, f"{file} or its folder cannot be written", f"give both to who runs Carrel: chown {file}*")
    if not file.stat().st_size:
        return bad(
            check, f"{file} is empty (0 bytes): whatever the library had in it is gone", f"{RESTORE}{NEVER_USED}"
        )
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=WAIT_S)) as db:
            said = [str(row[0]) for row in db.execute("PRAGMA quick_check(5)")]
            version = int(db.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error as error:
        return bad(check, f"{file} cannot be read: {error}", RESTORE)
    if said != ["ok"]:
        return bad(check, f"{file} is damaged: {said[0][:120]}", RESTORE)
    if newest is not None and version > newest:
        mend = "install the newer Carrel, or restore a backup from before it"
        return bad(check, f"{file} has version {version} of a newer Carrel; this one knows {newest}", mend)
    wal = file.with_name(file.name + "-wal")
    size = wal.stat().st_size if wal.exists() else 0
    if size > LONG_WAL_BYTES:
        mend = "something reads for hours: end long exports; if it stays, start the library again"
        return warn(check, f"{file}: its log has {size // MEGABYTE} MB", mend)
    return ok(check, f"{file} is whole ({file.stat().st_size // MEGABYTE} MB, log {size // MEGABYTE} MB)")
