"""`/api/v1/feedback` for the library, `/api/v1/patrons/me/feedback` for readers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, status

from server.deps import STAFF, Core, CoreDep, Principal, ReadSession, Role, WriteSession, public, require
from server.feedback import service
from server.feedback.errors import UnknownCaseError
from server.feedback.schemas import (
    AnswerRequest,
    CaseResponse,
    CasesResponse,
    FeedbackRequest,
    NoteRequest,
    OpenedResponse,
    OwnCasesResponse,
    OwnerRequest,
    RatingRequest,
    ReasonRequest,
)
from server.feedback.states import State
from server.lending.occasion import Channel, Occasion
from server.lending.place import occasion_of

router = APIRouter(prefix="/api/v1", tags=["feedback"])

Staff = Annotated[Principal, require(*STAFF)]
Reader = Annotated[Principal, require(Role.READER)]
Number = Annotated[str, Path(max_length=16)]
Limit = Annotated[int, Query(ge=1, le=1000)]


@router.post("/feedback", status_code=status.HTTP_201_CREATED)
def tell(
    body: FeedbackRequest, session: WriteSession, core: CoreDep, caller: Annotated[Principal | None, public()]
) -> OpenedResponse:
    """Tell the library something, with or without signing in."""
    new = service.NewCase(
        body.kind, body.text, body.place, body.contact, patron_id=caller.patron_id if caller else None
    )
    case = service.open_case(session, new, occasion(core, caller), days=core.settings.server.relations.answer_days)
    return OpenedResponse(number=case.number, due_at=case.due_at)


@router.get("/feedback")
def cases(
    session: ReadSession,
    core: CoreDep,
    _staff: Staff,
    state: Annotated[list[State] | None, Query()] = None,
    *,
    owner: Annotated[str | None, Query(max_length=64)] = None,
    overdue: bool = False,
    limit: Limit = 200,
) -> CasesResponse:
    """Cases without their notes, the most overdue first."""
    now = core.clock.now()
    asked = service.Asked(tuple(state or ()), owner, now if overdue else None, limit)
    waiting, late = service.counts(session, now)
    found = [CaseResponse.model_validate(case) for case in service.find(session, asked)]
    return CasesResponse(cases=found, waiting=waiting, overdue=late)


@router.get("/feedback/{number}")
def case(number: Number, session: ReadSession, _staff: Staff) -> CaseResponse:
    """One case with all its notes."""
    return CaseResponse.model_validate(service.get(session, number))


@router.put("/feedback/{number}/owner")
def assign(number: Number, body: OwnerRequest, session: WriteSession, core: CoreDep, *, staff: Staff) -> CaseResponse:
    """Give the case to a colleague."""
    service.assign(session, number, body.owner, actor=staff.subject, at=core.clock.now())
    return CaseResponse.model_validate(service.get(session, number))


@router.post("/feedback/{number}/answer")
def answer(number: Number, body: AnswerRequest, session: WriteSession, core: CoreDep, *, staff: Staff) -> CaseResponse:
    """Answer the reader."""
    service.answer(session, number, body.text, actor=staff.subject, at=core.clock.now())
    return CaseResponse.model_validate(service.get(session, number))


@router.post("/feedback/{number}/notes")
def note(number: Number, body: NoteRequest, session: WriteSession, core: CoreDep, *, staff: Staff) -> CaseResponse:
    """Note something."""
    service.note(session, number, body.text, public=body.public, actor=staff.subject, at=core.clock.now())
    return CaseResponse.model_validate(service.get(session, number))


@router.post("/feedback/{number}/close")
def close(number: Number, body: ReasonRequest, session: WriteSession, core: CoreDep, *, staff: Staff) -> CaseResponse:
    """Be done with a case."""
    service.close(session, number, body.reason, actor=staff.subject, at=core.clock.now())
    return CaseResponse.model_validate(service.get(session, number))


@router.post("/feedback/{number}/reopen")
def reopen(number: Number, body: ReasonRequest, session: WriteSession, core: CoreDep, *, staff: Staff) -> CaseResponse:
    """Take a case up again."""
    days = core.settings.server.relations.answer_days
    service.reopen(session, number, body.reason, occasion(core, staff), days=days)
    return CaseResponse.model_validate(service.get(session, number))


@router.get("/patrons/me/feedback")
def own(session: ReadSession, reader: Reader) -> OwnCasesResponse:
    """The reader's own cases with their answers."""
    found = service.of_patron(session, own_id(reader))
    return OwnCasesResponse(cases=[CaseResponse.model_validate(case) for case in found])


@router.post("/patrons/me/feedback/{number}/rating", status_code=204)
def rate(number: Number, body: RatingRequest, session: WriteSession, core: CoreDep, *, reader: Reader) -> None:
    """Judge the answer."""
    patron_id = own_id(reader)
    service.rate(session, number, body.rating, patron_id=patron_id, actor=reader.subject, at=core.clock.now())


@router.post("/patrons/me/feedback/{number}/reopen", status_code=204)
def reopen_own(number: Number, body: AnswerRequest, session: WriteSession, core: CoreDep, *, reader: Reader) -> None:
    """Say what the answer left open."""
    days = core.settings.server.relations.answer_days
    service.reopen(session, number, body.text, occasion(core, reader), days=days, patron_id=own_id(reader))


def occasion(core: Core, caller: Principal | None) -> Occasion:
    """This caller, known or not, now, at the library's own branch."""
    if caller is not None:
        return occasion_of(core, caller)
    library = core.settings.common.library
    return Occasion("anonymous", core.clock.now(), library.zone, library.branch, Channel.READER)


def own_id(reader: Principal) -> int:
    """The patron who is signed in; somebody without a card has no cases."""
    if reader.patron_id is None:
        raise UnknownCaseError
    return reader.patron_id
