"""Makes a backup while everything runs: written aside, on the disk, then renamed; or nothing is changed."""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
import stat
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile

from server.backup import manifest, tables
from server.backup.errors import BackupError
from server.backup.manifest import Manifest, Part, PartKind
from server.backup.site import Site
from server.db import Database

CHUNK = 1 << 20
LOCK_S = 30.0
"""How long a database that somebody writes to is waited for."""

NONE_YET = "there is no library to back up yet: start it once with `carrel run`"

Tell = Callable[[str], None]
Chunks = Generator[tuple[int, bytes], None, None]
"""Numbers of rows, and their bytes."""


def make(site: Site, file: Path, *, now: datetime, tell: Tell) -> Manifest:
    """Write one archive; what was there under that name stays until it is whole. Raises BackupError, OSError,
    sqlite3.Error and SQLAlchemyError."""
    file = _target(file)
    with written_aside(file) as opened, ZipFile(opened, "w", ZIP_DEFLATED, compresslevel=4) as archive:
        # The edge first: what it hands over meanwhile is in both, and the server knows it when it comes again.
        # The other way round it would be in neither.
        parts = [_add(archive, *one, tell=tell) for one in _files(site, file)]
        database = _database_of(site)
        try:
            with tables.snapshot(database) as connection:
                revision = tables.revision(connection)
                if revision is None:
                    raise BackupError(NONE_YET)
                for table in tables.tables(connection):
                    part = _add(
                        archive,
                        f"tables/{table.name}.jsonl",
                        "table",
                        tables.rows_out(connection, table),
                        columns=tuple(table.columns.keys()),
                        tell=tell,
                    )
                    parts.append(part)
                made = Manifest(
                    made_at=now,
                    program=version("carrel"),
                    library=site.settings.common.library.name,
                    database="sqlite" if connection.dialect.name == "sqlite" else "postgresql",
                    revision=revision,
                    parts=tuple(parts),
                )
        finally:
            database.close()
        archive.writestr(manifest.NAME, made.model_dump_json(indent=1))
    return made


def _target(file: Path) -> Path:
    """The file that a link leads to, since a new one takes its name; raises BackupError for what is no file."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise BackupError(
                f"{file} is a folder or a device, nothing was written: name a file, new or to be replaced"
            )
    except FileNotFoundError:
        if not (folder := file.resolve().parent).is_dir():
            raise BackupError(f"there is no folder {folder}, nothing was written: make it first") from None
    return file.resolve()


@contextmanager
def written_aside(file: Path) -> Iterator[IO[bytes]]:
    """A new file that takes the name when the block ends well; readable by its owner only. Raises BackupError while
    another process writes it."""
    aside = file.with_name(f".{file.name}.part")
    with os.fdopen(os.open(aside, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(f"another process is writing {file}: wait until it has finished") from None
        try:
            os.fchmod(opened.fileno(), 0o600)
            opened.truncate()
            yield opened
            opened.flush()
            os.fsync(opened.fileno())
            aside.replace(file)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Have the folder's names on the disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _database_of(site: Site) -> Database:
    """Not made by looking for it."""
    url = site.settings.database_url
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        raise BackupError(NONE_YET)
    return Database(url)


def _files(site: Site, near: Path) -> Iterator[tuple[str, PartKind, Chunks]]:
    """Those that are there: a library need not have a gateway or a radio on this machine."""
    if site.gateway.exists():
        yield "gateway.db", "gateway", _database(site.gateway, near)
    if site.zigbee.exists():
        yield "zigbee.db", "zigbee", _database(site.zigbee, near)
    for backup in sorted(site.zigbee_backups.glob("zigbee-*.json")):
        yield f"zigbee-backups/{backup.name}", "zigbee-backup", _bytes(backup)
    if site.settings.token_file.exists():
        yield "machine-token", "token", _bytes(site.settings.token_file)
    yield "config.toml", "config", _bytes(site.config)


def _database(source: Path, near: Path) -> Chunks:
    """One moment of an SQLite file that others write to, copied beside the backup first."""
    copy = near.with_name(f".{near.name}.copy")
    try:
        copy.unlink(missing_ok=True)
        os.close(os.open(copy, os.O_CREAT | os.O_EXCL, 0o600))
        with (
            closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True, timeout=LOCK_S)) as from_,
            closing(sqlite3.connect(copy)) as to,
        ):
            from_.backup(to)
        yield from _bytes(copy)
    finally:
        copy.unlink(missing_ok=True)


def _bytes(file: Path) -> Chunks:
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            yield 0, chunk


def _add(
    archive: ZipFile, name: str, kind: PartKind, chunks: Chunks, *, tell: Tell, columns: tuple[str, ...] = ()
) -> Part:
    digest, size, rows = hashlib.sha256(), 0, 0
    with closing(chunks), archive.open(name, "w", force_zip64=True) as into:
        for more, chunk in chunks:
            into.write(chunk)
            digest.update(chunk)
            size, rows = size + len(chunk), rows + more
            if rows:
                tell(f"{name}: {rows} rows")
    tell(f"{name}: {rows} rows" if kind == "table" else f"{name}: {size} bytes")
    return Part(name=name, kind=kind, size=size, sha256=digest.hexdigest(), rows=rows, columns=columns)
