"""All SQL of the suggestions domain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from server.db.transaction import kind_of
from server.suggestions.models import SuggestionRow, VoteRow

_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_QUEUE = "purchase_suggestion"


def queue_up(session: Session) -> None:
    """Let new suggestions follow each other, so that two of one book become one and limits count everything."""
    if kind_of(session) == "postgresql":  # SQLite's writers queue anyway
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext(_QUEUE))))


def add(session: Session, row: SuggestionRow) -> None:
    """Store a row, so that it has its key."""
    session.add(row)
    session.flush()


def get(session: Session, suggestion_id: int, *, lock: bool = False) -> SuggestionRow | None:
    """By key; `lock` holds it until the transaction ends."""
    return session.get(SuggestionRow, suggestion_id, with_for_update=lock)


def alike(session: Session, isbn: str, title_key: str) -> list[SuggestionRow]:
    """Suggestions with this ISBN, if there is one, or this title; the one with the ISBN first, then the oldest."""
    same_title = and_(SuggestionRow.title_key == title_key, SuggestionRow.title_key != "")
    same_isbn = and_(SuggestionRow.isbn == isbn, SuggestionRow.isbn != "")
    query = select(SuggestionRow).where(or_(same_isbn, same_title))
    return list(session.scalars(query.order_by((SuggestionRow.isbn == isbn).desc(), SuggestionRow.id)))


def vote(session: Session, suggestion_id: int, patron_id: int, *, first: bool, at: datetime) -> bool:
    """Count a patron's vote; False when it was counted before."""
    row = {"suggestion_id": suggestion_id, "patron_id": patron_id, "first": first, "at": at}
    query = _INSERTS[kind_of(session)](VoteRow).values(row).on_conflict_do_nothing()
    return session.execute(query.returning(VoteRow.id)).first() is not None


def unvote(session: Session, suggestion_id: int, patron_id: int) -> bool:
    """Take a patron's vote back; False when there is none."""
    mine = delete(VoteRow).where(VoteRow.suggestion_id == suggestion_id, VoteRow.patron_id == patron_id)
    return session.execute(mine.returning(VoteRow.id)).first() is not None


def remove_unwanted(session: Session, row: SuggestionRow) -> bool:
    """Delete a suggestion for which nobody votes; whether it was one."""
    if session.scalar(select(VoteRow.id).where(VoteRow.suggestion_id == row.id).limit(1)) is not None:
        return False
    session.delete(row)
    session.flush()
    return True


def suggested_since(session: Session, patron_id: int, since: datetime) -> int:
    """How many suggestions a patron has made since an instant."""
    mine = (VoteRow.patron_id == patron_id, VoteRow.first, VoteRow.at >= since)
    return session.scalar(select(func.count()).select_from(VoteRow).where(*mine)) or 0


def find(
    session: Session, *, states: Sequence[str] = (), ids: Sequence[int] | None = None, limit: int
) -> list[tuple[SuggestionRow, int]]:
    """Suggestions with their votes: the open ones first, of these those with the most votes, then the newest."""
    votes = func.count(VoteRow.id)
    query = select(SuggestionRow, votes).outerjoin(VoteRow, VoteRow.suggestion_id == SuggestionRow.id)
    if states:
        query = query.where(SuggestionRow.state.in_(states))
    if ids is not None:
        query = query.where(SuggestionRow.id.in_(ids))
    order = ((SuggestionRow.state == "open").desc(), votes.desc(), SuggestionRow.id.desc())
    found = session.execute(query.group_by(SuggestionRow.id).order_by(*order).limit(limit))
    return [(row[0], row[1]) for row in found]


def voted(session: Session, patron_id: int) -> set[int]:
    """What a patron has voted for."""
    return set(session.scalars(select(VoteRow.suggestion_id).where(VoteRow.patron_id == patron_id)))


def of_patron(session: Session, patron_id: int) -> Sequence[Row[str, str, str, bool, datetime]]:
    """A patron's suggestions and votes, oldest first."""
    query = select(SuggestionRow.title, SuggestionRow.reason, SuggestionRow.state, VoteRow.first, VoteRow.at)
    joined = query.join(VoteRow, VoteRow.suggestion_id == SuggestionRow.id)
    return session.execute(joined.where(VoteRow.patron_id == patron_id).order_by(VoteRow.id)).all()


def forget_patron(session: Session, patron_id: int) -> None:
    """Votes stay, whose they were does not, nor the reasons that the person gave."""
    mine = select(VoteRow.suggestion_id).where(VoteRow.patron_id == patron_id, VoteRow.first)
    session.execute(update(SuggestionRow).where(SuggestionRow.id.in_(mine)).values(reason=""))
    session.execute(update(VoteRow).where(VoteRow.patron_id == patron_id).values(patron_id=None))
