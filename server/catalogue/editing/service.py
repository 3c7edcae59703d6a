"""Titles and copies as cataloguers write them. Every change is in the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from server.audit import service as audit
from server.catalogue import repository, service
from server.catalogue.errors import (
    BarcodeIsCardError,
    BarcodeTakenError,
    ItemInUseError,
    ItemStateError,
    UnknownItemError,
    UnknownRecordError,
)
from server.catalogue.isbn import isbn13
from server.catalogue.models import ItemRow, RecordRow
from server.catalogue.policy import Status, Trigger, next_status
from server.catalogue.search.documents import index_records
from server.catalogue.service import Item, NewItem, NewRecord
from server.holds import service as holds
from server.patrons import service as patrons

LISTS = ("subjects", "title_alt", "author_alt")
LENDINGS = ("on_loan", "on_hold_shelf")
"""States in which somebody waits for the copy or has it."""


@dataclass(frozen=True, slots=True)
class By:
    """Who does it, and when."""

    actor: str
    at: datetime


def create_record(session: Session, new: NewRecord, by: By) -> int:
    """A title catalogued by hand; its key."""
    record_id = service.add_record(session, new, at=by.at)
    _audit(session, by, "catalogue.record_create", target=f"record:{record_id}", detail={"title": new.title[:200]})
    return record_id


def update_record(session: Session, record_id: int, changes: Mapping[str, Any], by: By) -> None:
    """Correct a title; imports leave alone what was corrected. Raises UnknownRecordError."""
    row = _record(session, record_id)
    values = {name: "\n".join(value) if name in LISTS else value for name, value in changes.items()}
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    if not changed:
        return
    for name, value in changed.items():
        setattr(row, name, value)
    texts = {name for name in changed if name != "suppressed"}
    row.edited = " ".join(sorted({*row.edited.split(), *texts}))
    row.updated_at = by.at
    session.flush()
    if "isbn" in changed:
        isbn = isbn13(row.isbn)
        repository.set_isbns(session, record_id, [isbn] if isbn else [])
    index_records(session, [record_id])
    _audit(session, by, "catalogue.record_update", target=f"record:{record_id}", detail={"columns": sorted(changed)})


def create_item(session: Session, record_id: int, new: NewItem, by: By) -> Item:
    """A copy; takes its record out of the pool. Raises UnknownRecordError, BarcodeTakenError, BarcodeIsCardError."""
    _take_up(_record(session, record_id))
    _check_no_card(session, new.barcode)
    try:
        with session.begin_nested():
            item_id = service.add_item(session, record_id, new)
    except IntegrityError:
        raise BarcodeTakenError(barcode=new.barcode) from None
    detail = {"record": record_id, "barcode": new.barcode}
    _audit(session, by, "catalogue.item_create", target=f"item:{item_id}", detail=detail)
    return service.get_item(session, new.barcode)


def update_item(session: Session, barcode: str, changes: Mapping[str, Any], by: By) -> Item:
    """Correct a copy; `barcode` among the changes is its new one, `record_id` the title that it is a copy of. Raises
    UnknownItemError, BarcodeTakenError, BarcodeIsCardError, UnknownRecordError, ItemInUseError."""
    row = _row(session, barcode)
    values, home = dict(changes), row.record_id
    if "price" in values:
        values["price"] = service.minor_units(values["price"])
    before = {name: getattr(row, name) for name in values}
    changed = {name: value for name, value in values.items() if before[name] != value}
    if "barcode" in changed:
        _check_no_card(session, changed["barcode"])
    if "record_id" in changed:
        _check_free(session, row)
        _take_up(_record(session, changed["record_id"]))
    if changed:
        try:
            with session.begin_nested():
                repository.change_item(session, row.id, **changed)
        except IntegrityError:
            raise BarcodeTakenError(barcode=str(changed.get("barcode", barcode))) from None
        index_records(session, {home, changed.get("record_id", home)})
        detail = {name.removesuffix("_id"): [_told(before[name]), _told(value)] for name, value in changed.items()}
        _audit(session, by, "catalogue.item_update", target=f"item:{row.id}", detail=detail)
    return service.get_item(session, str(changed.get("barcode", barcode)))


def move_item(session: Session, barcode: str, trigger: Trigger, by: By, *, note: str | None = None) -> Item:
    """What happens to a copy apart from lending; who it was on its way to waits again. Raises UnknownItemError,
    ItemInUseError, ItemStateError."""
    row = _row(session, barcode)
    wanted = _next(row, trigger)
    detail = {"from": row.status, "to": wanted}
    service.set_status(session, row.id, wanted)
    holds.take_back(session, row.id)
    if trigger in (Trigger.FOUND, Trigger.READY):
        service.set_seen(session, row.id, by.at)
    if note is not None:
        repository.change_item(session, row.id, note=note)
    _audit(session, by, f"catalogue.item_{trigger.value}", target=f"item:{row.id}", detail=detail)
    return service.get_item(session, barcode)


def send_item(
    session: Session, barcode: str, branch: str, by: By, *, here: str | None = None, note: str | None = None
) -> Item:
    """Put a copy on its way to another branch, where it stays until it comes back from its next loan; a copy that is to
    belong there is given the branch. What was lost comes over the desk first, since fees follow. Raises
    UnknownItemError, ItemInUseError, ItemStateError."""
    row = _row(session, barcode)
    wanted = _next(row, Trigger.SEND)
    if row.status == "lost" or (row.status == "on_shelf" and (here or row.at_branch) == branch):
        raise ItemStateError(status=row.status, action=Trigger.SEND.value)
    detail = {"from": row.status, "to": wanted, "branch": branch}
    service.set_status(session, row.id, wanted, at_branch=here, transit_to=branch, stays=True)
    holds.take_back(session, row.id)
    if note is not None:
        repository.change_item(session, row.id, note=note)
    _audit(session, by, "catalogue.item_send", target=f"item:{row.id}", detail=detail)
    return service.get_item(session, barcode)


def _next(row: ItemRow, trigger: Trigger) -> Status:
    if row.status in LENDINGS:
        raise ItemInUseError(status=row.status)
    wanted = next_status(row.status, trigger)
    if wanted is None:
        raise ItemStateError(status=row.status, action=trigger.value)
    return wanted


def _row(session: Session, barcode: str) -> ItemRow:
    row = repository.item_row(session, barcode)
    if row is None:
        raise UnknownItemError
    return row


def _record(session: Session, record_id: int) -> RecordRow:
    row = repository.record_row(session, record_id)
    if row is None:
        raise UnknownRecordError
    return row


def _take_up(row: RecordRow) -> None:
    """Out of the pool, since the library has a copy."""
    if row.pool:
        row.pool = row.suppressed = False


def _check_free(session: Session, row: ItemRow) -> None:
    """That nobody has the copy, waits for it by itself or is brought it: their loan or hold is of its title."""
    queue = holds.queues(session, [row.record_id])[row.record_id]
    if row.status in LENDINGS or any(row.id in (hold.item_id, hold.filled_item_id) for hold in queue):
        raise ItemInUseError(status=row.status)


def _check_no_card(session: Session, barcode: str) -> None:
    if patrons.cards_among(session, [barcode]):
        raise BarcodeIsCardError(barcode=barcode)


def _told(value: object) -> Any:
    return str(value) if isinstance(value, Decimal) else value


def _audit(session: Session, by: By, action: str, *, target: str, detail: Mapping[str, Any]) -> None:
    audit.record(session, actor=by.actor, action=action, target=target, at=by.at, detail=detail)
