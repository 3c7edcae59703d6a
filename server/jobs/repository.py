"""All SQL of the jobs domain."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from server.db.transaction import kind_of
from server.jobs.models import TurnRow

_INSERTS: dict[str, Callable[..., Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def know(session: Session, job: str) -> None:
    """Make the job's row, unless it is there."""
    insert = _INSERTS[kind_of(session)](TurnRow).on_conflict_do_nothing()
    session.execute(insert.values(job=job, slot="", holder=""))


def take(session: Session, job: str, *, slot: str, holder: str, now: datetime, until: datetime) -> bool:
    """Have the job in hand; False when somebody else has it or has done it for this slot."""
    free = or_(TurnRow.held_until.is_(None), TurnRow.held_until <= now)
    statement = update(TurnRow).where(TurnRow.job == job, TurnRow.slot != slot, free)
    return _rows(session, statement.values(holder=holder, held_until=until)) > 0


def give_back(session: Session, job: str, holder: str, **values: Any) -> bool:
    """Have it no longer; False when it is another's by now."""
    mine = (TurnRow.job == job, TurnRow.holder == holder, TurnRow.held_until.is_not(None))
    return _rows(session, update(TurnRow).where(*mine).values(held_until=None, **values)) > 0


def _rows(session: Session, statement: Any) -> int:
    found = session.execute(statement)
    assert isinstance(found, CursorResult)
    return found.rowcount
