"""Runs one import from where it is to its end, some hundred records a transaction.

What records became, the counts, the report and the place in the file are committed together: whatever ends the
process, each record is accounted for once.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from threading import Event

from carrel.clock import Clock
from server.catalogue.imports import service
from server.catalogue.imports.holdings import mapped
from server.catalogue.imports.intake import Intake, prepare
from server.catalogue.imports.policy import BATCH
from server.catalogue.imports.service import Import
from server.catalogue.imports.shelf import Prepared
from server.catalogue.marc import reading
from server.catalogue.marc.iso2709 import Buffer
from server.catalogue.marc.reading import Kind
from server.db import Database

PAUSE_S = 0.002
"""Between two transactions, so that the desk gets its turn."""


class Interrupted(Exception):  # noqa: N818  # not an error: the process ends, or the import was cancelled
    """The import is not to be gone on with now."""


@dataclass(frozen=True, slots=True)
class Runner:
    """Of one process; `subject` is told to the audit log, `own_branch` is the library's."""

    database: Database
    clock: Clock
    worker: str
    subject: str
    stopping: Event
    told: Callable[[Import], None] = lambda _job: None
    own_branch: str = ""

    def run(self, job: Import, file: Path) -> Import:
        """Go on to the end; raises Interrupted, and OSError for a file that cannot be read. One without any record
        fails: whoever sent it meant another."""
        with opened(file) as buffer:
            if reading.is_utf_16(buffer):
                return self._refuse(job, "utf_16")
            options = job.options
            kind = reading.detect(buffer, format_=options.format, encoding=options.encoding)
            if not job.offset and reading.holds_no_record(buffer, kind):
                return self._refuse(job, "no_records")
            intake = Intake(options, kind.format)
            for batch in _batches(buffer, kind, job, branches=self._branches(job)):
                job = self._store(job, intake, batch)
                self.told(job)
                if self.stopping.wait(PAUSE_S):
                    raise Interrupted
        with self.database.writing() as session:
            if not service.finish(session, job, self.worker, subject=self.subject, now=self.clock.now()):
                raise Interrupted
        with self.database.reading() as session:
            return service.find(session, job.id)

    def _branches(self, job: Import) -> Set[str]:
        """That copies may be of; none where they may be of any."""
        with self.database.reading() as session:
            came = 0 if job.options.dry_run else job.counts.items
            known = service.branches(session, job.options, own=self.own_branch, came=came)
        return known and {*known, job.options.branch}

    def _refuse(self, job: Import, code: str) -> Import:
        with self.database.writing() as session:
            service.fail(session, job, self.worker, code=code, now=self.clock.now())
            return service.find(session, job.id)

    def _store(self, job: Import, intake: Intake, batch: list[Prepared]) -> Import:
        now = self.clock.now()
        with self.database.writing() as session:
            outcomes = intake.take(session, batch, now)
            further = service.advance(session, job, self.worker, outcomes, now=now)
            if further is None:
                raise Interrupted
        return further


def _batches(buffer: Buffer, kind: Kind, job: Import, *, branches: Set[str]) -> Iterator[list[Prepared]]:
    mapping = mapped(job.options.items) if job.options.items else None
    results = enumerate(reading.read(buffer, kind, job.offset), job.counts.read + 1)
    while batch := [
        prepare(result, number, kind.format, mapping=mapping, branch=job.options.branch, branches=branches)
        for number, result in islice(results, BATCH)
    ]:
        yield batch


@contextmanager
def opened(file: Path) -> Iterator[Buffer]:
    """A file's bytes, of which only those looked at are in memory."""
    with file.open("rb") as opened_:
        if file.stat().st_size == 0:
            yield b""
            return
        with mmap.mmap(opened_.fileno(), 0, access=mmap.ACCESS_READ) as buffer:
            yield buffer
