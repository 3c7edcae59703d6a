"""`/api/v1/patrons/me`: what readers see and change themselves."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session

from server.deps import CoreDep, Principal, ReadSession, Role, WriteSession, require
from server.patrons import desk, privacy, service
from server.patrons.endpoints import holders_of, today_of
from server.patrons.errors import UnknownCardError
from server.patrons.schemas import ChildrenResponse, ChildResponse, MeChange, MeResponse

router = APIRouter(prefix="/api/v1/patrons/me", tags=["patrons"])

Reader = Annotated[Principal, require(Role.READER)]


@router.get("")
def me(session: ReadSession, core: CoreDep, reader: Reader) -> MeResponse:
    """The reader who is signed in."""
    return _told(session, core, reader)


@router.patch("")
def change(body: MeChange, session: WriteSession, *, core: CoreDep, reader: Reader) -> MeResponse:
    """Change language, contact and whether the library remembers what was read; what the body leaves out stays."""
    desk.edit(
        session, _id(reader), body.model_dump(exclude_unset=True),
        actor=reader.subject, at=core.clock.now(), today=today_of(core),
    )  # fmt: skip
    return _told(session, core, reader)


@router.get("/children")
def children(session: ReadSession, core: CoreDep, reader: Reader) -> ChildrenResponse:
    """The children whose loans the reader may see and renew: those under age whose guardian the reader is."""
    found = service.wards_of(session, _id(reader), today_of(core))
    return ChildrenResponse(
        children=[ChildResponse(card=one.card, name=one.name, born_on=one.born_on) for one in found]
    )


@router.post("/export")
def export(request: Request, session: WriteSession, *, core: CoreDep, reader: Reader) -> dict[str, Any]:
    """Everything the library holds about the reader."""
    return privacy.export(session, _id(reader), holders_of(request), actor=reader.subject, at=core.clock.now())


def _id(reader: Principal) -> int:
    if reader.patron_id is None:
        raise UnknownCardError
    return reader.patron_id


def _told(session: Session, core: CoreDep, reader: Principal) -> MeResponse:
    patron = service.find_by_id(session, _id(reader))
    if patron is None:
        raise UnknownCardError
    return MeResponse.model_validate(asdict(patron) | {"blocked": patron.blocked_at(core.clock.now())})
