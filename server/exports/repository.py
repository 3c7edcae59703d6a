"""All SQL of exports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from server.exports.models import ExportRow


def add(session: Session, row: ExportRow) -> None:
    """Store a new export."""
    session.add(row)


def get(session: Session, id_: str) -> ExportRow | None:
    """One export."""
    return session.get(ExportRow, id_)


def newest(session: Session, limit: int) -> list[ExportRow]:
    """The newest ones first."""
    return list(session.scalars(select(ExportRow).order_by(ExportRow.created_at.desc(), ExportRow.id).limit(limit)))


def unfinished(session: Session) -> int:
    """How many wait or run."""
    return session.scalar(select(func.count()).where(ExportRow.state.in_(("waiting", "running")))) or 0


def remove(session: Session, id_: str) -> bool:
    """Forget an export; False when there is none."""
    return _rows(session, delete(ExportRow).where(ExportRow.id == id_)) > 0


def remove_before(session: Session, at: datetime) -> None:
    """Forget what was asked for until then."""
    session.execute(delete(ExportRow).where(ExportRow.created_at <= at))


def ids(session: Session) -> set[str]:
    """Of all exports."""
    return set(session.scalars(select(ExportRow.id)))


@dataclass(frozen=True, slots=True)
class Due:
    """What waits and was put back no later than `rested`; what runs and was heard of no later than `silent`."""

    rested: datetime
    silent: datetime

    def holds(self) -> ColumnElement[bool]:
        """For a row."""
        rested = or_(ExportRow.beat_at.is_(None), ExportRow.beat_at <= self.rested)
        orphaned = and_(ExportRow.state == "running", ExportRow.beat_at <= self.silent)
        return or_(and_(ExportRow.state == "waiting", rested), orphaned)


def any_due(session: Session, when: Due) -> bool:
    """Whether `due` would find one, without a lock."""
    return session.scalar(select(ExportRow.id).where(when.holds()).limit(1)) is not None


def due(session: Session, when: Due) -> ExportRow | None:
    """The oldest export that waits, or whose worker has gone silent; locked, and none that another process locks."""
    query = select(ExportRow).where(when.holds()).order_by(ExportRow.created_at, ExportRow.id)
    return session.scalars(query.limit(1).with_for_update(skip_locked=True)).first()


def change(session: Session, id_: str, by: str, **values: Any) -> bool:
    """Set columns of an export that this worker runs; False when it does not, or no longer."""
    mine = (ExportRow.id == id_, ExportRow.worker == by, ExportRow.state == "running")
    return _rows(session, update(ExportRow).where(*mine).values(**values)) > 0


def _rows(session: Session, statement: Any) -> int:
    found = session.execute(statement)
    assert isinstance(found, CursorResult)
    return found.rowcount
