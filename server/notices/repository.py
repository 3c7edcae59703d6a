"""All SQL of the notices domain."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, and_, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from server.db.transaction import kind_of
from server.notices.models import NoticeLineRow, NoticeRow

_INSERTS: dict[str, Callable[..., Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_SETTLED = ("sent", "failed", "dropped")
_MOST = ("sent", "dropped")

Key = tuple[str, str, str]
"""Kind, about, step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which letters a list shows; None leaves a thing open. Those that were planned in [since, until)."""

    state: str | None = None
    kind: str | None = None
    channel: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    due_by: datetime | None = None


def told(session: Session, abouts: Collection[str]) -> set[tuple[str, Key]]:
    """What has been written, or is to be, about these: channel and key."""
    row = NoticeLineRow
    query = select(row.channel, row.kind, row.about, row.step).where(row.about.in_(list(abouts)))
    return {(channel, (kind, about, step)) for channel, kind, about, step in session.execute(query)}


def add(session: Session, letter: dict[str, Any], keys: Iterable[Key]) -> int | None:
    """A new letter's number; None when the database says that all it would tell is told already."""
    notice_id = session.execute(insert(NoticeRow).values(**letter).returning(NoticeRow.id)).scalar_one()
    channel = letter["channel"]
    rows = [
        {"notice_id": notice_id, "channel": channel, "kind": kind, "about": about, "step": step}
        for kind, about, step in keys
    ]
    adding = _INSERTS[kind_of(session)](NoticeLineRow).on_conflict_do_nothing()
    if session.execute(adding.values(rows).returning(NoticeLineRow.id)).first() is not None:
        return notice_id
    session.execute(delete(NoticeRow).where(NoticeRow.id == notice_id))
    return None


def lines(session: Session, notice_id: int) -> list[Key]:
    """What a letter is about, in the order it was planned."""
    row = NoticeLineRow
    query = select(row.kind, row.about, row.step).where(row.notice_id == notice_id).order_by(row.id)
    return [(kind, about, step) for kind, about, step in session.execute(query)]


def _due(now: datetime) -> ColumnElement[bool]:
    waits = and_(NoticeRow.state == "waiting", NoticeRow.next_at <= now)
    return or_(waits, and_(NoticeRow.state == "sending", NoticeRow.claimed_until <= now))


def any_due(session: Session, now: datetime) -> bool:
    """Whether `claim` would find one, without a lock."""
    return session.scalar(select(NoticeRow.id).where(_due(now)).limit(1)) is not None


def claim(session: Session, *, by: str, now: datetime, until: datetime) -> NoticeRow | None:
    """Take the oldest letter that is due, or whose sender has gone silent; no other process gets it meanwhile."""
    query = select(NoticeRow).where(_due(now)).order_by(NoticeRow.next_at, NoticeRow.id).limit(1)
    row = session.scalars(query.with_for_update(skip_locked=True)).first()
    if row is not None:
        row.state, row.claimed_by, row.claimed_until, row.attempts = "sending", by, until, row.attempts + 1
    return row


def settle(session: Session, notice_id: int, *, by: str, **values: Any) -> bool:
    """Write down what became of a letter in hand; False when it is no longer this sender's."""
    mine = (NoticeRow.id == notice_id, NoticeRow.claimed_by == by, NoticeRow.state == "sending")
    return _rows(session, update(NoticeRow).where(*mine).values(claimed_by="", claimed_until=None, **values)) > 0


def get(session: Session, notice_id: int, *, lock: bool = False) -> NoticeRow | None:
    """By key."""
    return session.get(NoticeRow, notice_id, with_for_update=lock or None)


def _most(state: Any) -> ColumnElement[str]:
    """A state that most letters are in: its index would fetch and sort them all, the order's own finds them at once."""
    return cast("ColumnElement[str]", state.concat(""))


def page(session: Session, wanted: Wanted, *, before: int | None, limit: int) -> list[NoticeRow]:
    """Newest first, those with numbers below `before`."""
    row = NoticeRow
    state = _most(row.state) if wanted.state in _MOST else row.state
    given = ((state, wanted.state), (row.kind, wanted.kind), (row.channel, wanted.channel))
    query = select(row).where(*(column == value for column, value in given if value is not None))
    if wanted.since is not None:
        query = query.where(row.created_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(row.created_at < wanted.until)
    if wanted.due_by is not None:
        query = query.where(row.next_at <= wanted.due_by)
    if before is not None:
        query = query.where(row.id < before)
    return list(session.scalars(query.order_by(row.id.desc()).limit(limit)))


def states(session: Session) -> dict[str, int]:
    """How many letters there are in each state that any is in."""
    query = select(NoticeRow.state, func.count()).group_by(NoticeRow.state)
    return dict(session.execute(query).all())


def count_due(session: Session, now: datetime) -> int:
    """How many wait whose time has come."""
    due = (NoticeRow.state == "waiting", NoticeRow.next_at <= now)
    return session.scalar(select(func.count()).select_from(NoticeRow).where(*due)) or 0


def _retriable() -> ColumnElement[bool]:
    return and_(NoticeRow.state == "failed", NoticeRow.patron_id.is_not(None))


def failures(session: Session) -> list[tuple[str, str, int]]:
    """Channel, code and number of those that have failed and could be sent again."""
    row = NoticeRow
    query = select(row.channel, row.code, func.count()).where(_retriable()).group_by(row.channel, row.code)
    return [(channel, code, count) for channel, code, count in session.execute(query.order_by(row.channel, row.code))]


def last_sent(session: Session, channel: str) -> datetime | None:
    """When the newest letter went out over a channel."""
    row = NoticeRow
    query = select(row.settled_at).where(_most(row.state) == "sent", row.channel == channel)
    return session.scalar(query.order_by(row.settled_at.desc()).limit(1))


def retry_failed(session: Session, channel: str, code: str | None, at: datetime) -> list[int]:
    """Begin anew with all that have failed over a channel, or those with one code; their numbers."""
    which = [_retriable(), NoticeRow.channel == channel]
    if code is not None:
        which.append(NoticeRow.code == code)
    anew = {"state": "waiting", "code": "", "next_at": at, "attempts": 0, "settled_at": None}
    found = session.scalars(update(NoticeRow).where(*which).values(**anew).returning(NoticeRow.id))
    return sorted(found)


def of_patron(session: Session, patron_id: int, *, limit: int) -> list[NoticeRow]:
    """A patron's letters, newest first."""
    query = select(NoticeRow).where(NoticeRow.patron_id == patron_id)
    return list(session.scalars(query.order_by(NoticeRow.id.desc()).limit(limit)))


def forget_patron(session: Session, patron_id: int, at: datetime) -> None:
    """A person's letters are nobody's any longer, and none goes out."""
    mine = NoticeRow.patron_id == patron_id
    waiting = {"state": "dropped", "settled_at": at, "claimed_by": "", "claimed_until": None}
    session.execute(update(NoticeRow).where(mine, NoticeRow.state.not_in(_SETTLED)).values(**waiting))
    session.execute(update(NoticeRow).where(mine).values(patron_id=None, subject="", body=""))


def forget(session: Session, before: datetime) -> int:
    """Drop text and patron of what was settled before an instant; how many letters."""
    old = (NoticeRow.settled_at < before, or_(NoticeRow.patron_id.is_not(None), NoticeRow.body != ""))
    return _rows(session, update(NoticeRow).where(*old).values(patron_id=None, subject="", body=""))


def _rows(session: Session, statement: Any) -> int:
    found = session.execute(statement)
    assert isinstance(found, CursorResult)
    return found.rowcount
