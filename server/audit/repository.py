"""All SQL of the audit log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Text, bindparam, func, insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from server.audit.models import AuditRow
from server.audit.values import Entry, Head, Sealed, UnreadableRowError, Wanted
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

_row = AuditRow.__table__
END = hot(select(_row.c.seq, _row.c.hash).order_by(_row.c.seq.desc()).limit(1))
APPEND = hot(insert(_row))  # type: ignore[arg-type]  # a mapped class's table is one that can be inserted into
"""Made once, since every loan asks; the Core table, since nobody looks at the row."""
_ENTRY = ("at", "actor", "action", "target", "detail")
_given = [*(bindparam(name, type_=_row.c[name].type) for name in _ENTRY), bindparam("told", type_=Text)]
APPEND_THERE = hot(select(func.audit_append(*_given).label("nothing")))


def seals_itself(session: Session) -> bool:
    """Whether `append_unsealed` does what `end`, `policy.seal` and `append` do, in one exchange."""
    return kind_of(session) == "postgresql"


def append_unsealed(session: Session, entries: Sequence[Entry]) -> None:
    """Wait for others who append, chain these to the end and store them."""
    session.execute(APPEND_THERE, _one_or_many([_columns(one) | {"told": one.told} for one in entries]))


def end(session: Session) -> Head:
    """The newest row. SQLite's writers queue anyway: nobody else appends until the transaction ends."""
    row = session.execute(END).first()
    return Head(row.seq, row.hash) if row else Head()


def append(session: Session, rows: Sequence[Sealed]) -> None:
    """Store them in one statement."""
    columns = [{"seq": row.seq, "prev": row.prev, "hash": row.hash} | _columns(row.entry) for row in rows]
    session.execute(APPEND, _one_or_many(columns))


def _columns(entry: Entry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in _ENTRY}


def _one_or_many(rows: list[dict[str, Any]]) -> Any:
    """One alone goes without a list's preparations."""
    return rows if len(rows) > 1 else rows[0]


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
