"""All SQL of the circulation domain. Loans are read as values: a counter reads many and changes few."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    false,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from server.circulation.loan import Loan, Renewal
from server.circulation.models import LoanRow, RenewalRow, ReplayedRow
from server.db.transaction import hot, kind_of
from server.holds import service as holds
from server.lending import service as lending
from server.lending.policy import Lending

_T, _N = cast(Table, LoanRow.__table__), cast(Table, RenewalRow.__table__)
"""The tables themselves: statements on them do without the work that mapped rows need."""
_BY_DUE = attrgetter("due_at", "id")
_LOAN = [_T.c[name] for name in Loan._fields]
_TERMS = ("fee_per_open_day", "grace_open_days", "grace_deducted", "fee_cap")
_OPEN = _T.c.checked_in_at.is_(None)


Among = Callable[[ColumnElement[Any], str], ColumnElement[bool]]


def _open(among: Among) -> Select[Any]:
    """Open loans, each with what stands for the rules by which a desk decides, and whether anybody waits for one of
    the titles; one row without a loan if none is."""
    wanted = and_(_OPEN, or_(among(_T.c.item_id, "items"), among(_T.c.patron_id, "patrons")))
    waited_for = holds.waited_for(lambda record_id: among(record_id, "records"))
    always = select(literal_column("1")).subquery()
    columns = (lending.TOKEN.label("token"), waited_for.label("waited_for"), *_LOAN)
    return select(*columns).select_from(always.outerjoin(_T, wanted))


_OF_ONE = hot(_open(lambda column, name: column == bindparam(name)))
_OF_MANY = _open(lambda column, name: column.in_(bindparam(name, expanding=True)))
_INSERTS: dict[str, Callable[..., Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
"""Both databases know ON CONFLICT, each through its own class."""
_LEND = {
    dialect: hot(made(_T).on_conflict_do_nothing().returning(_T.c.id))
    for dialect, made in _INSERTS.items()
}  # fmt: skip
_CLAIM = {
    dialect: made(ReplayedRow.__table__).on_conflict_do_nothing().returning(ReplayedRow.id)
    for dialect, made in _INSERTS.items()
}  # fmt: skip
_CHANGE = hot(update(_T).where(_T.c.id == bindparam("changed")))
_OF_ITEM = select(*_LOAN).where(_T.c.item_id == bindparam("item")).order_by(_T.c.checked_out_at.desc())


def open_loans(session: Session, *, patron_ids: Collection[int] = (), item_ids: Collection[int] = ()) -> list[Loan]:
    """Open loans of these patrons and of these items, due soonest first. Whoever changes one holds its item's lock."""
    if not patron_ids and not item_ids:
        return []
    return _loans(_open_rows(session, {"patrons": patron_ids, "items": item_ids, "records": ()}))


def open_loans_and_more(
    session: Session, patron_ids: Collection[int], item_ids: Collection[int], record_ids: Collection[int]
) -> tuple[list[Loan], Lending, bool]:  # fmt: skip
    """The same, by what the library lends now, and whether anybody waits for these titles, in one question."""
    rows = _open_rows(session, {"patrons": patron_ids, "items": item_ids, "records": record_ids})
    return _loans(rows), lending.by_token(session, rows[0].token), rows[0].waited_for


def history(session: Session, item_id: int, *, limit: int = 20) -> list[Loan]:
    """An item's last loans, newest first."""
    return _read(session, _OF_ITEM.limit(limit), {"item": item_id})


def past_loans(session: Session, patron_id: int) -> list[Loan]:
    """What a patron has given back, as far as it is still known, newest first."""
    query = select(*_LOAN).where(_T.c.patron_id == patron_id, _T.c.checked_in_at.is_not(None))
    return _read(session, query.order_by(_T.c.checked_in_at.desc()))


def get(session: Session, loan_id: int) -> Loan | None:
    """By key."""
    return next(iter(_read(session, select(*_LOAN).where(_T.c.id == loan_id))), None)


def add_loan(session: Session, values: dict[str, Any]) -> int | None:
    """A new loan's key; None when the database says that the item has an open one."""
    return session.execute(_LEND[kind_of(session)], values).scalar_one_or_none()


def change(session: Session, loan_id: int, **values: Any) -> None:
    """New values for some columns."""
    session.execute(_CHANGE, {"changed": loan_id, **values})


def add_renewal(session: Session, loan: Loan, at: datetime) -> None:
    """Which renewal of a loan this was, when, and what had been promised until then."""
    before = {name: getattr(loan, name) for name in _TERMS}
    values = {"loan_id": loan.id, "number": loan.renewals + 1, "at": at, "due_before": loan.due_at}
    session.execute(insert(_N).values(values | before))


def last_renewal(session: Session, loan_id: int) -> Renewal | None:
    """The newest renewal of a loan."""
    query = select(_N.c.at, _N.c.due_before, *(_N.c[name] for name in _TERMS)).where(_N.c.loan_id == loan_id)
    row = session.execute(query.order_by(_N.c.number.desc()).limit(1)).first()
    return Renewal(row.at, row.due_before, {name: row._mapping[name] for name in _TERMS}) if row else None


def remove_renewal(session: Session, loan: Loan) -> None:
    """As if the newest renewal had never been."""
    session.execute(delete(_N).where(_N.c.loan_id == loan.id, _N.c.number == loan.renewals))


def remove(session: Session, loan_id: int) -> None:
    """As if it had never been."""
    session.execute(delete(_T).where(_T.c.id == loan_id))


def long_overdue(session: Session, before: datetime) -> list[Loan]:
    """Open loans that were due before an instant."""
    return _read(session, select(*_LOAN).where(_OPEN, _T.c.due_at < before).order_by(_T.c.id))


def due_between(session: Session, start: datetime, end: datetime, *, after: int, limit: int) -> list[Loan]:
    """Open loans that are due within a span, beginning after a key."""
    within = (_OPEN, _T.c.due_at >= start, _T.c.due_at < end, _T.c.id > after)
    return _read(session, select(*_LOAN).where(*within).order_by(_T.c.id).limit(limit))


def to_forget(session: Session, before: datetime, lost_before: datetime, *, after: int, limit: int) -> list[Loan]:
    """Ended loans whose patron need not be known any longer, beginning after a key."""
    old = or_(
        and_(_T.c.checked_in_at < before, _T.c.ended != "lost"),
        and_(_T.c.checked_in_at < lost_before, _T.c.ended == "lost"),
    )
    query = select(*_LOAN).where(_T.c.patron_id.is_not(None), _T.c.id > after, old)
    return _read(session, query.order_by(_T.c.id).limit(limit))


def forget(session: Session, loan_ids: Iterable[int]) -> None:
    """Drop who had these loans."""
    session.execute(update(_T).where(_T.c.id.in_(sorted(loan_ids))).values(patron_id=None))


def claim_row(session: Session, values: dict[str, Any]) -> bool:
    """Take a row of an offline journal; waits for another transaction that has it. False when it has been replayed."""
    return session.execute(_CLAIM[kind_of(session)], values).first() is not None


def replayed(session: Session, kiosk: str, counter: int | None, request_id: str) -> tuple[str, str]:
    """The row that has this request's id, else this number: its own id, and what it was answered, as JSON."""
    by_id = ReplayedRow.request_id == request_id
    same = or_(by_id, false() if counter is None else ReplayedRow.counter == counter)
    query = select(ReplayedRow.request_id, ReplayedRow.answer).where(ReplayedRow.kiosk == kiosk, same)
    row = session.execute(query.order_by(by_id.desc())).first()
    return (row.request_id, row.answer) if row else (request_id, "")


def store_row(session: Session, kiosk: str, request_id: str, answer: str) -> None:
    """What a claimed row is answered."""
    mine = (ReplayedRow.kiosk == kiosk, ReplayedRow.request_id == request_id)
    session.execute(update(ReplayedRow).where(*mine).values(answer=answer))


def forget_rows(session: Session, before: datetime) -> None:
    """Empty the answers of rows that came long ago; that they came is kept."""
    old = (ReplayedRow.received_at < before, ReplayedRow.answer != "")
    session.execute(update(ReplayedRow).where(*old).values(answer=""))


def add_ended(session: Session, values: dict[str, Any]) -> int:
    """A loan that was over when it became known; its key."""
    loan_id: int = session.execute(insert(_T).values(**values).returning(_T.c.id)).scalar_one()
    return loan_id


def _read(session: Session, query: Select[Any], parameters: dict[str, Any] | None = None) -> list[Loan]:
    return [Loan(*row) for row in session.execute(query, parameters)]


def _open_rows(session: Session, keys: Mapping[str, Collection[int]]) -> Sequence[Any]:
    if any(len(some) > 1 for some in keys.values()):
        return session.execute(_OF_MANY, {name: sorted(some) for name, some in keys.items()}).all()
    return session.execute(_OF_ONE, {name: next(iter(some), None) for name, some in keys.items()}).all()


def _loans(rows: Sequence[Any]) -> list[Loan]:
    return sorted((Loan(*row[2:]) for row in rows if row.id is not None), key=_BY_DUE)
