"""`/api/v1/isbn/{isbn}`: what is known of an ISBN, and taking it into the catalogue."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel

from server.catalogue.editing.schemas import RecordCreated
from server.catalogue.lookup.service import Lookup
from server.deps import DESK, Core, CoreDep, Principal, WriteSession, require

router = APIRouter(prefix="/api/v1/isbn", tags=["catalogue"])

Desk = Annotated[Principal, require(*DESK)]
Isbn = Annotated[str, Path(pattern=r"^[0-9Xx-]{10,17}$", description="10 or 13 digits, hyphens allowed")]


class CandidateResponse(BaseModel):
    """A record. `source` is catalogue, pool or the name of another catalogue; `record_id` only at home."""

    source: str
    record_id: int | None
    title: str
    author: str
    year: str
    edition: str
    language: str
    publisher: str
    class_number: str
    call_number: str
    kind: str


class LookupResponse(BaseModel):
    """What the nearest place that knows the ISBN has; `silent` names other catalogues that gave no answer."""

    isbn: str
    candidates: list[CandidateResponse]
    silent: list[str]


@router.get("/{isbn}")
def look_up(isbn: Isbn, core: CoreDep, _principal: Desk) -> LookupResponse:
    """Look at home, then in the pool of records kept aside, then ask other catalogues in the order configured."""
    answer = _lookup(core).find(isbn)
    told = [
        CandidateResponse(source=one.source, record_id=one.record_id, **_shown(one.columns))
        for one in answer.candidates
    ]
    return LookupResponse(isbn=answer.isbn, candidates=told, silent=list(answer.silent))


@router.post("/{isbn}/adopt", status_code=201)
def adopt(isbn: Isbn, core: CoreDep, session: WriteSession, principal: Desk) -> RecordCreated:
    """Take the record that a lookup has shown into the catalogue; its copies are added afterwards."""
    return RecordCreated(id=_lookup(core).adopt(session, isbn, actor=principal.subject))


def _lookup(core: Core) -> Lookup:
    return Lookup(core.database, core.clock, core.settings.server.catalogue)


def _shown(columns: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in columns.items() if name in CandidateResponse.model_fields}
