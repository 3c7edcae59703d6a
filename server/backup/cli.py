"""`carrel backup FILE` and `carrel restore FILE`."""

from __future__ import annotations

import argparse
import hashlib
import logging
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from carrel.cli import Ending
from carrel.config import DEFAULT_FILE, ConfigError, load
from carrel.system_clock import SystemClock
from server.backup import making, reading, restoring
from server.backup.errors import BackupError
from server.backup.site import read_site

TROUBLE = (BackupError, ConfigError, OSError, sqlite3.Error, SQLAlchemyError)
UNHEARD = logging.NullHandler()
HALF = "some of it is in its place: the same command with --force mends it"
RESTORED = (
    "the library is restored; the server makes the rest of the search's index when it starts, and "
    "`carrel audit verify` checks the log"
)


class Replacing(Ending):
    """What ends the work before its time: never while one library takes another's place."""

    @contextmanager
    def placing(self) -> Iterator[None]:
        """What was restored takes its place; who wants to end it waits until then."""
        self.outcome = HALF
        yield
        self.outcome = RESTORED
        if self.by is not None:
            raise KeyboardInterrupt

    def now(self, number: int, frame: object) -> None:
        """Handles a signal."""
        if self.outcome is HALF:
            self.by = signal.Signals(number)
        else:
            super().now(number, frame)


class Progress:
    """One line of standard error, written over where somebody looks at it."""

    def __init__(self) -> None:
        self._over = sys.stderr.isatty()
        self._last = ""

    def tell(self, line: str) -> None:
        """Show it; where nobody can see a line change, only the last of each part."""
        if self._over:
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
        elif self._last and self._last.partition(":")[0] != line.partition(":")[0]:
            print(self._last, file=sys.stderr)
        self._last = line

    def end(self) -> None:
        """Leave the line."""
        print("" if self._over else self._last, file=sys.stderr)


def backup(argv: Sequence[str] | None = None) -> int:
    """Make a backup; 1 with a sentence when it cannot be made."""
    parser = argparse.ArgumentParser(
        prog="carrel backup", description="One file that holds the whole library, made while everything runs."
    )
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="what to write; one that is there is replaced at the end"
    )
    parser.add_argument("--config", metavar="FILE", default=DEFAULT_FILE, type=Path, help="of the library")
    options = parser.parse_args(argv)
    return _run("backup", lambda _: _backup(options.file, options.config))


def restore(argv: Sequence[str] | None = None) -> int:
    """Make a library of a backup; 1 with a sentence when it cannot be made or its audit log is broken."""
    parser = argparse.ArgumentParser(prog="carrel restore", description="Make a library of a backup.")
    parser.add_argument("file", type=Path, metavar="FILE", help="what `carrel backup` wrote")
    parser.add_argument(
        "--config", metavar="FILE", default=DEFAULT_FILE, type=Path, help="restored too where there is none"
    )
    parser.add_argument("--force", action="store_true", help="replace the library that is there")
    options = parser.parse_args(argv)
    return _run("restore", lambda ending: _restore(options, ending))


def _run(name: str, work: Callable[[Replacing], int]) -> int:
    ending = Replacing()
    logging.getLogger("sqlalchemy.pool").addHandler(UNHEARD)  # of connections that were interrupted
    try:
        with ending.in_order():
            return work(ending)
    except (KeyboardInterrupt, *TROUBLE) as error:  # a database that was interrupted may complain of that
        if ending.by is None:
            print(f"carrel {name}: {_said(error, ending.outcome)}", file=sys.stderr)
            return 1
        return ending.told(name)


def _said(error: BaseException, outcome: str) -> str:
    if isinstance(error, OSError):
        said = f"{error.filename}: {error.strerror}" if error.filename is not None else str(error.strerror or error)
        return f"{said}; {outcome}"
    lines = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
    if not isinstance(error, sqlite3.Error | SQLAlchemyError):
        return lines[0]
    return f"the database cannot be used: {lines[0]}; {outcome}, `carrel doctor` looks it over"


def _backup(file: Path, config: Path) -> int:
    progress, site = Progress(), read_site(load(config))
    made = making.make(site, file, now=SystemClock().now(), tell=progress.tell)
    progress.end()
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    rows = sum(part.rows for part in made.parts)
    print(f"{file}: {file.stat().st_size} bytes, {len(made.of('table'))} tables with {rows} rows, {made.revision}")
    print(f"sha256 {digest}")
    print("It holds passwords' hashes, the machines' token and readers' data: keep it where nobody else can read it.")
    return 0


def _restore(options: argparse.Namespace, ending: Replacing) -> int:
    progress = Progress()
    with reading.opened(options.file) as archive:
        found = archive.manifest
        print(
            f"backup of {found.library}, {found.made_at:%Y-%m-%d %H:%M:%SZ}, Carrel {found.program}, {found.revision}"
        )
        outcome = restoring.restore(
            archive, options.config, force=options.force, tell=progress.tell, placing=ending.placing
        )
        progress.end()
        for part in found.of("table"):
            print(f"  {part.stem:24} {outcome.counts[part.stem]:>9} rows of {part.rows}")
    return _sum_up(outcome)


def _sum_up(outcome: restoring.Outcome) -> int:
    for file in outcome.files:
        print(f"  {file}")
    print(f"  {outcome.titles} titles in the search")
    verdict = outcome.verdict
    if verdict.broken:
        print(f"the audit log is broken, as it was when the backup was made: {verdict.broken}")
        return 1
    print(f"audit log in order: {verdict.checked} rows, the last is {verdict.head.seq}:{verdict.head.hash}")
    print("restored; `carrel doctor` looks it over, `carrel run` starts it")
    return 0
