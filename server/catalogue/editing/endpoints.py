"""`/api/v1/records` and `/api/v1/items` for those who write them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from fastapi.responses import PlainTextResponse

from carrel.contracts.ids import ItemBarcode
from server.catalogue import service as catalogue
from server.catalogue.editing import service
from server.catalogue.editing.schemas import (
    ActionBody,
    ItemBody,
    ItemChanges,
    RecordBody,
    RecordChanges,
    RecordCreated,
)
from server.catalogue.errors import BadIsbnError
from server.catalogue.imports.exporting import marc_text
from server.catalogue.isbn import isbn13
from server.catalogue.policy import Trigger
from server.catalogue.schemas import ItemResponse, RecordDetailResponse
from server.catalogue.service import NewItem, NewRecord
from server.deps import DESK, Core, CoreDep, Principal, ReadSession, WriteSession, require
from server.lending import service as lending

router = APIRouter(prefix="/api/v1", tags=["catalogue"])

Desk = Annotated[Principal, require(*DESK)]
Key = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.post("/records", status_code=201)
def create_record(
    body: RecordBody, response: Response, session: WriteSession, core: CoreDep, *, principal: Desk
) -> RecordCreated:
    """Catalogue a title by hand."""
    values = body.model_dump()
    values["isbn"] = _isbn(body.isbn)
    record_id = service.create_record(session, NewRecord(**values), _by(core, principal))
    response.headers["Location"] = f"{router.prefix}/records/{record_id}"
    return RecordCreated(id=record_id)


@router.patch("/records/{record_id}")
def update_record(
    record_id: Key, body: RecordChanges, session: WriteSession, core: CoreDep, *, principal: Desk
) -> RecordDetailResponse:
    """Correct a title. Imports leave alone what was corrected by hand."""
    changes = {name: value for name, value in body.model_dump(exclude_unset=True).items() if value is not None}
    if "isbn" in changes:
        changes["isbn"] = _isbn(changes["isbn"])
    service.update_record(session, record_id, changes, _by(core, principal))
    found, items = catalogue.get_record(session, record_id)
    return RecordDetailResponse.model_validate(asdict(found) | {"items": [item._asdict() for item in items]})


@router.get("/records/{record_id}/marc", response_class=PlainTextResponse)
def marc(record_id: Key, session: ReadSession, _principal: Desk) -> PlainTextResponse:
    """The whole record, a field a line."""
    return PlainTextResponse(marc_text(session, record_id))


@router.post("/records/{record_id}/items", status_code=201)
def create_item(
    record_id: Key, body: ItemBody, session: WriteSession, core: CoreDep, *, principal: Desk
) -> ItemResponse:
    """Add a copy."""
    values = body.model_dump(exclude={"ready", "branch", "call_number"})
    title, _ = catalogue.get_record(session, record_id)
    own = core.settings.common.library.branch
    lending.check_branch(lending.current(session), body.branch, own=own)
    new = NewItem(
        **values,
        branch=body.branch or own,
        call_number=title.call_number if body.call_number is None else body.call_number,
        status="on_shelf" if body.ready else "in_processing",
    )
    return _told(service.create_item(session, record_id, new, _by(core, principal)))


@router.patch("/items/{barcode}")
def update_item(
    barcode: ItemBarcode, body: ItemChanges, session: WriteSession, core: CoreDep, *, principal: Desk
) -> ItemResponse:
    """Correct a copy, also its barcode when a new label was put on."""
    changes: dict[str, Any] = {
        name: value
        for name, value in body.model_dump(exclude_unset=True).items()
        if value is not None or name == "price"
    }
    if "branch" in changes and changes["branch"] != catalogue.get_item(session, barcode).branch:
        lending.check_branch(lending.current(session), changes["branch"], own=core.settings.common.library.branch)
    return _told(service.update_item(session, barcode, changes, _by(core, principal)))


@router.post("/items/{barcode}/actions")
def act(
    barcode: ItemBarcode, body: ActionBody, session: WriteSession, core: CoreDep, *, principal: Desk
) -> ItemResponse:
    """What happens to a copy apart from lending: missing, found, to repair, ready, withdrawn, sent to
    another branch. Lost is said at the desk, since fees follow."""
    by = _by(core, principal)
    if body.branch is None:
        return _told(service.move_item(session, barcode, Trigger(body.action), by, note=body.note))
    lending.check_branch(lending.current(session), body.branch, own=core.settings.common.library.branch)
    return _told(service.send_item(session, barcode, body.branch, by, note=body.note))


def _by(core: Core, principal: Principal) -> service.By:
    return service.By(principal.subject, core.clock.now())


def _isbn(text: str) -> str:
    """As typed, if it is one; raises BadIsbnError."""
    if text.strip() and isbn13(text) is None:
        raise BadIsbnError
    return text.strip()


def _told(item: catalogue.Item) -> ItemResponse:
    return ItemResponse.model_validate(item._asdict())
