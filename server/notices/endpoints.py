"""`/api/v1/notices`: what the library writes to its patrons. Staff see that it was written, patrons see what."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, get_args

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from carrel.clock import local_date
from carrel.contracts.ids import CardNumber
from carrel.web.i18n import Language
from server.deps import DESK, Core, CoreDep, Day, Principal, ReadSession, Role, WriteSession, require
from server.lending import service as lending
from server.notices import desk, planning, service
from server.notices.letters import writing
from server.notices.letters.recipients import Recipient, recipients
from server.notices.letters.writing import Letter
from server.notices.policy import Channel, Kind, State
from server.notices.sending import Office
from server.patrons import service as patrons
from server.patrons.errors import UnknownCardError

router = APIRouter(prefix="/api/v1/notices", tags=["notices"])
mine = APIRouter(prefix="/api/v1/patrons/me/notices", tags=["patrons"])

Desk = Annotated[Principal, require(*DESK)]
Administrator = Annotated[Principal, require(Role.ADMINISTRATOR)]
Reader = Annotated[Principal, require(Role.READER)]
NoticeId = Annotated[int, Path(ge=1, le=2**31 - 1)]
Before = Annotated[int | None, Query(ge=1, le=2**31 - 1)]
Limit = Annotated[int, Query(ge=1, le=500)]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$")]
Address = Annotated[str, Field(min_length=1, max_length=200)]


async def office_in(request: Request) -> Office:
    """What writes and sends the library's letters."""
    office = request.app.state.notices
    assert isinstance(office, Office)
    return office


OfficeDep = Annotated[Office, Depends(office_in)]


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


class ServedResponse(BaseModel):
    """A channel that the library serves: what takes its letters, and when the last one went out."""

    model_config = ConfigDict(from_attributes=True)

    channel: Channel
    where: str
    last_sent_at: datetime | None


class FailuresResponse(BaseModel):
    """Letters of one channel that failed for one reason and can be sent again."""

    model_config = ConfigDict(from_attributes=True)

    channel: Channel
    code: str
    count: int


class OverviewResponse(BaseModel):
    """`held` of those that wait would go out now, if it were not quiet until `quiet_until`; null when it is not."""

    model_config = ConfigDict(from_attributes=True)

    states: dict[State, int]
    held: int
    quiet_until: datetime | None
    failures: list[FailuresResponse]
    channels: list[ServedResponse]


class RetryRequest(BaseModel):
    """Which of those that have failed; without a code all of the channel."""

    channel: Channel
    code: Code | None = None


class RetryResponse(BaseModel):
    """How many are in the queue again."""

    count: int


class TrialRequest(BaseModel):
    """`to` is an e-mail address, or what the webhook's program knows somebody by; language null: the library's."""

    channel: Channel
    to: Address
    language: Language | None = None


class TrialResponse(BaseModel):
    """Whether it was taken; if not, a code and what the receiving server said."""

    delivered: bool
    code: str
    said: str


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
    """A letter as it would be written now; `example` when the patron has nothing of the kind and facts are made up.

    `fault` is what is wrong with the library's own template, in whose place the shipped one was used; else empty.
    """

    language: str
    subject: str
    text: str
    example: bool
    fault: str


class ExampleResponse(BaseModel):
    """A kind of letter in one language, with made-up facts; `fault` as in a preview."""

    kind: Kind
    language: str
    subject: str
    text: str
    fault: str


class ExamplesResponse(BaseModel):
    """Kind by kind, each in all languages."""

    examples: list[ExampleResponse]


@router.get("")
def notices(  # noqa: PLR0913  # each parameter narrows the list
    office: OfficeDep, core: CoreDep, session: ReadSession, _principal: Desk, *, state: State | None = None,
    kind: Kind | None = None, channel: Channel | None = None, day: Day | None = None, before: Before = None,
    limit: Limit = 100,
) -> NoticesResponse:  # fmt: skip
    """What was written or is to be, newest first; `day` is the library's day on which it was planned."""
    since, until = service.planned_on(day, core.settings.common.library.zone)
    wanted = service.Wanted(state=state, kind=kind, channel=channel, since=since, until=until)
    found = service.listed(session, wanted, before=before, limit=limit)
    return NoticesResponse(
        notices=[NoticeResponse.model_validate(one) for one in found],
        next_before=found[-1].id if len(found) == limit else None,
        channels=list(office.channels),
    )


@router.get("/overview")
def overview(office: OfficeDep, core: CoreDep, session: ReadSession, _principal: Desk) -> OverviewResponse:
    """How many there are in each state, why some have failed, and which channels the library serves."""
    return OverviewResponse.model_validate(desk.overview(session, office, core.clock.now()))


@router.get("/preview")
def preview(
    office: OfficeDep, session: ReadSession, core: CoreDep, _principal: Desk, *, kind: Kind, card: CardNumber
) -> PreviewResponse:
    """What a patron, or a child's guardian, would be written now, in their language."""
    patron = patrons.find(session, card)
    if patron is None:
        raise UnknownCardError
    now = core.clock.now()
    wants = [want for want in planning.wanted_by(session, patron.id, now, office.terms) if want.kind == kind]
    today = local_date(now, core.settings.common.library.zone)
    if wants:
        recipient = recipients(session, [patron.id], today).get(patron.id) or Recipient(patron, patron)
        letter = office.writer.write(session, recipient, kind, wants, now=now)
    else:
        policy = lending.current(session).policy
        letter = office.writer.example(patron, kind, today=today, pickup=patron.branch, policy=policy)
    return PreviewResponse(
        language=letter.language, subject=letter.subject, text=letter.text, example=not wants, fault=letter.fault
    )


@router.get("/examples")
def examples(office: OfficeDep, session: ReadSession, core: CoreDep, _principal: Desk) -> ExamplesResponse:
    """Every kind of letter in every language, with made-up facts."""
    found = [
        ExampleResponse(
            kind=kind, language=letter.language, subject=letter.subject, text=letter.text, fault=letter.fault
        )
        for kind, both in examples_of(office, core, session).items()
        for letter in both
    ]
    return ExamplesResponse(examples=found)


@router.post("/retry")
def retry_failed(asked: RetryRequest, session: WriteSession, core: CoreDep, principal: Desk) -> RetryResponse:
    """Send again what has failed over a channel, for instance after the mail server was mended."""
    at = core.clock.now()
    return RetryResponse(count=desk.retry_failed(session, asked.channel, asked.code, actor=principal.subject, at=at))


@router.post("/test")
def try_out(asked: TrialRequest, office: OfficeDep, principal: Administrator) -> TrialResponse:
    """Send a letter that only tries a channel, at once and in quiet hours too."""
    tried = office.try_out(asked.channel, asked.to.strip(), language=asked.language, actor=principal.subject)
    return TrialResponse(delivered=not tried.code, code=tried.code, said=tried.said)


@router.post("/{notice_id}/retry")
def retry(notice_id: NoticeId, session: WriteSession, core: CoreDep, principal: Desk) -> NoticeResponse:
    """Send again what has failed, for instance after the address was corrected. What waits already stays as it is."""
    told = desk.retry(session, notice_id, actor=principal.subject, at=core.clock.now())
    return NoticeResponse.model_validate(told)


@router.post("/{notice_id}/give-up")
def give_up(notice_id: NoticeId, session: WriteSession, core: CoreDep, principal: Desk) -> NoticeResponse:
    """Write to nobody after all; its state is `dropped` and its code `given_up`. What is dropped stays as it is."""
    told = desk.give_up(session, notice_id, actor=principal.subject, at=core.clock.now())
    return NoticeResponse.model_validate(told)


@mine.get("")
def my_notices(session: ReadSession, reader: Reader) -> MyNoticesResponse:
    """What the library has written to the reader who asks."""
    if reader.patron_id is None:
        raise UnknownCardError
    found = service.of_patron(session, reader.patron_id)
    return MyNoticesResponse(notices=[MyNotice.model_validate(one) for one in found])


def examples_of(office: Office, core: Core, session: Session) -> dict[Kind, list[Letter]]:
    """By kind, in all languages, with made-up facts of today."""
    library = core.settings.common.library
    today, policy = local_date(core.clock.now(), library.zone), lending.current(session).policy
    return {
        kind: [
            office.writer.example(who, kind, today=today, pickup=library.branch, policy=policy)
            for who in writing.SOMEBODY
        ]
        for kind in get_args(Kind)
    }
