"""`/api/v1/patrons/me`. A patron's loans and standing are the circulation domain's."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter

from server.deps import Principal, ReadSession, Role, require
from server.patrons import service
from server.patrons.errors import UnknownCardError
from server.patrons.schemas import MeResponse

router = APIRouter(prefix="/api/v1/patrons", tags=["patrons"])


@router.get("/me")
def me(session: ReadSession, principal: Annotated[Principal, require(Role.READER)]) -> MeResponse:
    """The reader who is signed in."""
    patron = service.find(session, principal.card or "")
    if patron is None:
        raise UnknownCardError
    return MeResponse.model_validate(asdict(patron))
