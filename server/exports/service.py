"""Asking for exports, and what becomes of them. The worker that makes the files is in `worker`."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from server.exports import repository
from server.exports.errors import ExportGoneError, ExportNotReadyError, TooManyExportsError, UnknownExportError
from server.exports.models import ExportRow
from server.exports.policy import KEPT, MOST_ATTEMPTS, MOST_UNFINISHED, REST, SILENT, State, Wanted

LISTED = 50

_WANTED = TypeAdapter(Wanted)


@dataclass(frozen=True, slots=True)
class Export:
    """An export and how far it is; `code` says why it failed."""

    id: str
    wanted: Wanted
    created_at: datetime
    state: State
    code: str
    rows: int
    done_permille: int
    size: int

    @property
    def expires_at(self) -> datetime:
        """When it is removed."""
        return self.created_at + KEPT


def create(session: Session, wanted: Wanted, *, subject: str, now: datetime) -> Export:
    """Put an export in the queue; raises TooManyExportsError."""
    if repository.unfinished(session) >= MOST_UNFINISHED:
        raise TooManyExportsError(most=MOST_UNFINISHED)
    row = ExportRow(
        id=uuid.uuid4().hex,
        created_at=now,
        subject=subject,
        wanted=_WANTED.dump_python(wanted, mode="json"),
        state="waiting",
        code="",
        rows=0,
        done_permille=0,
        size=0,
        attempts=0,
    )
    repository.add(session, row)
    return _export(row)


def find(session: Session, id_: str, now: datetime) -> Export:
    """Raises UnknownExportError, also for what is over its time."""
    row = repository.get(session, id_)
    if row is None or row.created_at <= now - KEPT:
        raise UnknownExportError
    return _export(row)


def listed(session: Session, now: datetime) -> list[Export]:
    """The newest first."""
    return [_export(row) for row in repository.newest(session, LISTED) if row.created_at > now - KEPT]


def finished_file(export: Export, folder: Path) -> Path:
    """Its file; raises ExportNotReadyError, ExportGoneError."""
    if export.state != "done":
        raise ExportNotReadyError(state=export.state)
    file = file_of(folder, export.id)
    if not file.is_file():
        raise ExportGoneError
    return file


def cancel(session: Session, id_: str) -> None:
    """Forget it; a worker that is at it notices. Raises UnknownExportError."""
    if not repository.remove(session, id_):
        raise UnknownExportError


def any_due(session: Session, now: datetime) -> bool:
    """Whether there is something to claim."""
    return repository.any_due(session, _due(now))


def claim(session: Session, worker: str, now: datetime) -> Export | None:
    """Take the oldest export that is due; None when there is none. One whose attempts are used up fails."""
    row = repository.due(session, _due(now))
    if row is None:
        return None
    if row.attempts >= MOST_ATTEMPTS:
        row.state, row.code, row.finished_at = "failed", row.code or "worker_lost", now
        return None
    row.state, row.worker, row.beat_at, row.code = "running", worker, now, ""
    row.attempts += 1
    row.rows = row.done_permille = row.size = 0
    return _export(row)


def beat(session: Session, export: Export, worker: str, *, rows: int, done: float, now: datetime) -> bool:
    """Say how far it is, `done` from 0 to 1; False when the export is no longer this worker's."""
    permille = min(999, int(1000 * done))
    return repository.change(session, export.id, worker, rows=rows, done_permille=permille, beat_at=now)


def finish(session: Session, export: Export, worker: str, *, rows: int, size: int, now: datetime) -> bool:
    """Its file is there; False when the export is no longer this worker's."""
    done = {"state": "done", "rows": rows, "size": size, "done_permille": 1000, "finished_at": now}
    return repository.change(session, export.id, worker, **done)


def fail(session: Session, export: Export, worker: str, *, code: str, now: datetime) -> None:
    """It cannot be made."""
    repository.change(session, export.id, worker, state="failed", code=code, finished_at=now)


def put_back(session: Session, export: Export, worker: str, *, code: str, now: datetime) -> None:
    """Something it needs is away: to be tried again after a rest."""
    repository.change(session, export.id, worker, state="waiting", code=code, worker=None, beat_at=now)


def let_go(session: Session, export: Export, worker: str) -> None:
    """This worker ends; the next one begins anew, as if nothing had been tried."""
    repository.change(session, export.id, worker, state="waiting", worker=None, beat_at=None, attempts=0)


def forget_old(session: Session, now: datetime) -> set[str]:
    """Forget what is over its time; the ids of the rest."""
    repository.remove_before(session, now - KEPT)
    return repository.ids(session)


def file_of(folder: Path, id_: str) -> Path:
    """Where the finished file of an export lies."""
    return folder / f"{id_}.csv"


def _due(now: datetime) -> repository.Due:
    return repository.Due(rested=now - REST, silent=now - SILENT)


def _export(row: ExportRow) -> Export:
    return Export(
        id=row.id,
        wanted=_WANTED.validate_python(row.wanted),
        created_at=row.created_at,
        state=cast("State", row.state),
        code=row.code,
        rows=row.rows,
        done_permille=row.done_permille,
        size=row.size,
    )
