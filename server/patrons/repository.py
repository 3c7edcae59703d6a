"""All SQL of the patrons domain."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.patrons.models import PatronRow


def get(session: Session, patron_id: int) -> PatronRow | None:
    """By key."""
    return session.get(PatronRow, patron_id)


def find(session: Session, card: str, *, lock: bool = False) -> PatronRow | None:
    """By card; `lock` holds the row until the transaction ends, so that a patron's loans are counted one by one."""
    query = select(PatronRow).where(PatronRow.card == card)
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def add(session: Session, patron: PatronRow) -> None:
    """Store a new patron."""
    session.add(patron)
    session.flush()


def count(session: Session) -> int:
    """How many there are."""
    return session.scalar(select(func.count()).select_from(PatronRow)) or 0
