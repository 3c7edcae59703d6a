"""Import jobs: asking for them, and how far they are. Who runs one is in `runner`."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any, cast

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from server.audit import service as audit
from server.catalogue.errors import ImportMappingError, TooManyImportsError, UnknownImportError
from server.catalogue.imports import repository
from server.catalogue.imports.holdings import mapped
from server.catalogue.imports.policy import KEPT, MOST_ATTEMPTS, SILENT, Options, State
from server.catalogue.imports.shelf import Outcome
from server.catalogue.models import ImportRow
from server.lending import service as lending
from server.lending.errors import UnknownBranchError

LISTED = 50
MOST_UNFINISHED = 10

_OPTIONS = TypeAdapter(Options)
_BRANCH = re.compile("([0-9A-Za-z][0-9A-Za-z_-]{0,62})?")


@dataclass(frozen=True, slots=True)
class Source:
    """A file to be imported; `origin` says who runs the import."""

    name: str
    digest: str
    size: int
    origin: str


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the records: read = new + updated + skipped + failed. `items` are new copies."""

    read: int = 0
    new: int = 0
    updated: int = 0
    skipped: int = 0
    failed: int = 0
    items: int = 0


@dataclass(frozen=True, slots=True)
class Import:
    """An import and how far it is; `offset` is the byte up to which every record is accounted for."""

    id: str
    file_name: str
    size: int
    options: Options
    created_at: datetime
    finished_at: datetime | None
    state: State
    code: str
    offset: int
    counts: Counts

    @property
    def done(self) -> float:
        """From 0 to 1."""
        return 1.0 if self.state == "done" else min(0.999, self.offset / max(1, self.size))


@dataclass(frozen=True, slots=True)
class Line:
    """Something wrong with the `record`-th record of a file; `fatal`: it was not taken over."""

    record: int
    control_number: str
    fatal: bool
    code: str
    detail: str


def branches(session: Session, options: Options, *, own: str, came: int = 0) -> Set[str]:
    """Those that copies may be of: the policy's, or where it names none the branches of the copies that there are.

    Empty for any branch: where new ones are wanted, and in a library without copies but the `came` of this import.
    """
    if named := lending.current(session).policy.branches:
        return {*named, own}
    if options.new_branches or repository.count_items(session) <= came:
        return frozenset()
    return {*repository.branches(session), own}


def check_branch(session: Session, options: Options, *, own: str) -> None:
    """Raises UnknownBranchError for an import whose copies would be of a branch that the library does not have."""
    known = branches(session, options, own=own)
    if known and options.branch not in known:
        raise UnknownBranchError(branch=options.branch)


def create(session: Session, source: Source, options: Options, *, subject: str, now: datetime) -> Import:
    """Ask for an import; raises ImportMappingError, UnknownBranchError, TooManyImportsError."""
    if options.items and mapped(options.items) is None:
        raise ImportMappingError(mapping=options.items[:80])
    if not _BRANCH.fullmatch(options.branch):
        raise UnknownBranchError(branch=options.branch[:80])
    if repository.unfinished(session) >= MOST_UNFINISHED:
        raise TooManyImportsError(most=MOST_UNFINISHED)
    row = ImportRow(
        id=uuid.uuid4().hex,
        created_at=now,
        subject=subject,
        origin=source.origin,
        file_name=source.name[:200],
        digest=source.digest,
        size=source.size,
        options=asdict(options),
        state="waiting",
        code="",
        offset=0,
        read=0,
        new=0,
        updated=0,
        skipped=0,
        failed=0,
        items=0,
        attempts=0,
    )
    repository.add(session, row)
    detail = {"file": row.file_name, "size": row.size, "options": row.options}
    audit.record(session, actor=subject, action="catalogue.import", target=f"import:{row.id}", at=now, detail=detail)
    return _import(row)


def again(session: Session, id_: str, options: Options, *, subject: str, now: datetime) -> Import:
    """Ask for another import of a file that came before; raises UnknownImportError, TooManyImportsError."""
    row = repository.get(session, id_)
    if row is None:
        raise UnknownImportError
    source = Source(row.file_name, row.digest, row.size, row.origin)
    return create(session, source, options, subject=subject, now=now)


def interrupted(session: Session, source: Source, options: Options) -> Import | None:
    """An import of this file in this way that somebody began on the command line and did not finish."""
    row = repository.interrupted(session, source.digest, asdict(options))
    return _import(row) if row else None


def find(session: Session, id_: str) -> Import:
    """Raises UnknownImportError."""
    row = repository.get(session, id_)
    if row is None:
        raise UnknownImportError
    return _import(row)


def listed(session: Session) -> list[Import]:
    """The newest first."""
    return [_import(row) for row in repository.newest(session, LISTED)]


def problems(session: Session, id_: str) -> dict[str, int]:
    """How often each problem occurred."""
    return repository.problem_counts(session, id_)


def report_lines(session: Session, id_: str, limit: int) -> list[Line]:
    """The report's first lines, in the file's order."""
    return [
        Line(row.number, row.control_number, row.fatal, row.code, row.detail)
        for row in islice(repository.problems(session, id_), limit)
    ]


def cancel(session: Session, id_: str, *, subject: str, now: datetime) -> None:
    """Forget an import; what it has stored stays, a worker that is at it notices. Raises UnknownImportError."""
    if not repository.remove(session, id_):
        raise UnknownImportError
    audit.record(session, actor=subject, action="catalogue.import_cancel", target=f"import:{id_}", at=now)


def any_due(session: Session, now: datetime) -> bool:
    """Whether there is something to claim."""
    return repository.any_due(session, now - SILENT)


def claim_due(session: Session, worker: str, now: datetime) -> Import | None:
    """Take the oldest uploaded import that is due; None when there is none. One that failed too often fails."""
    row = repository.due(session, now - SILENT)
    if row is None:
        return None
    if row.attempts >= MOST_ATTEMPTS:
        row.state, row.code, row.finished_at = "failed", row.code or "worker_lost", now
        return None
    return _claim(session, row, worker, now)


def claim(session: Session, id_: str, worker: str, now: datetime) -> Import:
    """Take this import, whoever had it; raises UnknownImportError."""
    row = repository.get(session, id_)
    if row is None:
        raise UnknownImportError
    return _claim(session, row, worker, now)


def _claim(session: Session, row: ImportRow, worker: str, now: datetime) -> Import:
    """It goes on where it was; a dry run, of which nothing is stored, begins anew."""
    row.state, row.worker, row.beat_at, row.code = "running", worker, now, ""
    row.attempts += 1
    if row.options["dry_run"]:
        repository.forget_problems(session, row.id)
        row.offset = row.read = row.new = row.updated = row.skipped = row.failed = row.items = 0
    return _import(row)


def advance(session: Session, job: Import, worker: str, outcomes: Sequence[Outcome], *, now: datetime) -> Import | None:
    """Account for a batch, in the transaction that stores it; None when the import is no longer this worker's."""
    became = Counter(outcome.became for outcome in outcomes)
    before = job.counts
    counts = Counts(
        read=before.read + len(outcomes),
        new=before.new + became["new"],
        updated=before.updated + became["updated"],
        skipped=before.skipped + became["skipped"],
        failed=before.failed + became["failed"],
        items=before.items + sum(outcome.items for outcome in outcomes),
    )
    offset = outcomes[-1].prepared.end
    if not repository.change(session, job.id, worker, offset=offset, beat_at=now, **asdict(counts)):
        return None
    repository.add_problems(session, [line for outcome in outcomes for line in _lines(job.id, outcome)])
    return replace(job, offset=offset, counts=counts)


def _lines(import_id: str, outcome: Outcome) -> list[dict[str, Any]]:
    prepared = outcome.prepared
    number = prepared.extract.columns["control_number"] if prepared.extract else ""
    return [
        {
            "import_id": import_id,
            "number": prepared.number,
            "offset": prepared.offset,
            "control_number": number,
            "fatal": note.fatal,
            "code": note.code,
            "detail": note.detail[:1000],
        }
        for note in outcome.notes
    ]


def finish(session: Session, job: Import, worker: str, *, subject: str, now: datetime) -> bool:
    """Every record is accounted for; False when the import is no longer this worker's."""
    done = repository.change(session, job.id, worker, state="done", finished_at=now, offset=job.size)
    if done:
        action, target = "catalogue.import_done", f"import:{job.id}"
        audit.record(session, actor=subject, action=action, target=target, at=now, detail=asdict(job.counts))
    return done


def fail(session: Session, job: Import, worker: str, *, code: str, now: datetime) -> None:
    """It cannot go on."""
    repository.change(session, job.id, worker, state="failed", code=code, finished_at=now)


def let_go(session: Session, job: Import, worker: str) -> None:
    """This worker ends; the next one goes on, as if nothing had been tried."""
    repository.change(session, job.id, worker, state="waiting", worker=None, beat_at=None, attempts=0)


def forget_old(session: Session, now: datetime) -> set[str]:
    """Forget imports that ended long ago; the ids of the unfinished ones."""
    for id_ in repository.finished_before(session, now - KEPT):
        repository.remove(session, id_)
    return {row.id for row in repository.newest(session, 10_000) if row.state in ("waiting", "running")}


def _import(row: ImportRow) -> Import:
    return Import(
        id=row.id,
        file_name=row.file_name,
        size=row.size,
        options=_OPTIONS.validate_python(row.options),
        created_at=row.created_at,
        finished_at=row.finished_at,
        state=cast("State", row.state),
        code=row.code,
        offset=row.offset,
        counts=Counts(row.read, row.new, row.updated, row.skipped, row.failed, row.items),
    )
