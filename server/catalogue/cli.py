"""`carrel catalogue`: import and export MARC files, import a table of classes, make the search's index anew."""

from __future__ import annotations

import argparse
import fcntl
import gc
import hashlib
import os
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import BinaryIO, get_args

from sqlalchemy.exc import SQLAlchemyError

from carrel.cli import Ending
from carrel.config import DEFAULT_FILE, ConfigError, load
from carrel.system_clock import SystemClock
from server.catalogue.classification import service as classes
from server.catalogue.errors import ClassTableError
from server.catalogue.imports import exporting, report, service
from server.catalogue.imports.policy import UNUSABLE, Match, Options, Overlay
from server.catalogue.imports.runner import Interrupted, Runner
from server.catalogue.imports.service import Import, Source
from server.catalogue.marc.encodings import ENCODINGS
from server.catalogue.marc.record import MarcFormat
from server.catalogue.search.documents import reindex
from server.db import Database
from server.errors import DomainError
from server.migrations.apply import upgrade
from server.settings import ServerSettings, read_settings

ACTOR = "cli"
WRONG, BAD_INPUT, ENDED = 1, 2, 130


class BetweenBatches(Ending):
    """An import is ended where it can go on."""

    def __init__(self) -> None:
        super().__init__()
        self.stopping = Event()

    def now(self, _number: int, _frame: object) -> None:
        """Handles a signal."""
        self.stopping.set()


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command. 0: all well; 1: some records could not be taken over or written; 2: wrong input."""
    options = _parser().parse_args(sys.argv[1:] if argv is None else argv)
    commands: dict[str, Callable[[argparse.Namespace, ServerSettings, Database], int]] = {
        "import": _import,
        "export": _export,
        "classes": _classes,
        "reindex": _reindex,
    }
    try:
        settings = read_settings(load(options.config))
        database = Database(settings.database_url)
        try:
            upgrade(database)
            return commands[options.command](options, settings, database)
        finally:
            database.close()
    except (ConfigError, DomainError, OSError, SQLAlchemyError) as error:
        said = error.title if isinstance(error, DomainError) else str(getattr(error, "orig", error))
        if isinstance(error, OSError) and error.filename:
            said = f"{error.filename}: {error.strerror}"
        print(f"carrel catalogue: {said.strip().splitlines()[0]}", file=sys.stderr)
        return BAD_INPUT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="carrel catalogue", description=__doc__)
    parser.add_argument("--config", metavar="FILE", default=DEFAULT_FILE, type=Path)
    commands = parser.add_subparsers(dest="command", required=True)
    into = commands.add_parser("import", help="MARC 21 or CNMARC, as ISO 2709 or MARCXML; told apart by themselves")
    into.add_argument("file", type=Path)
    into.add_argument("--dry-run", action="store_true", help="say what would happen; store nothing")
    into.add_argument("--format", choices=get_args(MarcFormat), help="instead of what the file looks like")
    into.add_argument("--encoding", choices=ENCODINGS, help="instead of what each record looks like")
    into.add_argument(
        "--overlay", choices=get_args(Overlay), default="skip",
        help="a record that is there already: keep it (default), replace it, or merge in what it lacks",
    )  # fmt: skip
    into.add_argument("--match", choices=get_args(Match), default="both", help="how it is known to be there")
    into.add_argument("--items", default="", help="add copies: 852, 905, 952, or 952:barcode=p,call_number=o")
    into.add_argument("--branch", help="whose copies these are; left out: the library's own branch")
    into.add_argument("--new-branches", action="store_true", help="copies may be of branches that no copy is of yet")
    into.add_argument("--pool", action="store_true", help="keep aside, for looking up ISBNs when books are bought")
    into.add_argument("--report", type=Path, help="write what was wrong as CSV")
    into.add_argument("--language", choices=("en", "zh-CN"), help="of the report; left out: the library's")
    out = commands.add_parser("export", help="the whole catalogue; records leave as they came")
    out.add_argument("file", type=Path)
    out.add_argument("--format", choices=get_args(MarcFormat), help="records of the other format are left out")
    out.add_argument("--encoding", choices=ENCODINGS, default="utf-8")
    out.add_argument("--xml", action="store_true", help="MARCXML instead of ISO 2709")
    out.add_argument("--pool", action="store_true", help="the records kept aside instead of the catalogue")
    table = commands.add_parser("classes", help="import finer classes: CSV of code, caption_zh, caption_en")
    table.add_argument("file", type=Path)
    commands.add_parser("reindex", help="make the search's index anew, while everything runs")
    for command in commands.choices.values():  # before the command or after it
        command.add_argument("--config", metavar="FILE", type=Path, default=argparse.SUPPRESS)
    return parser


def _import(options: argparse.Namespace, settings: ServerSettings, database: Database) -> int:
    own = settings.common.library.branch
    wanted = Options(
        dry_run=options.dry_run,
        format=options.format,
        encoding=options.encoding,
        overlay=options.overlay,
        match=options.match,
        items=options.items,
        branch=options.branch or own,
        new_branches=options.new_branches,
        pool=options.pool,
    )
    gc.freeze()  # else each full collection looks through all that was loaded
    source = Source(options.file.name, _digest(options.file), options.file.stat().st_size, "cli")
    ending = BetweenBatches()
    with _alone(settings.common.var / "imports", source.digest), ending.in_order():
        with database.reading() as session:
            service.check_branch(session, wanted, own=own)
        runner = Runner(database, SystemClock(), uuid.uuid4().hex, ACTOR, ending.stopping, _tell, own)
        job = _job(runner, source, wanted)
        try:
            job = runner.run(job, options.file)
        except Interrupted:
            with database.writing() as session:
                service.let_go(session, job, runner.worker)
            print("\ninterrupted: the same command goes on where this one ended", file=sys.stderr)
            return ENDED
    if job.state == "failed":
        print(f"carrel catalogue: {options.file}: {UNUSABLE[job.code]}", file=sys.stderr)
        return BAD_INPUT
    return _summary(options, settings, database, job)


def _job(runner: Runner, source: Source, wanted: Options) -> Import:
    """A new import, or the one of this file that was interrupted."""
    now = runner.clock.now()
    with runner.database.writing() as session:
        job = service.interrupted(session, source, wanted)
        if job and not wanted.dry_run:
            print(f"going on after record {job.counts.read}, where an earlier run ended", file=sys.stderr)
        if job is None:
            job = service.create(session, source, wanted, subject=ACTOR, now=now)
        return service.claim(session, job.id, runner.worker, now)


def _summary(options: argparse.Namespace, settings: ServerSettings, database: Database, job: Import) -> int:
    counts = job.counts
    with database.reading() as session:
        problems = service.problems(session, job.id)
        if options.report:
            with options.report.open("w", encoding="utf-8-sig", newline="") as file:
                report.write(session, job, file, options.language or settings.common.library.language)
    would = "would be " if job.options.dry_run else ""
    print(
        f"{counts.read} records read: {counts.new} {would}new, {counts.updated} {would}updated, "
        f"{counts.skipped} {would}skipped, {counts.failed} failed; {counts.items} copies {would}added"
    )
    for code, count in sorted(problems.items()):
        print(f"  {count:6} x {code}")
    if problems and not options.report:
        print("  --report FILE writes what is wrong with which record, and what to do")
    return WRONG if counts.failed else 0


def _tell(job: Import) -> None:
    if sys.stderr.isatty():
        print(f"\r{job.done:6.1%} {job.counts.read} records", end="", file=sys.stderr, flush=True)


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


@contextmanager
def _alone(folder: Path, digest: str) -> Iterator[None]:
    """Hold the file's lock, which a killed process lets go; raises ConfigError when another one imports this file."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / f"{digest[:32]}.lock"
    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError("another process is importing this file: wait until it has finished") from None
        yield
        lock.unlink(missing_ok=True)


def _export(options: argparse.Namespace, _settings: ServerSettings, database: Database) -> int:
    ending = Ending()
    try:
        with ending.in_order():
            return _written(options, database)
    except (KeyboardInterrupt, SQLAlchemyError):  # a database that was interrupted may complain of that
        if ending.by is None:
            raise
        return ending.told("catalogue export")


def _written(options: argparse.Namespace, database: Database) -> int:
    wanted = exporting.Wanted(
        container="marcxml" if options.xml else "iso2709",
        format=options.format,
        encoding=options.encoding,
        pool=options.pool,
    )
    with database.reading() as session, _written_aside(options.file) as file:
        format_ = exporting.format_of(session, wanted)
        long = exporting.too_long(session, wanted, format_)
        paraphrased = 0
        for piece in exporting.file(session, wanted, format_):
            paraphrased += wanted.encoding == "marc-8" and not options.xml and b"&#x" in piece
            file.write(piece)
    if paraphrased:
        print(f"{paraphrased} records have characters that MARC-8 lacks, written as &#x...;", file=sys.stderr)
    if long:
        ids = ", ".join(map(str, long[:20]))
        print(f"{len(long)} records are too long for ISO 2709 and left out ({ids}): --xml has room", file=sys.stderr)
    return WRONG if long else 0


@contextmanager
def _written_aside(file: Path) -> Iterator[BinaryIO]:
    """A new file that takes the name when the block ends well."""
    if file.is_dir() or not file.absolute().parent.is_dir():
        raise ConfigError(f"cannot write {file}: name a file, in a folder that is there")
    part = file.with_name(file.name + ".part")
    try:
        with part.open("wb") as opened:
            yield opened
            opened.flush()
            os.fsync(opened.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _classes(options: argparse.Namespace, _settings: ServerSettings, database: Database) -> int:
    table = options.file.read_bytes()
    try:
        with database.writing() as session:
            count = classes.load(session, table, subject=ACTOR, now=SystemClock().now())
    except ClassTableError as error:
        line, wrong = error.params["line"], error.params["wrong"]
        raise ConfigError(f"{options.file}, line {line} ({wrong}): {error.title}") from None
    print(f"{count} classes imported")
    return 0


def _reindex(_options: argparse.Namespace, _settings: ServerSettings, database: Database) -> int:
    def tell(done: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{done} titles", end="", file=sys.stderr, flush=True)

    print(f"{reindex(database, tell)} titles indexed")
    return 0
