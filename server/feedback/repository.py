"""All SQL of the feedback domain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from server.db.transaction import kind_of
from server.feedback.models import CaseRow, CounterRow, NoteRow
from server.feedback.states import WAITING

_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def next_count(session: Session, year: int) -> int:
    """The year's next number; others wait for it until this transaction ends."""
    query = _INSERTS[kind_of(session)](CounterRow).values(year=year, last=1)
    raised = query.on_conflict_do_update(index_elements=[CounterRow.year], set_={"last": CounterRow.last + 1})
    return int(session.execute(raised.returning(CounterRow.last)).scalar_one())


def add(session: Session, row: CaseRow | NoteRow) -> None:
    """Store a row, so that it has its key."""
    session.add(row)
    session.flush()


def opened_since(session: Session, patron_id: int | None, since: datetime) -> int:
    """How many cases a patron, or everybody unknown together, has opened since an instant."""
    whose = CaseRow.patron_id.is_(None) if patron_id is None else CaseRow.patron_id == patron_id
    query = select(func.count()).select_from(CaseRow).where(whose, CaseRow.opened_at > since)
    return session.scalar(query) or 0


def get(session: Session, number: str, *, lock: bool = False) -> CaseRow | None:
    """A case by its number; `lock` holds it until the transaction ends."""
    query = select(CaseRow).where(CaseRow.number == number)
    return session.scalar(query.with_for_update() if lock else query)


def find(
    session: Session, *, states: Sequence[str] = (), owner: str | None = None, overdue_at: datetime | None = None,
    limit: int,
) -> list[CaseRow]:  # fmt: skip
    """Cases: those that wait for an answer by deadline, so overdue ones first; then the others, newest first."""
    waits = CaseRow.state.in_(WAITING)
    query = select(CaseRow)
    if states:
        query = query.where(CaseRow.state.in_(states))
    if owner is not None:
        query = query.where(CaseRow.owner == owner)
    if overdue_at is not None:
        query = query.where(waits, CaseRow.due_at < overdue_at)
    order = (case((waits, 0), else_=1), case((waits, CaseRow.due_at)), CaseRow.id.desc())
    return list(session.scalars(query.order_by(*order).limit(limit)))


def of_patron(session: Session, patron_id: int) -> list[CaseRow]:
    """A patron's cases, newest first."""
    return list(session.scalars(select(CaseRow).where(CaseRow.patron_id == patron_id).order_by(CaseRow.id.desc())))


def notes(session: Session, case_ids: Sequence[int]) -> dict[int, list[NoteRow]]:
    """What was said about these cases, in order."""
    found: dict[int, list[NoteRow]] = {}
    for row in session.scalars(select(NoteRow).where(NoteRow.case_id.in_(case_ids)).order_by(NoteRow.id)):
        found.setdefault(row.case_id, []).append(row)
    return found


def escalate(session: Session, now: datetime) -> list[str]:
    """Mark the waiting cases whose deadline has passed; the numbers of those that were not marked before."""
    late = (CaseRow.state.in_(WAITING), CaseRow.due_at < now, CaseRow.escalated_at.is_(None))
    query = update(CaseRow).where(*late).values(escalated_at=now).returning(CaseRow.number)
    return sorted(session.execute(query.execution_options(synchronize_session=False)).scalars())


def counts(session: Session, now: datetime) -> tuple[int, int]:
    """How many cases wait for an answer, and how many of them for too long."""
    late = func.coalesce(func.sum(case((CaseRow.due_at < now, 1), else_=0)), 0)
    row = session.execute(select(func.count(), late).where(CaseRow.state.in_(WAITING))).one()
    return int(row[0]), int(row[1])


def forget_patron(session: Session, patron_id: int, *, words: str, at: datetime) -> None:
    """Take the person and the person's own words out; what was open is closed."""
    mine = select(CaseRow.id).where(CaseRow.patron_id == patron_id)
    session.execute(update(NoteRow).where(NoteRow.case_id.in_(mine)).values(text=words))
    closed = func.coalesce(CaseRow.closed_at, at)
    session.execute(
        update(CaseRow)
        .where(CaseRow.patron_id == patron_id)
        .values(patron_id=None, contact="", text=words, place="", state="closed", closed_at=closed)
        .execution_options(synchronize_session=False)
    )
