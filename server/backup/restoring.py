"""Makes a library of a backup: everything is laid ready beside its place first, and moved there at the end."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.engine import URL

from carrel.config import load
from server.audit import service as audit
from server.audit.policy import Verdict
from server.backup import guards, rebuilding
from server.backup.making import sync_folder
from server.backup.manifest import Part
from server.backup.reading import Archive
from server.backup.rebuilding import Counts, Tell
from server.backup.site import Site, read_site
from server.catalogue.search.documents import reindex
from server.db import Database

ASIDE = ".restoring"
BESIDE = ".from-backup"

Placing = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was restored where: rows by table, files, how the audit log stands, titles made searchable."""

    counts: Counts
    files: tuple[Path, ...]
    verdict: Verdict
    titles: int


@dataclass(frozen=True, slots=True)
class Placed:
    """A file laid ready and where it goes."""

    aside: Path
    file: Path


def restore(archive: Archive, config: Path, *, force: bool, tell: Tell, placing: Placing = nullcontext) -> Outcome:
    """Raises BackupError where something is there already or runs, unless forced; ConfigError, OSError and
    SQLAlchemyError. Until the last moves, what was there stays as it was; they are made within `placing`."""
    with ExitStack() as stack:
        ready: list[Placed] = []
        stack.callback(_tidy, ready)
        site = _read_site(archive, config, ready)
        guards.refuse_running(site, stack, force=force)
        guards.refuse_filled(site, archive.manifest, force=force)
        for part in archive.manifest.parts:
            file = site.place(part)
            if file is not None:
                ready.append(_lay(archive, part, file))
        counts = _swap(site, archive, ready, tell=tell, placing=placing)
    database = Database(site.settings.database_url)
    try:
        titles = reindex(database, lambda done: tell(f"search: {done} titles"))
        verdict = audit.verify(database)
    finally:
        database.close()
    return Outcome(counts, tuple(placed.file for placed in ready), verdict, titles)


def _read_site(archive: Archive, config: Path, ready: list[Placed]) -> Site:
    """By the configuration that is there; by the backup's where there is none."""
    config = config.absolute()
    (part,) = archive.manifest.of("config")
    if config.exists():
        if config.read_bytes() != b"".join(archive.chunks(part)):
            ready.append(_lay(archive, part, config.with_name(config.name + BESIDE)))
        return read_site(load(config))
    ready.append(_lay(archive, part, config))
    site = read_site(load(ready[-1].aside))
    return replace(site, settings=replace(site.settings, document=replace(site.settings.document, file=config)))


def _swap(site: Site, archive: Archive, ready: list[Placed], *, tell: Tell, placing: Placing) -> Counts:
    """The database is made, and everything takes its place."""
    url = site.settings.database_url
    if url.get_backend_name() == "sqlite":
        file = Path(str(url.database))
        aside = file.with_name(file.name + ASIDE)
        _remove(aside)
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(aside, os.O_CREAT | os.O_EXCL, 0o600))
        ready.append(Placed(aside, file))
        counts = _rebuilt(url.set(database=str(aside)), archive, tell)
        rebuilding.settle(aside)
        _mark(site)
    else:
        _mark(site)
        try:
            counts = _rebuilt(url, archive, tell)
        except BaseException:
            site.unfinished.unlink()
            raise
    with placing():
        for placed in ready:
            rebuilding.put(placed.aside, placed.file)
        for folder in {placed.file.parent for placed in ready}:
            sync_folder(folder)
        site.unfinished.unlink()
    return counts


def _rebuilt(url: URL, archive: Archive, tell: Tell) -> Counts:
    database = Database(url)
    try:
        return rebuilding.rebuild(database, archive, tell)
    finally:
        database.close()


def _mark(site: Site) -> None:
    site.unfinished.write_text("a restore was under way; run `carrel restore` with --force again\n", encoding="ascii")
    sync_folder(site.unfinished.parent)


def _lay(archive: Archive, part: Part, file: Path) -> Placed:
    """A file beside its place, on the disk, for its owner only."""
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(file.name + ASIDE)
    aside.unlink(missing_ok=True)
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.writelines(archive.chunks(part))
        opened.flush()
        os.fsync(opened.fileno())
    return Placed(aside, file)


def _tidy(ready: list[Placed]) -> None:
    """What has not taken its place goes."""
    for placed in ready:
        _remove(placed.aside)


def _remove(aside: Path) -> None:
    for name in ("", *rebuilding.SIDES):
        aside.with_name(aside.name + name).unlink(missing_ok=True)
