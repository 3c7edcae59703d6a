"""Runs uploaded imports, one at a time, in a thread beside the requests.

State lies in the database: a process that ends puts its import back; one that was killed is noticed by its silence,
and whichever process is free goes on where it was.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from fastapi import FastAPI
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carrel.clock import Clock
from server.catalogue.errors import FileRemovedError
from server.catalogue.imports import service
from server.catalogue.imports.policy import Overlay
from server.catalogue.imports.runner import Interrupted, Runner
from server.catalogue.imports.service import Import
from server.db import Database
from server.deps import Core
from server.diligence import work_until

log = logging.getLogger(__name__)

UNCLAIMED_S = 3600.0
"""An uploaded file of which no import tells, or that was only tried, is removed after so long."""
ACTOR = "imports"


class Worker:
    """Of one server process. All but `stopping` belongs to the thread that calls `run`."""

    def __init__(self, database: Database, clock: Clock, folder: Path, *, own_branch: str) -> None:
        self.stopping = threading.Event()
        self._database, self._clock, self._folder = database, clock, folder
        self._runner = Runner(database, clock, uuid.uuid4().hex, ACTOR, self.stopping, own_branch=own_branch)

    def run(self) -> None:
        """Work until `stopping`."""
        work_until(self.stopping, self.work, self.tidy, log=log, trouble="imports cannot go on; tried again")

    def work(self) -> bool:
        """Run one import that is due; whether there was one."""
        now = self._clock.now()
        with self._database.reading() as session:
            if not service.any_due(session, now):
                return False
        with self._database.writing() as session:
            job = service.claim_due(session, self._runner.worker, now)
        if job is not None:
            self._do(job)
        return True

    def _do(self, job: Import) -> None:
        file = file_of(self._folder, job.id)
        try:
            self._runner.run(job, file)
        except Interrupted:
            with self._database.writing() as session:
                service.let_go(session, job, self._runner.worker)
            return
        except DBAPIError:
            raise  # silence tells; whoever finds the database again goes on
        except Exception as error:  # whatever it is, it is told to who asked, and the next import must run
            log.warning("import %s failed", job.id, exc_info=error)
            code = "file_gone" if isinstance(error, OSError) else "internal_error"
            with self._database.writing() as session:
                service.fail(session, job, self._runner.worker, code=code, now=self._clock.now())
        if not job.options.dry_run:
            file.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove files that no import needs, and reports that are old."""
        with self._database.writing() as session:
            needed = service.forget_old(session, self._clock.now())
        for file in self._folder.glob("*.marc") if self._folder.is_dir() else ():
            if file.stem not in needed and time.time() - file.stat().st_mtime > UNCLAIMED_S:
                file.unlink(missing_ok=True)


@asynccontextmanager
async def imports_part(_app: FastAPI, core: Core) -> AsyncIterator[None]:
    """Run imports as long as the server runs."""
    own = core.settings.common.library.branch
    worker = Worker(core.database, core.clock, folder_of(core), own_branch=own)
    thread = threading.Thread(target=worker.run, name="imports", daemon=True)
    thread.start()
    try:
        yield
    finally:
        worker.stopping.set()
        await asyncio.to_thread(thread.join)


def carry_out(core: Core, session: Session, id_: str, *, overlay: Overlay, subject: str) -> Import:
    """Import for real the file of a dry run, without sending it again. Raises UnknownImportError, TooManyImportsError,
    and FileRemovedError also for an import that was no dry run or has not ended."""
    folder, now = folder_of(core), core.clock.now()
    kept = file_of(folder, id_)
    tried = service.find(session, id_)
    if not tried.options.dry_run or tried.state != "done" or not kept.is_file():
        raise FileRemovedError
    options = replace(tried.options, dry_run=False, overlay=overlay)
    job = service.again(session, id_, options, subject=subject, now=now)
    try:
        kept.replace(file_of(folder, job.id))
    except FileNotFoundError:  # somebody else was faster
        raise FileRemovedError from None
    return job


def folder_of(core: Core) -> Path:
    """Where uploaded files lie; server processes beside each other share it."""
    return core.settings.common.var / "imports"


def file_of(folder: Path, id_: str) -> Path:
    """An import's file."""
    return folder / f"{id_}.marc"
