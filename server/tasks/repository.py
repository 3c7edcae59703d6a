"""All SQL of the tasks domain."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from server.tasks.models import TaskRow


def add(session: Session, values: dict[str, Any]) -> int:
    """A new task's key."""
    return session.execute(insert(TaskRow).values(**values).returning(TaskRow.id)).scalar_one()


def find(session: Session, *, kind: str | None, branch: str | None, resolved: bool, limit: int) -> list[TaskRow]:
    """Tasks, oldest first; those resolved newest first."""
    query = select(TaskRow).where(TaskRow.resolved_at.is_not(None) if resolved else TaskRow.resolved_at.is_(None))
    if kind is not None:
        query = query.where(TaskRow.kind == kind)
    if branch is not None:
        query = query.where(TaskRow.branch == branch)
    order = (TaskRow.resolved_at.desc(), TaskRow.id.desc()) if resolved else (TaskRow.at, TaskRow.id)
    return list(session.scalars(query.order_by(*order).limit(limit)))


def counts(session: Session) -> dict[str, int]:
    """How many tasks of each kind are open."""
    query = select(TaskRow.kind, func.count()).where(TaskRow.resolved_at.is_(None)).group_by(TaskRow.kind)
    return {row[0]: row[1] for row in session.execute(query)}


def get(session: Session, task_id: int) -> TaskRow | None:
    """By key, held until the transaction ends."""
    return session.get(TaskRow, task_id, with_for_update=True)


def resolve_items(session: Session, kind: str, item_id: int, values: dict[str, Any]) -> None:
    """Close the open tasks of a kind about an item."""
    mine = (TaskRow.kind == kind, TaskRow.item_id == item_id, TaskRow.resolved_at.is_(None))
    session.execute(update(TaskRow).where(*mine).values(**values))


def unresolve_items(session: Session, kind: str, item_id: int, at: datetime) -> None:
    """Open the tasks of a kind about an item that were closed at an instant."""
    mine = (TaskRow.kind == kind, TaskRow.item_id == item_id, TaskRow.resolved_at == at)
    session.execute(update(TaskRow).where(*mine).values(resolved_at=None, resolved_by="", resolution=""))


def of_patron(session: Session, patron_id: int) -> list[TaskRow]:
    """What is noted about a person, oldest first."""
    return list(session.scalars(select(TaskRow).where(TaskRow.patron_id == patron_id).order_by(TaskRow.id)))


def forget_patron(session: Session, patron_id: int) -> None:
    """Drop whom tasks were about."""
    session.execute(update(TaskRow).where(TaskRow.patron_id == patron_id).values(patron_id=None))


def forget(session: Session, before: datetime) -> None:
    """Drop what was resolved before an instant: it may name cards."""
    session.execute(delete(TaskRow).where(TaskRow.resolved_at < before))
