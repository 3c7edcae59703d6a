"""All SQL of the catalogue domain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, Select, Table, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from server.catalogue.models import HIDDEN, ItemRow, RecordIsbnRow, RecordRow
from server.db.transaction import hot


def add(session: Session, row: RecordRow | ItemRow) -> None:
    """Store a new record or item."""
    session.add(row)
    session.flush()


def record_row(session: Session, record_id: int) -> RecordRow | None:
    """A record to be changed; held against other transactions until the end of this one."""
    return session.scalars(select(RecordRow).where(RecordRow.id == record_id).with_for_update()).one_or_none()


def records(session: Session, ids: Sequence[int]) -> dict[int, RecordRow]:
    """By key."""
    return {row.id: row for row in session.scalars(select(RecordRow).where(RecordRow.id.in_(ids)))}


def count_hidden(session: Session) -> int:
    """How many titles readers do not find."""
    return session.scalar(select(func.count()).select_from(RecordRow).where(HIDDEN)) or 0


def hidden(session: Session, *, limit: int, offset: int) -> Sequence[int]:
    """Some of them, the newest first."""
    query = select(RecordRow.id).where(HIDDEN).order_by(RecordRow.id.desc()).limit(limit).offset(offset)
    return session.scalars(query).all()


def set_isbns(session: Session, record_id: int, isbns: Sequence[str]) -> None:
    """All ISBNs of a record, in 13 digits."""
    session.execute(delete(RecordIsbnRow).where(RecordIsbnRow.record_id == record_id))
    if isbns:
        session.execute(insert(RecordIsbnRow), [{"isbn": isbn, "record_id": record_id} for isbn in isbns])


def get_record(session: Session, record_id: int) -> RecordRow | None:
    """By key."""
    return session.get(RecordRow, record_id)


_ITEM = (
    ItemRow.id, ItemRow.barcode, ItemRow.record_id, RecordRow.title, RecordRow.author, ItemRow.branch,
    ItemRow.at_branch, ItemRow.location, ItemRow.call_number, ItemRow.type, ItemRow.status, ItemRow.for_loan,
    ItemRow.price, ItemRow.tags, ItemRow.transit_to, ItemRow.note, ItemRow.last_seen_at,
    ItemRow.stays,
)  # fmt: skip
"""In the order of the service's Item."""


def items_of(session: Session, record_id: int) -> Sequence[Row[Any]]:
    """All items of a record, by barcode."""
    return session.execute(_items().where(ItemRow.record_id == record_id)).all()


def items_by(session: Session, column: str, values: Iterable[str | int], *, lock: bool = False) -> Sequence[Row[Any]]:
    """Items by `barcode` or `id`; `lock` holds the items, always in barcode order."""
    wanted = sorted(set(values), key=str)
    if len(wanted) == 1:
        return session.execute(_ITEM_BY[column, lock], {"value": wanted[0]}).all()
    return session.execute(_ITEMS_BY[column, lock], {"values": wanted}).all()


def items_with_status(session: Session, status: str) -> Sequence[Row[Any]]:
    """Every item in this state, by barcode."""
    return session.execute(_items().where(ItemRow.status == status)).all()


def all_items(session: Session) -> Sequence[Row[Any]]:
    """Every item, by barcode."""
    return session.execute(_items()).all()


def item_titles() -> Select[Any]:
    """(item_id, record_id) of every item, as a part of another domain's query."""
    return select(_T.c.id.label("item_id"), _T.c.record_id)


def unlent(
    session: Session, lent: Select[Any], *, before: datetime, branch: str | None, limit: int, offset: int
) -> tuple[int, Sequence[Row[Any]]]:
    """How many items on the shelf for loan, of titles known before an instant, `lent` does not name; a part of them."""
    named = lent.subquery()
    there = select(named.c.item_id).where(named.c.item_id == ItemRow.id).exists()
    dead = [ItemRow.for_loan, ItemRow.status == "on_shelf", RecordRow.created_at < before, ~there]
    dead += [] if branch is None else [ItemRow.branch == branch]
    part = _items().where(*dead).order_by(None).order_by(ItemRow.branch, ItemRow.call_number, ItemRow.barcode)
    count = select(func.count()).select_from(ItemRow).join(RecordRow, RecordRow.id == ItemRow.record_id).where(*dead)
    return session.scalar(count) or 0, session.execute(part.limit(limit).offset(offset)).all()


def titles(session: Session, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Title and author by key."""
    rows = session.execute(select(_R.c.id, _R.c.title, _R.c.author).where(_R.c.id.in_(ids)))
    return {row.id: (row.title, row.author) for row in rows}


def copies(session: Session, record_ids: Sequence[int], statuses: Iterable[str]) -> dict[int, int]:
    """How many items for loan in one of these states each record has."""
    query = select(_T.c.record_id, func.count().label("copies")).where(
        _T.c.record_id.in_(record_ids), _T.c.for_loan, _T.c.status.in_(sorted(statuses))
    )  # fmt: skip
    return {row.record_id: row.copies for row in session.execute(query.group_by(_T.c.record_id))}


def item_row(session: Session, barcode: str) -> ItemRow | None:
    """An item to be changed; held against other transactions until the end of this one."""
    return session.scalars(select(ItemRow).where(ItemRow.barcode == barcode).with_for_update()).one_or_none()


def change_item(session: Session, item_id: int, **values: Any) -> None:
    """Set columns of an item."""
    session.execute(_CHANGE, {"changed": item_id, **values})


def settle_branches(session: Session, branch: str) -> None:
    """Items of before there were branches belong to this one."""
    session.execute(update(ItemRow).where(ItemRow.branch == "").values(branch=branch, at_branch=branch))


def _items() -> Select[Any]:
    columns: Any = select(*_ITEM)
    query: Select[Any] = columns.join(RecordRow, RecordRow.id == ItemRow.record_id)
    return query.order_by(ItemRow.barcode)


_T, _R = cast(Table, ItemRow.__table__), cast(Table, RecordRow.__table__)
"""The tables themselves: statements on them do without the work that mapped rows need."""


def _items_by(condition: ColumnElement[bool], *, lock: bool) -> Select[Any]:
    columns = [_R.c[c.key] if c.class_ is RecordRow else _T.c[c.key] for c in _ITEM]
    query = select(*columns).join(_R, _R.c.id == _T.c.record_id).where(condition).order_by(_T.c.barcode)
    return query.with_for_update(of=_T) if lock else query


_KEYS = [(column, lock) for column in ("barcode", "id") for lock in (False, True)]
_ITEM_BY = {(key, lock): hot(_items_by(_T.c[key] == bindparam("value"), lock=lock)) for key, lock in _KEYS}
_ITEMS_BY = {
    (key, lock): _items_by(_T.c[key].in_(bindparam("values", expanding=True)), lock=lock) for key, lock in _KEYS
}
_CHANGE = hot(update(_T).where(_T.c.id == bindparam("changed")))
"""Made once: putting a statement together takes longer than carrying it out."""
