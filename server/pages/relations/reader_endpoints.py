"""Readers' pages: feedback, purchase suggestions, news. Every form works without scripts."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from carrel.clock import local_date
from server.catalogue import service as catalogue
from server.deps import Core, CoreDep, Principal, ReadSession, WriteSession, public
from server.feedback import service as feedback
from server.feedback.endpoints import occasion
from server.feedback.schemas import AnswerRequest, FeedbackRequest, RatingRequest
from server.lending.place import occasion_of
from server.news import service as news
from server.pages.reader import views
from server.pages.relations import words as relation_words
from server.pages.relations.forms import BLANK, Draft, Fields, RefusedError, attempt, once, read
from server.pages.sent import Done
from server.pages.shell import Visit, VisitDep
from server.suggestions import service as suggestions
from server.suggestions.schemas import SuggestionRequest

router = APIRouter(include_in_schema=False, dependencies=[public()])

Number = Annotated[str, Path(max_length=16)]
Key = Annotated[int, Path(ge=1, le=2**31 - 1)]
Told = Annotated[str, Query(max_length=16)]
SUGGESTED = ("title", "author", "isbn")


class Opened(BaseModel):
    """The number of the case that was opened."""

    number: str


class Made(BaseModel):
    """What came of a suggestion."""

    id: int
    outcome: str


@router.get("/feedback")
def feedback_page(
    visit: VisitDep, session: ReadSession, core: CoreDep, *, done: Told = "", sent: Told = ""
) -> Response:
    """The form, and the reader's own cases."""
    return _feedback(visit, session, core, done=done, sent=sent)


@router.post("/feedback")
def tell(visit: VisitDep, session: WriteSession, core: CoreDep, fields: Fields) -> Response:
    """Tell the library something."""
    caller = visit.caller
    days, here = core.settings.server.relations.answer_days, occasion(core, caller)
    patron_id = caller.patron_id if caller else None
    if fields.get("known") and patron_id is None:  # nobody could answer a reader whose session has ended
        return visit.to_sign_in()

    def deed() -> Opened:
        body = read(FeedbackRequest, fields, visit.words)
        new = feedback.NewCase(body.kind, body.text, body.place, body.contact, patron_id=patron_id)
        return Opened(number=feedback.open_case(session, new, here, days=days).number)

    try:
        case = once(session, here, visit, fields, answer=Opened, deed=deed)
    except RefusedError as error:
        return _feedback(visit, session, core, draft=error.draft)
    return RedirectResponse(f"/feedback?sent={case.number}", 303)


@router.post("/feedback/{number}/rating")
def rate(number: Number, visit: VisitDep, session: WriteSession, core: CoreDep, *, fields: Fields) -> Response:
    """Judge the answer to an own case."""
    if (reader := _reader(visit)) is None:
        return visit.to_sign_in()
    now = core.clock.now()
    try:
        body = read(RatingRequest, fields, visit.words)
        attempt(
            session,
            lambda: feedback.rate(
                session, number, body.rating, patron_id=reader.patron_id or 0, actor=reader.subject, at=now
            ),
            fields,
            visit.words,
        )
    except RefusedError as error:
        return _feedback(visit, session, core, told=error.draft)
    return RedirectResponse("/feedback?done=rated", 303)


@router.post("/feedback/{number}/reopen")
def reopen(number: Number, visit: VisitDep, session: WriteSession, core: CoreDep, *, fields: Fields) -> Response:
    """Say what the answer left open."""
    if (reader := _reader(visit)) is None:
        return visit.to_sign_in()
    days, here = core.settings.server.relations.answer_days, occasion_of(core, reader)

    def deed() -> Done:
        body = read(AnswerRequest, fields, visit.words)
        feedback.reopen(session, number, body.text, here, days=days, patron_id=reader.patron_id or 0)
        return Done()

    try:
        once(session, here, visit, fields, answer=Done, deed=deed)
    except RefusedError as error:
        return _feedback(visit, session, core, told=error.draft)
    return RedirectResponse("/feedback?done=reopened", 303)


@router.get("/suggestions")
def suggestions_page(visit: VisitDep, session: ReadSession, core: CoreDep, *, done: Told = "") -> Response:
    """What was suggested and what became of it; the form may come filled in from a search that found nothing."""
    asked = visit.request.query_params
    draft = Draft({name: asked.get(name, "")[:300] for name in SUGGESTED})
    return _suggestions(visit, session, core, draft=draft, done=done)


@router.post("/suggestions")
def suggest(visit: VisitDep, session: WriteSession, core: CoreDep, fields: Fields) -> Response:
    """Suggest a purchase."""
    if (reader := _reader(visit)) is None:
        return visit.to_sign_in()
    most, here = core.settings.server.relations.suggestions_a_month, occasion_of(core, reader)

    def deed() -> Made:
        body = read(SuggestionRequest, fields, visit.words)
        new = suggestions.NewSuggestion(body.title, body.author, body.isbn, body.reason)
        made = suggestions.suggest(session, new, reader.patron_id or 0, here, a_month=most)
        return Made(id=made.id, outcome=made.outcome)

    try:
        made = once(session, here, visit, fields, answer=Made, deed=deed)
    except RefusedError as error:
        return _suggestions(visit, session, core, draft=error.draft)
    return RedirectResponse(f"/suggestions?done={made.outcome}#suggestion-{made.id}", 303)


@router.post("/suggestions/{suggestion_id}/vote")
def vote(suggestion_id: Key, visit: VisitDep, session: WriteSession, core: CoreDep) -> Response:
    """Vote for it."""
    return _ballot(visit, session, core, suggestion_id, vote=True)


@router.post("/suggestions/{suggestion_id}/unvote")
def unvote(suggestion_id: Key, visit: VisitDep, session: WriteSession, core: CoreDep) -> Response:
    """Take the vote back."""
    return _ballot(visit, session, core, suggestion_id, vote=False)


@router.get("/news")
def news_page(visit: VisitDep, session: ReadSession, core: CoreDep) -> Response:
    """What is shown today."""
    today = local_date(core.clock.now(), visit.pages.site.zone)
    return visit.page("relations/news.html", news=news.shown(session, today), rel=relation_words)


def _ballot(visit: Visit, session: Session, core: Core, key: int, *, vote: bool) -> Response:
    if (reader := _reader(visit)) is None:
        return visit.to_sign_in()
    patron_id, here = reader.patron_id or 0, occasion_of(core, reader)
    try:
        if vote:
            outcome = attempt(session, lambda: suggestions.vote(session, key, patron_id, here), {}, visit.words)
            done = "counted" if outcome == "voted" else str(outcome)
        else:
            attempt(session, lambda: suggestions.unvote(session, key, patron_id, here), {}, visit.words)
            done = "unvoted"
    except RefusedError as error:
        return _suggestions(visit, session, core, draft=error.draft)
    return RedirectResponse(f"/suggestions?done={done}#suggestion-{key}", 303)


def _reader(visit: Visit) -> Principal | None:
    """The reader who is signed in; None for nobody; raises 403 for everybody else."""
    if visit.caller is not None and visit.caller.patron_id is None:
        raise HTTPException(403)
    return visit.caller


def _feedback(
    visit: Visit, session: Session, core: Core, *, draft: Draft = BLANK, told: Draft = BLANK, done: str = "",
    sent: str = "",
) -> Response:  # fmt: skip
    patron_id = visit.caller.patron_id if visit.caller else None
    return visit.page(
        "relations/feedback.html",
        status=max(draft.status, told.status),
        draft=draft,
        told=told,
        asked=visit.request.url.path,
        done=relation_words.DONE.get(done, ""),
        sent=sent if re.fullmatch(relation_words.CASE_NUMBER, sent) else "",
        days=core.settings.server.relations.answer_days,
        known=patron_id is not None,
        cases=feedback.of_patron(session, patron_id) if patron_id is not None else [],
        rel=relation_words,
    )


def _suggestions(visit: Visit, session: Session, core: Core, *, draft: Draft, done: str = "") -> Response:
    patron_id = visit.caller.patron_id if visit.caller else None
    found = suggestions.find(session, patron_id=patron_id)
    arrived = catalogue.records_of(session, [one.record_id for one in found if one.record_id is not None])
    return visit.page(
        "relations/suggestions.html",
        status=draft.status,
        draft=draft,
        done=relation_words.DONE.get(done, ""),
        a_month=core.settings.server.relations.suggestions_a_month,
        known=patron_id is not None,
        suggestions=found,
        linked=views.linked(visit, arrived),
        rel=relation_words,
    )
