"""`/api/v1/notices`: what the library writes to its patrons. Staff see that it was written, patrons see what."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict

from carrel.clock import local_date
from carrel.contracts.ids import CardNumber
from server.deps import DESK, CoreDep, Principal, ReadSession, Role, WriteSession, require
from server.lending import service as lending
from server.notices import letters, planning, service
from server.notices.policy import Channel, Kind, State
from server.notices.sending import Office
from server.patrons import service as patrons
from server.patrons.errors import UnknownCardError

router = APIRouter(prefix="/api/v1/notices", tags=["notices"])
mine = APIRouter(prefix="/api/v1/patrons/me/notices", tags=["patrons"])

Desk = Annotated[Principal, require(*DESK)]
Reader = Annotated[Principal, require(Role.READER)]
NoticeId = Annotated[int, Path(ge=1, le=2**31 - 1)]
Before = Annotated[int | None, Query(ge=1, le=2**31 - 1)]
Limit = Annotated[int, Query(ge=1, le=500)]


class NoticeResponse(BaseModel):
    """A letter without its words. `code` is what went wrong at the last attempt; `next_at` when it is tried again."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    kind: Kind
    channel: Channel
    patron_id: int | None
    state: State
    code: str
    created_at: datetime
    next_at: datetime
    attempts: int
    settled_at: datetime | None


class NoticesResponse(BaseModel):
    """A page; `next_before` asks for the next one, null at the end. `channels` are those that this library serves."""

    notices: list[NoticeResponse]
    next_before: int | None
    channels: list[str]


class MyNotice(BaseModel):
    """A letter as its receiver sees it; words are kept for some time only."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    kind: Kind
    channel: Channel
    state: State
    created_at: datetime
    settled_at: datetime | None
    subject: str
    body: str


class MyNoticesResponse(BaseModel):
    """The newest first."""

    notices: list[MyNotice]


class PreviewResponse(BaseModel):
    """A letter as it would be written now; `example` when the patron has nothing of the kind and facts are made up."""

    language: str
    subject: str
    text: str
    example: bool


@router.get("")
def notices(  # each parameter narrows the list
    request: Request, session: ReadSession, _principal: Desk, *, state: State | None = None, kind: Kind | None = None,
    channel: Channel | None = None, before: Before = None, limit: Limit = 100,
) -> NoticesResponse:  # fmt: skip
    """What was written or is to be, newest first."""
    wanted = {"state": state, "kind": kind, "channel": channel}
    given: dict[str, str] = {name: value for name, value in wanted.items() if value is not None}
    found = service.listed(session, given, before=before, limit=limit)
    return NoticesResponse(
        notices=[NoticeResponse.model_validate(one) for one in found],
        next_before=found[-1].id if len(found) == limit else None,
        channels=list(_office(request).channels),
    )


@router.get("/preview")
def preview(
    request: Request, session: ReadSession, core: CoreDep, _principal: Desk, *, kind: Kind, card: CardNumber
) -> PreviewResponse:
    """What a patron would be written now, in the patron's language."""
    patron = patrons.find(session, card)
    if patron is None:
        raise UnknownCardError
    office, now = _office(request), core.clock.now()
    wants = [want for want in planning.wanted_by(session, patron.id, now, office.terms) if want.kind == kind]
    if wants:
        letter = office.writer.write(session, patron, kind, wants, now=now)
    else:
        facts = letters.example(kind, local_date(now, core.settings.common.library.zone), patron.branch)
        owed = Decimal("2.50") if kind == "fee" else None
        currency = lending.current(session).policy.currency
        letter = office.writer.compose(patron, kind, facts, owed=owed, currency=currency)
    return PreviewResponse(language=letter.language, subject=letter.subject, text=letter.text, example=not wants)


@router.post("/{notice_id}/retry")
def retry(notice_id: NoticeId, session: WriteSession, core: CoreDep, principal: Desk) -> NoticeResponse:
    """Send again what has failed, for instance after the address was corrected."""
    told = service.retry(session, notice_id, actor=principal.subject, at=core.clock.now())
    return NoticeResponse.model_validate(told)


@mine.get("")
def my_notices(session: ReadSession, reader: Reader) -> MyNoticesResponse:
    """What the library has written to the reader who asks."""
    if reader.patron_id is None:
        raise UnknownCardError
    found = service.of_patron(session, reader.patron_id)
    return MyNoticesResponse(notices=[MyNotice.model_validate(one) for one in found])


def _office(request: Request) -> Office:
    office = request.app.state.notices
    assert isinstance(office, Office)
    return office
