"""All SQL of the rooms domain."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from server.rooms.models import OverrideRow


def get(session: Session, id_: str, *, lock: bool = False) -> OverrideRow | None:
    """One override."""
    return session.get(OverrideRow, id_, with_for_update=lock)


def add(session: Session, row: OverrideRow) -> None:
    """Store a new override."""
    session.add(row)


def add_if_new(session: Session, row: OverrideRow) -> None:
    """Store an override that another process may be storing too."""
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return


def not_over(session: Session, gateway: str) -> list[OverrideRow]:
    """Overrides of a gateway that have not ended, as far as the database knows; locked."""
    query = select(OverrideRow).where(OverrideRow.gateway == gateway, OverrideRow.ended_at.is_(None))
    return list(session.scalars(query.order_by(OverrideRow.id).with_for_update()))


def known(session: Session, ids: Collection[str]) -> set[str]:
    """Which of these ids are stored."""
    return set(session.scalars(select(OverrideRow.id).where(OverrideRow.id.in_(ids))))


def not_over_or_refused(session: Session, since: datetime) -> list[OverrideRow]:
    """Overrides that have not ended, and those refused since then, oldest first."""
    refused = and_(OverrideRow.state == "refused", OverrideRow.ended_at >= since)
    query = select(OverrideRow).where(or_(OverrideRow.ended_at.is_(None), refused))
    return list(session.scalars(query.order_by(OverrideRow.created_at, OverrideRow.id)))
