"""All SQL of the counts. The database counts; what comes back is as small as the report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, cast

from sqlalchemy import ColumnElement, Select, Table, case, distinct, func, select
from sqlalchemy.orm import Session

from server.circulation.models import LoanRow, RenewalRow
from server.db import quarter_of

Event = Literal["loans", "returns", "renewals"]
Group = Literal["branch", "patron_class", "item_type"]
During = tuple[datetime, datetime]
"""From the first instant to before the second."""

_T, _N = cast(Table, LoanRow.__table__), cast(Table, RenewalRow.__table__)
_OPEN = _T.c.checked_in_at.is_(None)
_LATE: Any = (_T.c.item_id, _T.c.patron_id, _T.c.branch, _T.c.due_at, _T.c.renewals)
_KNOWN = func.count(distinct(_T.c.patron_id))
_FORGOTTEN = func.count(distinct(case((_T.c.patron_id.is_(None), _T.c.id))))
"""Loans whose patron is no longer known."""


def by_quarter(session: Session, event: Event, during: During) -> dict[int, int]:
    """How often it happened in each quarter of an hour, numbered from 1970 on in UTC."""
    quarter = quarter_of(session, _at(event)).label("quarter")
    query = _of(event, during, quarter, func.count()).group_by(quarter)
    return {int(number): count for number, count in session.execute(query)}


def by_group(session: Session, event: Event, group: Group, during: During) -> list[tuple[Any, ...]]:
    """Of each group: its word, how often it happened, how many known patrons and forgotten loans are behind it."""
    query = _of(event, during, _T.c[group], func.count(), _KNOWN, _FORGOTTEN).group_by(_T.c[group])
    return [tuple(row) for row in session.execute(query)]


def by_title(
    session: Session, titles: Select[Any], during: During, *, least: int, limit: int,
    only: Sequence[int] = (),
) -> list[tuple[Any, ...]]:  # fmt: skip
    """(record, loans, known patrons, forgotten loans), most lent first, of titles that at least so many have borrowed.

    `titles` tells the (item_id, record_id) of every item.
    """
    of = titles.subquery()
    query = _of("loans", during, of.c.record_id, func.count(), _KNOWN, _FORGOTTEN, joined=of)
    query = query.group_by(of.c.record_id).having(least <= _KNOWN + _FORGOTTEN)
    query = query.where(of.c.record_id.in_(only)) if only else query
    query = query.order_by(func.count().desc(), of.c.record_id).limit(limit)
    return [tuple(row) for row in session.execute(query)]


def overdue(
    session: Session, now: datetime, branch: str | None, *, limit: int, offset: int
) -> tuple[int, list[tuple[Any, ...]]]:
    """How many open loans are late, and a part of them, the latest first."""
    late = [_OPEN, _T.c.due_at < now, *([] if branch is None else [_T.c.branch == branch])]
    part = select(*_LATE).where(*late).order_by(_T.c.due_at, _T.c.id).limit(limit).offset(offset)
    total = session.scalar(select(func.count()).select_from(_T).where(*late)) or 0
    return total, [tuple(row) for row in session.execute(part)]


def lent_since(at: datetime) -> Select[Any]:
    """The `item_id` of items that were lent since, or are on loan: part of another domain's query."""
    return select(_T.c.item_id).where((_T.c.checked_out_at >= at) | _OPEN)


def last_lent(session: Session, item_ids: Sequence[int]) -> dict[int, datetime]:
    """When each of these items was last lent, if ever."""
    query = select(_T.c.item_id, func.max(_T.c.checked_out_at).label("at")).where(_T.c.item_id.in_(item_ids))
    return {row.item_id: row.at for row in session.execute(query.group_by(_T.c.item_id))}


def _at(event: Event) -> ColumnElement[datetime]:
    return {"loans": _T.c.checked_out_at, "returns": _T.c.checked_in_at, "renewals": _N.c.at}[event]


def _of(event: Event, during: During, *columns: Any, joined: Any = None) -> Select[Any]:
    """What happened in a time; a loss ends a loan, but nothing came back."""
    source = _T.join(_N, _N.c.loan_id == _T.c.id) if event == "renewals" else _T
    if joined is not None:
        source = source.join(joined, joined.c.item_id == _T.c.item_id)
    query = select(*columns).select_from(source).where(_at(event) >= during[0], _at(event) < during[1])
    return query.where(func.coalesce(_T.c.ended, "") != "lost") if event == "returns" else query
