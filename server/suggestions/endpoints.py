"""`/api/v1/suggestions`: everybody may look, readers suggest and vote, the library answers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from server.deps import DESK, CoreDep, Principal, ReadSession, Role, WriteSession, public, require
from server.lending.place import occasion_of
from server.patrons.errors import UnknownCardError
from server.suggestions import service
from server.suggestions.policy import State
from server.suggestions.schemas import (
    ReasonedResponse,
    ReplyRequest,
    SuggestedResponse,
    SuggestionRequest,
    SuggestionResponse,
    SuggestionsResponse,
)

router = APIRouter(prefix="/api/v1/suggestions", tags=["suggestions"])

Reader = Annotated[Principal, require(Role.READER)]
Desk = Annotated[Principal, require(*DESK)]
Key = Annotated[int, Path(ge=1, le=2**31 - 1)]
Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get("")
def suggestions(
    session: ReadSession,
    caller: Annotated[Principal | None, public()],
    state: Annotated[list[State] | None, Query()] = None,
    limit: Limit = 200,
) -> SuggestionsResponse:
    """What was suggested, with votes and answers."""
    patron_id = caller.patron_id if caller else None
    found = service.find(session, states=tuple(state or ()), patron_id=patron_id, limit=limit)
    return SuggestionsResponse(suggestions=[SuggestionResponse.model_validate(one) for one in found])


@router.post("")
def suggest(body: SuggestionRequest, session: WriteSession, core: CoreDep, reader: Reader) -> SuggestedResponse:
    """Suggest a purchase; if somebody has before, this is a vote."""
    new = service.NewSuggestion(body.title, body.author, body.isbn, body.reason)
    a_month = core.settings.server.relations.suggestions_a_month
    made = service.suggest(session, new, own_id(reader), occasion_of(core, reader), a_month=a_month)
    return SuggestedResponse(id=made.id, outcome=made.outcome)


@router.get("/{suggestion_id}")
def suggestion(suggestion_id: Key, session: ReadSession, _desk: Desk) -> ReasonedResponse:
    """One suggestion with the reason that was given."""
    return ReasonedResponse.model_validate(service.get(session, suggestion_id))


@router.put("/{suggestion_id}/vote")
def vote(suggestion_id: Key, session: WriteSession, core: CoreDep, reader: Reader) -> SuggestedResponse:
    """Vote for it; a second vote changes nothing."""
    outcome = service.vote(session, suggestion_id, own_id(reader), occasion_of(core, reader))
    return SuggestedResponse(id=suggestion_id, outcome=outcome)


@router.delete("/{suggestion_id}/vote", status_code=204)
def unvote(suggestion_id: Key, session: WriteSession, core: CoreDep, reader: Reader) -> None:
    """Take the vote back, while the suggestion is open."""
    service.unvote(session, suggestion_id, own_id(reader), occasion_of(core, reader))


@router.post("/{suggestion_id}/answer")
def answer(
    suggestion_id: Key, body: ReplyRequest, session: WriteSession, core: CoreDep, *, desk: Desk
) -> ReasonedResponse:
    """Say what the library does about it."""
    reply = service.Reply(body.state, body.text, body.record_id)
    service.answer(session, suggestion_id, reply, actor=desk.subject, at=core.clock.now())
    return ReasonedResponse.model_validate(service.get(session, suggestion_id))


def own_id(reader: Principal) -> int:
    """The patron who is signed in."""
    if reader.patron_id is None:
        raise UnknownCardError
    return reader.patron_id
