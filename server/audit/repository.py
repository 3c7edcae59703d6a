"""All SQL of the audit log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from sqlalchemy import Table, Text, bindparam, func, insert, literal_column, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from server.audit.models import AuditRow
from server.audit.values import FIRST, Entry, Sealed, UnreadableRowError, Wanted
from server.db import AWAY
from server.db.transaction import hot, kind_of

BATCH = 1000

COLUMNS = (
    AuditRow.seq, AuditRow.at, AuditRow.actor, AuditRow.action,
    AuditRow.target, AuditRow.detail, AuditRow.prev, AuditRow.hash,
)  # fmt: skip
IN_ORDER = select(*COLUMNS).order_by(AuditRow.seq)
UNREADABLE = (DBAPIError, TypeError, ValueError)
"""What reading a value raises that is not of its column's type: SQLite keeps anything in any column."""

_row = cast(Table, AuditRow.__table__)
_newest = (
    select(_row.c.hash).order_by(_row.c.seq.desc()).limit(literal_column("1")).offset(literal_column("0"))
    .scalar_subquery()
)  # fmt: skip
"""Both limits are said, as SQLAlchemy has SQLite ask for the other as a parameter."""
_seq = func.coalesce(select(func.max(_row.c.seq)).scalar_subquery(), literal_column("0")) + literal_column("1")
_prev = func.coalesce(_newest, literal_column(f"'{FIRST}'"))
_told = bindparam("told", type_=Text)
_whole = func.printf(literal_column("""'[%d, %s, "%s"]'"""), _seq, _told, _prev)
_ENTRY = ("at", "actor", "action", "target", "detail")
APPEND: dict[str, Any] = {
    "sqlite": hot(insert(_row).values(seq=_seq, prev=_prev, hash=func.sha256(_whole)).inline()),
    "postgresql": hot(
        select(
            func.audit_append(*(bindparam(name, type_=_row.c[name].type) for name in _ENTRY), _told).label("nothing")
        ),
        unread=True,
    ),
}
"""Made once, since every loan asks; of the table itself, since nobody looks at the row. Each seals as `policy.seal`."""


def append(session: Session, entries: Sequence[Entry]) -> None:
    """Chain these to the newest row and store them. Who appends waits for others who do: SQLite has one writer at a
    time, PostgreSQL's function a lock of its own."""
    rows = [_columns(one) for one in entries]
    session.execute(APPEND[kind_of(session)], rows if len(rows) > 1 else rows[0])  # one goes without preparations


def _columns(entry: Entry) -> dict[str, Any]:
    return entry._asdict() | {"told": entry.told}


def every(session: Session) -> Iterator[Sealed]:
    """The whole chain, oldest first, fetched a batch at a time; raises UnreadableRowError where a row is none."""
    last = 0
    try:
        for row in session.execute(IN_ORDER.execution_options(yield_per=BATCH)):
            yield _sealed(row)
            last = row.seq
    except UNREADABLE:  # it is told of a whole batch
        yield from _one_by_one(session, last)


def _one_by_one(session: Session, last: int) -> Iterator[Sealed]:
    for seq in session.scalars(select(AuditRow.seq).where(AuditRow.seq > last).order_by(AuditRow.seq)).all():
        try:
            row = session.execute(IN_ORDER.where(AuditRow.seq == seq)).one()
        except AWAY as error:
            if not _is_undecodable(error):
                raise
            raise UnreadableRowError(seq) from None
        except UNREADABLE:
            raise UnreadableRowError(seq) from None
        yield _sealed(row)


def _is_undecodable(error: Exception) -> bool:
    """SQLite tells of text that is not UTF-8 with the class of error that also means that it does not answer."""
    return "decode" in str(getattr(error, "orig", error))


def _sealed(row: Any) -> Sealed:
    return Sealed(row.seq, Entry(row.actor, row.action, row.target, row.at, row.detail), row.prev, row.hash)


def page(session: Session, wanted: Wanted, limit: int) -> list[Sealed]:
    """The newest rows that are wanted, newest first."""
    query = select(*COLUMNS).order_by(AuditRow.seq.desc()).limit(limit)
    if wanted.target and wanted.target.endswith(":"):
        query = query.where(AuditRow.target.startswith(wanted.target, autoescape=True))
    elif wanted.target:
        query = query.where(AuditRow.target == wanted.target)
    if wanted.actor:
        query = query.where(AuditRow.actor == wanted.actor)
    if wanted.action:
        query = query.where(AuditRow.action == wanted.action)
    if wanted.since:
        query = query.where(AuditRow.at >= wanted.since)
    if wanted.until:
        query = query.where(AuditRow.at < wanted.until)
    if wanted.before:
        query = query.where(AuditRow.seq < wanted.before)
    return [_sealed(row) for row in session.execute(query)]
