"""All SQL of ISBN lookups."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from server.catalogue.models import LookupRow, RecordIsbnRow, RecordRow


def records(session: Session, isbn: str) -> list[RecordRow]:
    """Those with this ISBN: the catalogue's before the pool's."""
    query = select(RecordRow).join(RecordIsbnRow, RecordIsbnRow.record_id == RecordRow.id)
    return list(session.scalars(query.where(RecordIsbnRow.isbn == isbn).order_by(RecordRow.pool, RecordRow.id)))


def cached(session: Session, isbn: str) -> dict[str, LookupRow]:
    """What each source answered."""
    return {row.source: row for row in session.scalars(select(LookupRow).where(LookupRow.isbn == isbn))}


def keep(session: Session, **values: Any) -> None:
    """Keep an answer in place of an earlier one."""
    session.merge(LookupRow(**values))


def forget(session: Session, before: datetime) -> None:
    """Drop old answers."""
    session.execute(delete(LookupRow).where(LookupRow.at < before))
