"""All SQL of the catalogue domain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Row, and_, case, func, select, update
from sqlalchemy.orm import Session

from server.catalogue.models import ItemRow, RecordRow


def add(session: Session, row: RecordRow | ItemRow) -> None:
    """Store a new record or item."""
    session.add(row)
    session.flush()


def count_matches(session: Session, terms: Sequence[str]) -> int:
    """How many records contain all terms."""
    return session.scalar(select(func.count()).select_from(RecordRow).where(*_contains(terms))) or 0


def matches(session: Session, terms: Sequence[str], *, limit: int, offset: int) -> list[RecordRow]:
    """A page of the records that contain all terms: exact titles, then titles that begin so, then by title."""
    order: list[ColumnElement[int] | ColumnElement[str]] = []
    if terms:
        phrase = " ".join(terms)
        begins = RecordRow.title_key.startswith(phrase, autoescape=True)
        order.append(case((RecordRow.title_key == phrase, 0), (begins, 1), else_=2))
    query = select(RecordRow).where(*_contains(terms)).order_by(*order, RecordRow.title_key, RecordRow.id)
    return list(session.scalars(query.limit(limit).offset(offset)))


def get_record(session: Session, record_id: int) -> RecordRow | None:
    """By key."""
    return session.get(RecordRow, record_id)


def copies(session: Session, record_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Of each record: (items in circulation, items that can be borrowed now)."""
    free = and_(ItemRow.status == "in_stock", ItemRow.for_loan)
    query = (
        select(ItemRow.record_id, func.count(), func.sum(case((free, 1), else_=0)))
        .where(ItemRow.record_id.in_(record_ids), ItemRow.status.in_(("in_stock", "on_loan")))
        .group_by(ItemRow.record_id)
    )
    return {record_id: (total, int(available)) for record_id, total, available in session.execute(query)}


def items_of(session: Session, record_id: int) -> list[ItemRow]:
    """All items of a record, by barcode."""
    return list(session.scalars(select(ItemRow).where(ItemRow.record_id == record_id).order_by(ItemRow.barcode)))


def items_by(
    session: Session, column: str, values: Iterable[str | int], *, lock: bool = False
) -> Sequence[Row[ItemRow, RecordRow]]:
    """Items by `barcode` or `id` with their records; `lock` holds the items, always in barcode order."""
    key = ItemRow.barcode if column == "barcode" else ItemRow.id
    query = select(ItemRow, RecordRow).join(RecordRow, RecordRow.id == ItemRow.record_id)
    query = query.where(key.in_(sorted(set(values), key=str))).order_by(ItemRow.barcode)
    if lock:
        query = query.with_for_update(of=ItemRow).execution_options(populate_existing=True)
    return session.execute(query).all()


def all_items(session: Session) -> Sequence[Row[ItemRow, RecordRow]]:
    """Every item with its record, by barcode."""
    query = select(ItemRow, RecordRow).join(RecordRow, RecordRow.id == ItemRow.record_id)
    return session.execute(query.order_by(ItemRow.barcode)).all()


def set_status(session: Session, item_id: int, status: str) -> None:
    """Where the item is now."""
    session.execute(update(ItemRow).where(ItemRow.id == item_id).values(status=status))


def _contains(terms: Sequence[str]) -> list[ColumnElement[bool]]:
    return [RecordRow.search_text.contains(term, autoescape=True) for term in terms]
