"""All SQL of the rules."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from server.rules.models import RuleBookRow


def latest(session: Session) -> RuleBookRow | None:
    """The newest version."""
    return session.scalars(select(RuleBookRow).order_by(RuleBookRow.version.desc()).limit(1)).first()


def newest_version(session: Session) -> int:
    """Its number; 0 when nothing was ever saved."""
    return session.scalar(select(func.max(RuleBookRow.version))) or 0


def get(session: Session, version: int) -> RuleBookRow | None:
    """One version."""
    return session.get(RuleBookRow, version)


def page(session: Session, limit: int) -> list[RuleBookRow]:
    """The newest versions, newest first."""
    return list(session.scalars(select(RuleBookRow).order_by(RuleBookRow.version.desc()).limit(limit)))


def add(session: Session, row: RuleBookRow) -> bool:
    """Store a version; False when another writer has just taken its number."""
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return False
    return True
