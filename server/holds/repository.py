"""All SQL of the holds domain. A queue is ordered by when its holds were placed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import fields
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, Table, bindparam, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from server.db.transaction import hot, kind_of
from server.holds.hold import Hold
from server.holds.models import HoldRow

_T = cast(Table, HoldRow.__table__)
"""The table itself: statements on it do without the work that mapped rows need."""
_COLUMNS = [_T.c[field.name] for field in fields(Hold)]
_OPEN = _T.c.closed_at.is_(None)
_ORDER = (_T.c.placed_at, _T.c.id)
_QUEUE = hot(select(*_COLUMNS).where(_T.c.record_id == bindparam("record"), _OPEN).order_by(_T.c.id))
_QUEUES = select(*_COLUMNS).where(_T.c.record_id.in_(bindparam("records", expanding=True)), _OPEN).order_by(_T.c.id)
_JOINING = 1
"""Of the locks with two keys; sign-ins have another."""
_LOCKED_QUEUE, _LOCKED_QUEUES = hot(_QUEUE.with_for_update()), _QUEUES.with_for_update()


def get(session: Session, hold_id: int, *, lock: bool = False) -> Hold | None:
    """By key."""
    query = select(*_COLUMNS).where(_T.c.id == hold_id)
    return next(iter(_read(session, query.with_for_update() if lock else query)), None)


def queues(session: Session, record_ids: Collection[int], *, lock: bool = False) -> list[Hold]:
    """The open holds of these titles, first come first; `lock` makes other transactions about them wait."""
    if len(record_ids) == 1:
        found = _read(session, _LOCKED_QUEUE if lock else _QUEUE, {"record": next(iter(record_ids))})
    else:
        found = _read(session, _LOCKED_QUEUES if lock else _QUEUES, {"records": sorted(record_ids)})
    return sorted(found, key=lambda hold: (hold.placed_at, hold.id))


def waited_for(of_title: Callable[[ColumnElement[int]], ColumnElement[bool]]) -> ColumnElement[bool]:
    """Whether there is an open hold on a title that fulfils this, as a column of some other question."""
    return select(_T.c.id).where(of_title(_T.c.record_id), _OPEN).exists()


def of_patron(session: Session, patron_id: int, *, closed_since: datetime | None = None) -> list[Hold]:
    """A patron's open holds, and what was closed since an instant."""
    wanted: ColumnElement[bool] = _OPEN if closed_since is None else or_(_OPEN, _T.c.closed_at >= closed_since)
    return _read(session, select(*_COLUMNS).where(_T.c.patron_id == patron_id, wanted).order_by(*_ORDER))


def of_loan(session: Session, loan_id: int) -> list[Hold]:
    """The holds that a loan fulfilled, if it is still known whose they were."""
    query = select(*_COLUMNS).where(_T.c.loan_id == loan_id, _T.c.patron_id.is_not(None))
    return _read(session, query.order_by(*_ORDER))


def closed_by_checkin(session: Session, item_id: int) -> Hold | None:
    """The open hold for which this item is on its way or set aside."""
    query = select(*_COLUMNS).where(_T.c.filled_item_id == item_id, _OPEN).with_for_update()
    return next(iter(_read(session, query)), None)


def waiting(session: Session) -> list[Hold]:
    """Everybody who waits, paused or not."""
    return _read(session, select(*_COLUMNS).where(_OPEN, _T.c.state == "waiting").order_by(*_ORDER))


def ready(session: Session, branch: str | None = None) -> list[Hold]:
    """What is on the hold shelf, longest there first."""
    query = select(*_COLUMNS).where(_OPEN, _T.c.state == "ready")
    query = query if branch is None else query.where(_T.c.pickup == branch)
    return _read(session, query.order_by(_T.c.ready_until, _T.c.id))


def overstayed(session: Session, now: datetime, *, lock: bool = False) -> list[Hold]:
    """What nobody fetched from the hold shelf in time."""
    query = select(*_COLUMNS).where(_OPEN, _T.c.state == "ready", _T.c.ready_until < now)
    query = query.order_by(_T.c.id)
    return _read(session, query.with_for_update() if lock else query)


def outlived(session: Session, today: date) -> list[Hold]:
    """Those who waited as long as they wanted to."""
    query = select(*_COLUMNS).where(_OPEN, _T.c.state == "waiting", _T.c.expires_on < today)
    return _read(session, query.order_by(_T.c.id))


def resume_due(session: Session, today: date) -> None:
    """Those who wanted to pause up to today wait again."""
    due = (_OPEN, _T.c.paused.is_(True), _T.c.paused_until <= today)
    session.execute(update(_T).where(*due).values(paused=False, paused_until=None))


def waiting_counts(session: Session, today: date) -> dict[int, int]:
    """How many wait for each title that somebody waits for, paused ones too."""
    wait = (_OPEN, _T.c.state == "waiting", or_(_T.c.expires_on.is_(None), _T.c.expires_on >= today))
    query = select(_T.c.record_id, func.count().label("waiting")).where(*wait)
    return {row.record_id: row.waiting for row in session.execute(query.group_by(_T.c.record_id))}


def queue_up(session: Session, record_id: int) -> None:
    """Let those who join this title's queue follow each other, until the transaction ends."""
    if kind_of(session) == "postgresql":  # SQLite's writers queue anyway
        session.execute(select(func.pg_advisory_xact_lock(_JOINING, record_id)))


def add(session: Session, values: dict[str, Any]) -> int | None:
    """A new hold's key; None when the database says that the patron has one on this title."""
    dialect = {"sqlite": sqlite, "postgresql": postgresql}[kind_of(session)]
    query = dialect.insert(_T).on_conflict_do_nothing().returning(_T.c.id)
    hold_id: int | None = session.execute(query, values).scalar_one_or_none()
    return hold_id


def change(session: Session, hold_id: int, **values: Any) -> None:
    """New values for some columns."""
    session.execute(update(_T).where(_T.c.id == hold_id).values(**values))


def forget(session: Session, before: datetime) -> None:
    """Drop who had a hold that was closed before an instant."""
    session.execute(update(_T).where(_T.c.closed_at < before).values(patron_id=None))


def forget_patron(session: Session, patron_id: int) -> None:
    """Drop who had the closed holds of a patron."""
    mine = (_T.c.patron_id == patron_id, _T.c.closed_at.is_not(None))
    session.execute(update(_T).where(*mine).values(patron_id=None))


def _read(session: Session, query: Select[Any], parameters: dict[str, Any] | None = None) -> list[Hold]:
    return [Hold(*row) for row in session.execute(query, parameters)]
