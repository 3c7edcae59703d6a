"""Work lists that are stored: conflicts of replayed loans, items that did not come back whole, and the like."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy.orm import Session

from server.audit import service as audit
from server.tasks import repository
from server.tasks.errors import UnknownTaskError
from server.tasks.models import TaskRow

Kind = Literal["conflict", "unknown_row", "hold_shelf_expired", "lost", "incomplete", "notice"]


@dataclass(frozen=True, slots=True)
class Task:
    """Something that staff should look at; `code` is why, `at` when it happened."""

    id: int
    kind: str
    code: str
    branch: str
    at: datetime
    created_at: datetime
    item_id: int | None
    patron_id: int | None
    detail: dict[str, Any]
    resolved_at: datetime | None
    resolved_by: str
    resolution: str
    note: str


def add(  # noqa: PLR0913  # a line of a list has that many columns
    session: Session, kind: Kind, code: str, *, branch: str, at: datetime, now: datetime,
    item_id: int | None = None, patron_id: int | None = None, detail: Mapping[str, Any] | None = None,
) -> int:  # fmt: skip
    """Put something on a list; its number."""
    values = {
        "kind": kind, "code": code, "branch": branch, "at": at, "created_at": now, "item_id": item_id,
        "patron_id": patron_id, "detail": json.dumps(dict(detail or {}), ensure_ascii=False, default=str),
        "resolved_by": "", "resolution": "", "note": "",
    }  # fmt: skip
    return repository.add(session, values)


def find(
    session: Session, *, kind: str | None = None, branch: str | None = None, resolved: bool = False, limit: int = 200
) -> list[Task]:
    """Open tasks, oldest first; or those that were resolved, newest first."""
    rows = repository.find(session, kind=kind, branch=branch, resolved=resolved, limit=limit)
    return [_task(row) for row in rows]


def counts(session: Session) -> dict[str, int]:
    """How many tasks of each kind are open."""
    return repository.counts(session)


def resolve(session: Session, task_id: int, *, resolution: str, note: str, actor: str, at: datetime) -> Task:
    """Take something off its list; raises UnknownTaskError."""
    row = repository.get(session, task_id)
    if row is None or row.resolved_at is not None:
        raise UnknownTaskError
    row.resolved_at, row.resolved_by, row.resolution, row.note = at, actor[:80], resolution[:40], note[:500]
    detail = {"kind": row.kind, "resolution": row.resolution}
    audit.record(session, actor=actor, action="task.resolve", target=f"task:{task_id}", at=at, detail=detail)
    return _task(row)


def settle_item(session: Session, kind: Kind, item_id: int, *, actor: str, at: datetime) -> None:
    """The item has done by itself what the list asked for."""
    values = {"resolved_at": at, "resolved_by": actor[:80], "resolution": "done"}
    repository.resolve_items(session, kind, item_id, values)


def unsettle_item(session: Session, kind: Kind, item_id: int, *, at: datetime) -> None:
    """What the item did by itself at an instant was made undone: the list asks for it again."""
    repository.unresolve_items(session, kind, item_id, at)


def about_patron(session: Session, patron_id: int) -> list[dict[str, Any]]:
    """What is noted about a person."""
    rows = repository.of_patron(session, patron_id)
    return [{"kind": row.kind, "code": row.code, "at": row.at, "resolved_at": row.resolved_at} for row in rows]


def forget_patron(session: Session, patron_id: int, _at: datetime) -> None:
    """What is noted is about nobody any longer."""
    repository.forget_patron(session, patron_id)


def forget(session: Session, before: datetime) -> None:
    """Drop what was resolved before an instant."""
    repository.forget(session, before)


def _task(row: TaskRow) -> Task:
    return Task(
        row.id, row.kind, row.code, row.branch, row.at, row.created_at, row.item_id, row.patron_id,
        detail=json.loads(row.detail), resolved_at=row.resolved_at, resolved_by=row.resolved_by,
        resolution=row.resolution, note=row.note,
    )  # fmt: skip
