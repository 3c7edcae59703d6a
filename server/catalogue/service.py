"""The catalogue: searching it, and knowing items by their barcodes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from server.catalogue import policy, repository
from server.catalogue.errors import UnknownItemError, UnknownRecordError
from server.catalogue.models import ItemRow, RecordRow

Status = Literal["in_stock", "on_loan", "missing", "withdrawn"]


@dataclass(frozen=True, slots=True)
class NewRecord:
    """The facts of a bibliographic record; `year` is as catalogued and may be a dynasty or a century."""

    title: str
    author: str = ""
    year: str = ""
    edition: str = ""
    language: str = ""
    isbn: str = ""
    class_number: str = ""
    call_number: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A record with the number of its items in circulation and of those that can be borrowed now."""

    id: int
    title: str
    author: str
    year: str
    edition: str
    language: str
    isbn: str
    class_number: str
    call_number: str
    items_total: int
    items_available: int


@dataclass(frozen=True, slots=True)
class Item:
    """An item with the title it is a copy of."""

    id: int
    barcode: str
    record_id: int
    title: str
    author: str
    location: str
    call_number: str
    status: str
    for_loan: bool


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a search."""

    total: int
    records: tuple[Record, ...]


def search(session: Session, query: str, *, limit: int, offset: int) -> Found:
    """Records whose title, author, ISBN or call number contain every word of the query; all of them for none."""
    terms = policy.terms_of(query)
    rows = repository.matches(session, terms, limit=limit, offset=offset)
    copies = repository.copies(session, [row.id for row in rows])
    return Found(
        total=repository.count_matches(session, terms),
        records=tuple(_record(row, *copies.get(row.id, (0, 0))) for row in rows),
    )


def get_record(session: Session, record_id: int) -> tuple[Record, tuple[Item, ...]]:
    """A record and its items; raises UnknownRecordError."""
    row = repository.get_record(session, record_id)
    if row is None:
        raise UnknownRecordError
    items = tuple(_item(item, row) for item in repository.items_of(session, record_id) if item.status != "withdrawn")
    total, available = repository.copies(session, [record_id]).get(record_id, (0, 0))
    return _record(row, total, available), items


def get_item(session: Session, barcode: str) -> Item:
    """An item by its barcode; raises UnknownItemError."""
    found = items_by_barcode(session, [barcode])
    if barcode not in found:
        raise UnknownItemError
    return found[barcode]


def items_by_barcode(session: Session, barcodes: Iterable[str], *, lock: bool = False) -> dict[str, Item]:
    """The known ones of these items; `lock` makes other transactions about them wait."""
    return {
        row.barcode: _item(row, record) for row, record in repository.items_by(session, "barcode", barcodes, lock=lock)
    }


def items_by_id(session: Session, ids: Iterable[int]) -> dict[int, Item]:
    """Items by key."""
    return {row.id: _item(row, record) for row, record in repository.items_by(session, "id", ids)}


def all_items(session: Session) -> tuple[Item, ...]:
    """Every item, by barcode."""
    return tuple(_item(row, record) for row, record in repository.all_items(session))


def set_status(session: Session, item_id: int, status: Status) -> None:
    """Record where an item is now; circulation calls this as loans begin and end."""
    repository.set_status(session, item_id, status)


def add_record(session: Session, new: NewRecord) -> int:
    """A new record's key."""
    row = RecordRow(
        title=new.title,
        author=new.author,
        year=new.year,
        edition=new.edition,
        language=new.language,
        isbn=new.isbn,
        class_number=new.class_number,
        call_number=new.call_number,
        title_key=policy.normalise(new.title)[:500],
        search_text=policy.index_text(new.title, new.author, new.isbn, new.call_number),
    )
    repository.add(session, row)
    return row.id


def add_item(
    session: Session, record_id: int, barcode: str, *, location: str, call_number: str, for_loan: bool = True
) -> int:
    """A new item's key; raises UnknownRecordError."""
    record = repository.get_record(session, record_id)
    if record is None:
        raise UnknownRecordError
    line = policy.index_text(call_number)
    if line and line not in record.search_text.split("\n"):
        record.search_text += f"\n{line}"
    row = ItemRow(record_id=record_id, barcode=barcode, location=location, call_number=call_number, for_loan=for_loan)
    repository.add(session, row)
    return row.id


def _record(row: RecordRow, total: int, available: int) -> Record:
    return Record(
        id=row.id,
        title=row.title,
        author=row.author,
        year=row.year,
        edition=row.edition,
        language=row.language,
        isbn=row.isbn,
        class_number=row.class_number,
        call_number=row.call_number,
        items_total=total,
        items_available=available,
    )


def _item(row: ItemRow, record: RecordRow) -> Item:
    return Item(
        id=row.id,
        barcode=row.barcode,
        record_id=row.record_id,
        title=record.title,
        author=record.author,
        location=row.location,
        call_number=row.call_number,
        status=row.status,
        for_loan=row.for_loan,
    )
