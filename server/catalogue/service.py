"""The catalogue: searching it, and knowing items by their barcodes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Row, Select
from sqlalchemy.orm import Session

from server.catalogue import repository
from server.catalogue.errors import UnknownItemError, UnknownRecordError
from server.catalogue.isbn import isbn13
from server.catalogue.models import ItemRow, RecordRow
from server.catalogue.policy import Status
from server.catalogue.search.documents import index_records
from server.catalogue.search.service import BranchCopies, Facets, Filters, Wanted, find, titled
from server.catalogue.search.service import copies as copies_of

__all__ = ["BranchCopies", "Facets", "Filters", "Status", "Wanted", "titled"]


COPIES = frozenset({"on_shelf", "on_loan", "on_hold_shelf", "in_transit", "repair", "in_processing"})
"""States of what can still serve somebody who waits."""
AT_ONCE = 500
"""So many keys are asked for in one statement."""


@dataclass(frozen=True, slots=True)
class NewRecord:
    """The facts of a bibliographic record; `year` is as catalogued and may be a dynasty or a century.

    `title_alt` and `author_alt` are parallel, romanised and other forms by which it is found as well.
    """

    title: str
    author: str = ""
    year: str = ""
    edition: str = ""
    language: str = ""
    isbn: str = ""
    class_number: str = ""
    call_number: str = ""
    kind: str = "book"
    publisher: str = ""
    subjects: tuple[str, ...] = ()
    summary: str = ""
    title_alt: tuple[str, ...] = ()
    author_alt: tuple[str, ...] = ()
    control_number: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A record with the number of its items that are not gone and of those that can be borrowed now."""

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
    kind: str = "book"
    publisher: str = ""
    subjects: tuple[str, ...] = ()
    summary: str = ""
    title_alt: tuple[str, ...] = ()
    author_alt: tuple[str, ...] = ()
    suppressed: bool = False
    branches: tuple[BranchCopies, ...] = ()


@dataclass(frozen=True, slots=True)
class NewItem:
    """The facts of a new copy; `branch` owns it and has it. A copy that is not ready yet is `in_processing`."""

    barcode: str
    location: str = ""
    call_number: str = ""
    branch: str = ""
    type: str = "book"
    for_loan: bool = True
    price: Decimal | None = None
    tags: int = 1
    note: str = ""
    status: Status = "on_shelf"


class Item(NamedTuple):
    """An item with the title it is a copy of.

    `branch` owns it, `at_branch` is where it is, `transit_to` where it is being sent and `stays` whether it stays
    there until its next loan is over; `tags` is the number of its parts that carry a tag of their own.
    """

    id: int
    barcode: str
    record_id: int
    title: str
    author: str
    branch: str
    at_branch: str
    location: str
    call_number: str
    type: str
    status: str
    for_loan: bool
    price: Decimal | None
    tags: int
    transit_to: str | None
    note: str
    last_seen_at: datetime | None
    stays: bool = False


_PRICE = Item._fields.index("price")


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a search: the first `exact` of all `total` are as asked for, the others nearly so.

    `more` says that there are more than `total`; `exact_on_page` that so many of `records` are as asked for.
    """

    total: int
    exact: int
    records: tuple[Record, ...]
    exact_on_page: int
    more: bool = False
    near: bool = False
    facets: Facets | None = None


def search(session: Session, wanted: Wanted) -> Found:
    """Records that hold every term of a text, and near ones where these are few; all of them for no text."""
    listing = find(session, wanted)
    return Found(
        total=listing.total,
        exact=listing.exact,
        records=records_of(session, listing.ids),
        exact_on_page=max(0, listing.exact - wanted.offset),
        more=listing.more,
        near=listing.near,
        facets=listing.facets,
    )


def records_of(session: Session, ids: Sequence[int]) -> tuple[Record, ...]:
    """These records in this order."""
    rows = repository.records(session, ids)
    copies = copies_of(session, ids)
    return tuple(record_of(rows[id_], copies.get(id_, ())) for id_ in ids if id_ in rows)


def count_hidden(session: Session) -> int:
    """How many titles readers do not find."""
    return repository.count_hidden(session)


def hidden(session: Session, *, limit: int, offset: int) -> tuple[Record, ...]:
    """Some of them, the newest first."""
    return records_of(session, repository.hidden(session, limit=limit, offset=offset))


def get_record(session: Session, record_id: int) -> tuple[Record, tuple[Item, ...]]:
    """A record and those of its items that are not withdrawn; raises UnknownRecordError."""
    row = repository.get_record(session, record_id)
    if row is None:
        raise UnknownRecordError
    items = tuple(_item(found) for found in repository.items_of(session, record_id) if found.status != "withdrawn")
    return record_of(row, copies_of(session, [record_id]).get(record_id, ())), items


def get_item(session: Session, barcode: str) -> Item:
    """An item by its barcode; raises UnknownItemError."""
    found = items_by_barcode(session, [barcode])
    if barcode not in found:
        raise UnknownItemError
    return found[barcode]


def items_by_barcode(session: Session, barcodes: Iterable[str], *, lock: bool = False) -> dict[str, Item]:
    """The known ones of these items; `lock` makes other transactions about them wait."""
    return {row.barcode: _item(row) for row in repository.items_by(session, "barcode", barcodes, lock=lock)}


def items_by_id(session: Session, ids: Iterable[int], *, lock: bool = False) -> dict[int, Item]:
    """Items by key; `lock` makes other transactions about them wait."""
    return {row.id: _item(row) for row in repository.items_by(session, "id", ids, lock=lock)}


def items_of(session: Session, record_id: int) -> tuple[Item, ...]:
    """All items of a record, by barcode."""
    return tuple(_item(row) for row in repository.items_of(session, record_id))


def items_with_status(session: Session, status: Status) -> tuple[Item, ...]:
    """Every item in this state, by barcode."""
    return tuple(_item(row) for row in repository.items_with_status(session, status))


def all_items(session: Session) -> tuple[Item, ...]:
    """Every item, by barcode."""
    return tuple(_item(row) for row in repository.all_items(session))


def item_titles() -> Select[Any]:
    """(item_id, record_id) of every item, as a query that another domain can take into its own."""
    return repository.item_titles()


def unlent(
    session: Session, lent: Select[Any], *, before: datetime, branch: str | None, limit: int, offset: int = 0
) -> tuple[int, tuple[Item, ...]]:
    """How many items stand on the shelf and are not `lent` (a query of item_ids), and a part of them in shelf order.

    Only of titles that were catalogued before an instant: newer ones had no time to be lent.
    """
    total, rows = repository.unlent(session, lent, before=before, branch=branch, limit=limit, offset=offset)
    return total, tuple(_item(row) for row in rows)


def copies(session: Session, record_ids: Sequence[int]) -> dict[int, int]:
    """How many items that are for loan, and not gone, each record has."""
    found: dict[int, int] = {}
    for first in range(0, len(record_ids), AT_ONCE):
        found |= repository.copies(session, record_ids[first : first + AT_ONCE], COPIES)
    return found


def titles(session: Session, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Title and author of these records."""
    found: dict[int, tuple[str, str]] = {}
    for first in range(0, len(ids), AT_ONCE):
        found |= repository.titles(session, ids[first : first + AT_ONCE])
    return found


def set_status(
    session: Session, item_id: int, status: Status, *, at_branch: str | None = None, transit_to: str | None = None,
    stays: bool = False, seen_at: datetime | None = None,
) -> None:  # fmt: skip
    """Record what has become of an item and, if told, where it is; it is on no way unless `transit_to` says so.

    For circulation, whose own rules decide; `policy.next_status` tells what the life cycle allows. `seen_at` is when
    it was in the library's hands, if it was.
    """
    told = {"at_branch": at_branch, "last_seen_at": seen_at}
    known = {name: value for name, value in told.items() if value is not None}
    repository.change_item(session, item_id, status=status, transit_to=transit_to, stays=stays, **known)


def set_seen(session: Session, item_id: int, at: datetime) -> None:
    """Record that an item was in the library's hands."""
    repository.change_item(session, item_id, last_seen_at=at)


def place_item(  # each is told or not
    session: Session, item_id: int, at: datetime, *,
    branch: str | None = None, at_branch: str | None = None, location: str | None = None, note: str | None = None,
) -> None:  # fmt: skip
    """Record what a scan of the shelves tells of an item; None leaves a fact as it is."""
    told = {"branch": branch, "at_branch": at_branch, "location": location, "note": note}
    changed = {name: value for name, value in told.items() if value is not None}
    repository.change_item(session, item_id, last_seen_at=at, **changed)


def settle_branches(session: Session, branch: str) -> None:
    """Items from before there were branches belong to the library's own."""
    repository.settle_branches(session, branch)


def add_record(session: Session, new: NewRecord, *, at: datetime) -> int:
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
        kind=new.kind,
        publisher=new.publisher,
        subjects="\n".join(new.subjects),
        summary=new.summary,
        title_alt="\n".join(new.title_alt),
        author_alt="\n".join(new.author_alt),
        control_number=new.control_number,
        created_at=at,
        updated_at=at,
    )
    repository.add(session, row)
    repository.set_isbns(session, row.id, [isbn] if (isbn := isbn13(new.isbn)) else [])
    index_records(session, [row.id])
    return row.id


def add_item(session: Session, record_id: int, new: NewItem) -> int:
    """A new item's key; raises UnknownRecordError."""
    if repository.get_record(session, record_id) is None:
        raise UnknownRecordError
    row = ItemRow(
        record_id=record_id,
        barcode=new.barcode,
        location=new.location,
        call_number=new.call_number,
        branch=new.branch,
        at_branch=new.branch,
        type=new.type,
        for_loan=new.for_loan,
        price=minor_units(new.price),
        tags=new.tags,
        note=new.note,
        status=new.status,
    )
    repository.add(session, row)
    index_records(session, [record_id])
    return row.id


def minor_units(price: Decimal | None) -> int | None:
    """As tables hold money."""
    return None if price is None else int(price.scaleb(2).to_integral_value())


def record_of(row: RecordRow, branches: tuple[BranchCopies, ...]) -> Record:
    """A stored record as a value."""
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
        items_total=sum(branch.total for branch in branches),
        items_available=sum(branch.available for branch in branches),
        kind=row.kind,
        publisher=row.publisher,
        subjects=_lines(row.subjects),
        summary=row.summary,
        title_alt=_lines(row.title_alt),
        author_alt=_lines(row.author_alt),
        suppressed=row.suppressed,
        branches=branches,
    )


def _lines(text: str) -> tuple[str, ...]:
    return tuple(text.split("\n")) if text else ()


def _item(row: Row[Any]) -> Item:
    values = list(row)
    if row.price is not None:
        values[_PRICE] = Decimal(row.price).scaleb(-2)
    return Item(*values)
