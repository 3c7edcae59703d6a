"""All SQL of the news domain."""

from __future__ import annotations

from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from server.news.models import NewsRow


def add(session: Session, row: NewsRow) -> None:
    """Store a row, so that it has its key."""
    session.add(row)
    session.flush()


def get(session: Session, news_id: int) -> NewsRow | None:
    """By key."""
    return session.get(NewsRow, news_id)


def remove(session: Session, row: NewsRow) -> None:
    """Away with it."""
    session.delete(row)


def find(session: Session, on: date | None, limit: int) -> list[NewsRow]:
    """What is shown on a day, or everything; newest first."""
    query = select(NewsRow)
    if on is not None:
        query = query.where(NewsRow.from_on <= on, or_(NewsRow.until_on.is_(None), NewsRow.until_on >= on))
    return list(session.scalars(query.order_by(NewsRow.from_on.desc(), NewsRow.id.desc()).limit(limit)))
