"""`/api/v1/records` and `/api/v1/items`: searching needs no sign-in."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query

from carrel.contracts.ids import ItemBarcode
from server.catalogue import service
from server.catalogue.errors import UnknownRecordError
from server.catalogue.schemas import ItemResponse, RecordDetailResponse, RecordPage, SearchQuery
from server.catalogue.service import Filters, Wanted
from server.deps import DESK, MACHINES, STAFF, Principal, ReadSession, public, require

router = APIRouter(prefix="/api/v1", tags=["catalogue"])

Key = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("/records")
def search(
    asked: Annotated[SearchQuery, Query()],
    session: ReadSession,
    _caller: Annotated[Principal | None, public()],
) -> RecordPage:
    """Find titles: those that hold every word, and where these are few, those that come near."""
    chosen = asked.model_dump(
        include={"kind", "language", "class_letter", "year_from", "year_to", "branch", "available"}
    )
    found = service.search(session, Wanted(asked.q, asked.limit, asked.offset, Filters(**chosen), facets=asked.facets))
    return RecordPage.model_validate(asdict(found) | {"limit": asked.limit, "offset": asked.offset})


@router.get("/records/{record_id}")
def record(record_id: Key, session: ReadSession, caller: Annotated[Principal | None, public()]) -> RecordDetailResponse:
    """One title with its items."""
    found, items = service.get_record(session, record_id)
    if found.suppressed and not (caller and caller.has(*STAFF)):
        raise UnknownRecordError
    return RecordDetailResponse.model_validate(asdict(found) | {"items": [item._asdict() for item in items]})


@router.get("/items/{barcode}")
def item(
    barcode: ItemBarcode, session: ReadSession, _principal: Annotated[Principal, require(*DESK, *MACHINES)]
) -> ItemResponse:
    """One item by its barcode."""
    return ItemResponse.model_validate(service.get_item(session, barcode)._asdict())
