"""`/api/v1/records` and `/api/v1/items`: searching needs no sign-in."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query

from carrel.contracts.ids import ItemBarcode
from server.catalogue import service
from server.catalogue.schemas import ItemResponse, RecordDetailResponse, RecordPage
from server.deps import DESK, MACHINES, Principal, ReadSession, public, require

router = APIRouter(prefix="/api/v1", tags=["catalogue"])

Limit = Annotated[int, Query(ge=1, le=100)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]
Key = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("/records")
def search(
    q: Annotated[str, Query(max_length=400, description="words of the title, author, ISBN or call number")] = "",
    limit: Limit = 20,
    offset: Offset = 0,
    *,
    session: ReadSession,
    _caller: Annotated[Principal | None, public()],
) -> RecordPage:
    """Find titles."""
    found = service.search(session, q, limit=limit, offset=offset)
    return RecordPage.model_validate(
        {"total": found.total, "limit": limit, "offset": offset, "records": [asdict(r) for r in found.records]}
    )


@router.get("/records/{record_id}")
def record(
    record_id: Key, session: ReadSession, _caller: Annotated[Principal | None, public()]
) -> RecordDetailResponse:
    """One title with its items."""
    found, items = service.get_record(session, record_id)
    return RecordDetailResponse.model_validate(asdict(found) | {"items": [asdict(item) for item in items]})


@router.get("/items/{barcode}")
def item(
    barcode: ItemBarcode, session: ReadSession, _principal: Annotated[Principal, require(*DESK, *MACHINES)]
) -> ItemResponse:
    """One item by its barcode."""
    return ItemResponse.model_validate(asdict(service.get_item(session, barcode)))
