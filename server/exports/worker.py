"""Makes the files of exports, one at a time, in a thread beside the requests.

State lies in the database: a process that ends puts its export back; one that was killed is noticed by its silence,
and whichever process is free begins the export anew.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import threading
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

from fastapi import FastAPI
from sqlalchemy.exc import OperationalError

from carrel.clock import Clock
from server.db import Database
from server.deps import Core
from server.diligence import work_until
from server.exports import service, table
from server.exports.errors import TooLargeError
from server.exports.service import Export
from server.rooms.history import History
from server.telemetry.errors import HistoryUnavailableError

log = logging.getLogger(__name__)

PAUSE_S = 0.005
"""Between two reads, so that requests get their turn."""
MOST_BYTES = 2 << 30
BEAT_EVERY_S = 0.5


class Interrupted(Exception):  # noqa: N818  # not an error: the server ends, or the export was cancelled
    """The export is not to be gone on with."""


class Worker:
    """Of one server process. All but `stopping` belongs to the thread that calls `run`."""

    def __init__(self, database: Database, history: History, clock: Clock, *, folder: Path, zone: ZoneInfo) -> None:
        self.name = uuid.uuid4().hex
        self.stopping = threading.Event()
        self._database = database
        self._history = history
        self._clock = clock
        self._folder = folder
        self._zone = zone
        self._beat_at = 0.0

    def run(self) -> None:
        """Make what is due and tidy up, until `stopping`."""
        work_until(self.stopping, self.work, self.tidy, log=log, trouble="exports cannot be made; tried again")

    def work(self) -> bool:
        """Make the export that is due; False when there is none."""
        now = self._clock.now()
        with self._database.reading() as session:
            if not service.any_due(session, now):
                return False
        with self._database.writing() as session:
            export = service.claim(session, self.name, now)
        if export is None:
            return False
        part = self._folder / f"{export.id}.{self.name}.part"
        try:
            self._make(export, part)
        except Interrupted:
            with self._database.writing() as session:
                service.let_go(session, export, self.name)
        except (HistoryUnavailableError, OperationalError) as error:
            log.warning("export %s waits: %s", export.id, type(error).__name__)
            self._put_back(export, HistoryUnavailableError.code)
        except Exception as error:  # whatever it is, it is told to who asked, and the next export must be made
            self._fail(export, error)
        finally:
            part.unlink(missing_ok=True)
        return True

    def tidy(self) -> None:
        """Remove the files of exports that are no more."""
        with self._database.writing() as session:
            known = service.forget_old(session, self._clock.now())
        for file in self._folder.glob("*.*") if self._folder.is_dir() else ():
            if file.name.partition(".")[0] not in known:
                file.unlink(missing_ok=True)

    def _make(self, export: Export, part: Path) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        rows = 0
        with part.open("w", encoding="utf-8-sig" if export.wanted.excel else "utf-8", newline="") as file:
            for progress in table.write(file, export.wanted, self._history, self._zone):
                rows = progress.rows
                self._go_on(export, progress, file.tell())
            file.flush()
            os.fsync(file.fileno())
        size = part.stat().st_size
        with self._database.writing() as session:
            if service.finish(session, export, self.name, rows=rows, size=size, now=self._clock.now()):
                part.replace(service.file_of(self._folder, export.id))

    def _go_on(self, export: Export, progress: table.Progress, size: int) -> None:
        """Raises Interrupted or TooLargeError when it must not."""
        if size > MOST_BYTES:
            raise TooLargeError
        if self.stopping.wait(PAUSE_S):
            raise Interrupted
        if time.monotonic() - self._beat_at < BEAT_EVERY_S:
            return
        self._beat_at = time.monotonic()
        now = self._clock.now()
        with self._database.writing() as session:
            mine = service.beat(session, export, self.name, rows=progress.rows, done=progress.done, now=now)
        if not mine:
            raise Interrupted

    def _put_back(self, export: Export, code: str) -> None:
        with self._database.writing() as session:
            service.put_back(session, export, self.name, code=code, now=self._clock.now())

    def _fail(self, export: Export, error: Exception) -> None:
        log.warning("export %s failed", export.id, exc_info=error)
        with self._database.writing() as session:
            service.fail(session, export, self.name, code=_code(error), now=self._clock.now())


def _code(error: Exception) -> str:
    if isinstance(error, TooLargeError):
        return "export_too_large"
    if isinstance(error, OSError):
        return "disk_full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "file_not_written"
    return "internal_error"


@asynccontextmanager
async def exports_part(app: FastAPI, core: Core) -> AsyncIterator[None]:
    """Make exports as long as the server runs; stands on `server.live.part`."""
    library = core.settings.common.library
    history: History = app.state.rooms.past
    worker = Worker(core.database, history, core.clock, folder=folder_of(core), zone=library.zone)
    thread = threading.Thread(target=worker.run, name="exports", daemon=True)
    thread.start()
    try:
        yield
    finally:
        worker.stopping.set()
        await asyncio.to_thread(thread.join)


def folder_of(core: Core) -> Path:
    """Where the files lie; server processes beside each other share it."""
    return core.settings.common.var / "exports"
