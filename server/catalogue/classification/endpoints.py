"""`/api/v1/classes`: browsing by class, and the library's own table of finer classes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Body, Query
from pydantic import BaseModel

from server.catalogue.classification import service
from server.deps import DESK, CoreDep, Principal, ReadSession, WriteSession, public, require

router = APIRouter(prefix="/api/v1", tags=["catalogue"])


class ClassResponse(BaseModel):
    """A class; `titles` are those in it and in finer ones, `finer` says that there are such."""

    code: str
    caption_zh: str
    caption_en: str
    titles: int
    finer: bool


class ClassesResponse(BaseModel):
    """The classes right below `under`, in order."""

    under: str
    classes: list[ClassResponse]


class ClassesStored(BaseModel):
    """How many finer classes the library has now."""

    classes: int


@router.get("/classes")
def browse(
    session: ReadSession,
    _caller: Annotated[Principal | None, public()],
    under: Annotated[str, Query(max_length=40, pattern=r"^[^\x00-\x1f]*$")] = "",
) -> ClassesResponse:
    """The 22 main classes of the Chinese Library Classification, or the classes right below one."""
    found = service.browse(session, under)
    return ClassesResponse(under=under, classes=[ClassResponse(**asdict(one)) for one in found])


@router.put("/classes")
def store(
    session: WriteSession,
    core: CoreDep,
    principal: Annotated[Principal, require(*DESK)],
    table: Annotated[bytes, Body(media_type="text/csv", description="CSV: code, caption_zh, caption_en")],
) -> ClassesStored:
    """Replace the table of finer classes."""
    return ClassesStored(classes=service.load(session, table, subject=principal.subject, now=core.clock.now()))
