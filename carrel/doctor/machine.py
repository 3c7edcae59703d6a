"""The machine: its clock, the program's versions, and room on the disk."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import carrel
from carrel.config import Document
from carrel.doctor.finding import Finding, bad, ok, warn
from carrel.sections import read_common
from carrel.system_clock import SystemClock

OLDEST_PYTHON = (3, 11)
LITTLE_BYTES, TOO_LITTLE_BYTES = 1 << 30, 200 << 20
MEGABYTE = 1 << 20
TIMEDATECTL_S = 5
A_DAY = timedelta(days=1)
NEED = re.compile(r"(?P<name>[\w.-]+)(\[[^\]]*\])?\s*(?P<bounds>[^;]*)")
BOUND = re.compile(r"(>=|<)\s*([\d.]+)")


def look(document: Document) -> Iterator[Finding]:
    """All of it."""
    yield from versions()
    yield clock(SystemClock().now(), _installed_at())
    yield time_service()
    yield space(read_common(document).var)


def versions() -> Iterator[Finding]:
    """Python, SQLite with its search, and the packages that the program asks for."""
    if sys.version_info < OLDEST_PYTHON:
        yield bad("python", f"Python {platform.python_version()} is too old", "install 3.11 or later; run bootstrap.py")
    else:
        yield ok("python", f"Python {platform.python_version()}, Carrel {importlib.metadata.version('carrel')}")
    with closing(sqlite3.connect(":memory:")) as db:
        try:
            db.execute("CREATE VIRTUAL TABLE t USING fts5(x, content='', columnsize=0)")
        except sqlite3.Error:
            mend = "use a Python whose SQLite has FTS5, as Debian's has, or a PostgreSQL database"
            yield bad("sqlite", f"SQLite {sqlite3.sqlite_version} cannot search (no FTS5)", mend)
        else:
            yield ok("sqlite", f"SQLite {sqlite3.sqlite_version} with FTS5")
    wrong = [said for need in importlib.metadata.requires("carrel") or () if (said := _wrong(need))]
    if wrong:
        yield bad("packages", "; ".join(wrong), "run `python3 bootstrap.py`, which installs what the lock file names")
    else:
        yield ok("packages", "all that Carrel asks for are installed")


def clock(now: datetime, installed_at: datetime) -> Finding:
    """A machine whose clock stands before its program was installed has lost the time."""
    if now < installed_at - A_DAY:
        what = f"the clock says {now:%Y-%m-%d %H:%M} UTC, before Carrel was installed ({installed_at:%Y-%m-%d})"
        return bad("clock", what, "set the time (`timedatectl set-time`, or NTP), before anything is lent")
    return ok("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC")


def time_service() -> Finding:
    """Whether the clock is kept right by another, as far as systemd tells."""
    if shutil.which("timedatectl") is None:
        return ok("ntp", "this machine does not tell whether its clock is kept right (no timedatectl)")
    try:
        asked = ["timedatectl", "show", "--property=NTPSynchronized", "--value"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=TIMEDATECTL_S)  # noqa: S603  # fixed words
    except (OSError, subprocess.TimeoutExpired):
        return ok("ntp", "this machine does not tell whether its clock is kept right")
    said = done.stdout.strip()
    if said == "no":
        return warn("ntp", "nothing keeps the clock right", "`timedatectl set-ntp true`, or install chrony")
    return ok("ntp", "the clock is kept right" if said == "yes" else "this machine does not tell")


def space(folder: Path) -> Finding:
    """Room where the databases lie; a folder that is not there yet is made at the first start."""
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        return bad("space", f"{there} cannot be written", "set [paths] var to a folder you own, or `chown` it")
    disk = os.statvfs(there)
    if disk.f_files and not disk.f_favail:
        what, mend = f"no more files can be made at {there} (no inodes)", "delete folders with many small files"
        return bad("space", what, mend)
    free = shutil.disk_usage(there).free
    what = f"{free // MEGABYTE} MB free at {there}"
    mend = "make room: delete old logs and exports, shorten [telemetry] raw_days, or use a larger disk"
    if free < TOO_LITTLE_BYTES:
        return bad("space", what, mend)
    return warn("space", what, mend) if free < LITTLE_BYTES else ok("space", what)


def _wrong(need: str) -> str:
    """What is wrong with a package that is asked for, such as `uvicorn[standard]>=0.54`, or nothing."""
    found = NEED.fullmatch(need)
    if found is None:  # one that is for other machines only
        return ""
    try:
        version = importlib.metadata.version(found["name"])
    except importlib.metadata.PackageNotFoundError:
        return f"{found['name']} is not installed"
    for comparison, bound in BOUND.findall(found["bounds"]):
        if (_numbers(version) < _numbers(bound)) != (comparison == "<"):
            return f"{found['name']} is {version}, Carrel needs {found['bounds']}"
    return ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _installed_at() -> datetime:
    return datetime.fromtimestamp(Path(str(carrel.__file__)).stat().st_mtime, UTC)
