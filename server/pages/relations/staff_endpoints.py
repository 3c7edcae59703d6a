"""The library's side: feedback by deadline, suggestions by votes, news. Every form works without scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from carrel.clock import local_date
from server.deps import Core, CoreDep, Principal, ReadSession, WriteSession, public
from server.feedback import service as feedback
from server.feedback.errors import UnknownCaseError
from server.feedback.schemas import AnswerRequest, NoteRequest, OwnerRequest, ReasonRequest
from server.feedback.states import State
from server.lending.place import occasion_of
from server.news import service as news
from server.news.endpoints import new_of
from server.news.schemas import NewsRequest
from server.pages import seen
from server.pages.relations import words as relation_words
from server.pages.relations.forms import BLANK, Draft, Fields, RefusedError, once, read
from server.pages.sent import Done
from server.pages.shell import Visit, VisitDep
from server.patrons import service as patrons
from server.suggestions import service as suggestions
from server.suggestions.errors import UnknownSuggestionError
from server.suggestions.schemas import ReplyRequest

router = APIRouter(prefix="/relations", include_in_schema=False, dependencies=[public()])

Number = Annotated[str, Path(max_length=16)]
Key = Annotated[int, Path(ge=1, le=2**31 - 1)]
Told = Annotated[str, Query(max_length=16)]
STATES: dict[str, tuple[State, ...]] = {
    "waiting": ("open", "reopened"), "mine": ("open", "reopened"), "answered": ("answered",), "closed": ("closed",),
}  # fmt: skip


@router.get("")
def cases(
    visit: VisitDep, session: ReadSession, core: CoreDep, *, show: Annotated[str, Query(max_length=16)] = "waiting"
) -> Response:
    """Feedback: what waits for an answer, the most overdue first."""
    if (staff := visit.staff()) is None:
        return visit.to_sign_in()
    now = core.clock.now()
    show = show if show in relation_words.SHOWN else "waiting"
    asked = feedback.Asked(STATES.get(show, ()), staff.user if show == "mine" else None)
    waiting, late = feedback.counts(session, now)
    return visit.page(
        "relations/cases.html",
        cases=feedback.find(session, asked),
        owners=feedback.owners(session),
        show=show,
        waiting=waiting,
        late=late,
        at=now,
        rel=relation_words,
    )


@router.get("/cases/{number}")
def case(number: Number, visit: VisitDep, session: ReadSession, core: CoreDep, *, done: Told = "") -> Response:
    """One case with all that was said, and what can be done."""
    return visit.to_sign_in() if visit.staff() is None else _case(visit, session, core, number, done=done)


@router.post("/cases/{number}/owner")
def assign(number: Number, visit: VisitDep, session: WriteSession, core: CoreDep, *, fields: Fields) -> Response:
    """Give it to a colleague."""

    def deed(staff: Principal) -> None:
        body = read(OwnerRequest, fields, visit.words)
        feedback.assign(session, number, body.owner, actor=staff.subject, at=core.clock.now())

    return _change(visit, session, core, number, fields=fields, deed=deed)


@router.post("/cases/{number}/answer")
def answer(number: Number, visit: VisitDep, session: WriteSession, core: CoreDep, *, fields: Fields) -> Response:
    """Answer the reader."""

    def deed(staff: Principal) -> None:
        body = read(AnswerRequest, fields, visit.words)
        feedback.answer(session, number, body.text, actor=staff.subject, at=core.clock.now())

    return _change(visit, session, core, number, fields=fields, deed=deed)


@router.post("/cases/{number}/notes")
def note(number: Number, visit: VisitDep, session: WriteSession, core: CoreDep, *, fields: Fields) -> Response:
    """Note something."""

    def deed(staff: Principal) -> None:
        body = read(NoteRequest, fields, visit.words)
        feedback.note(session, number, body.text, public=body.public, actor=staff.subject, at=core.clock.now())

    return _change(visit, session, core, number, fields=fields, deed=deed)


@router.post("/cases/{number}/close")
def close(number: Number, visit: VisitDep, session: WriteSession, core: CoreDep, *, fields: Fields) -> Response:
    """Be done with it."""

    def deed(staff: Principal) -> None:
        body = read(ReasonRequest, fields, visit.words)
        feedback.close(session, number, body.reason, actor=staff.subject, at=core.clock.now())

    return _change(visit, session, core, number, fields=fields, deed=deed)


@router.post("/cases/{number}/reopen")
def reopen(number: Number, visit: VisitDep, session: WriteSession, core: CoreDep, *, fields: Fields) -> Response:
    """Take it up again."""

    def deed(staff: Principal) -> None:
        body = read(ReasonRequest, fields, visit.words)
        days = core.settings.server.relations.answer_days
        feedback.reopen(session, number, body.reason, occasion_of(core, staff), days=days)

    return _change(visit, session, core, number, fields=fields, deed=deed)


@router.get("/suggestions")
def all_suggestions(visit: VisitDep, session: ReadSession) -> Response:
    """What readers would have bought: open ones first, by votes."""
    if visit.librarian() is None:
        return visit.to_sign_in()
    return visit.page("relations/wishes.html", suggestions=suggestions.find(session), rel=relation_words)


@router.get("/suggestions/{suggestion_id}")
def suggestion(suggestion_id: Key, visit: VisitDep, session: ReadSession, *, done: Told = "") -> Response:
    """One suggestion, and the form of the answer."""
    return visit.to_sign_in() if visit.librarian() is None else _suggestion(visit, session, suggestion_id, done=done)


@router.post("/suggestions/{suggestion_id}")
def reply(suggestion_id: Key, visit: VisitDep, session: WriteSession, core: CoreDep, *, fields: Fields) -> Response:
    """Say what the library does."""
    if (librarian := visit.librarian()) is None:
        return visit.to_sign_in()
    here = occasion_of(core, librarian)

    def deed() -> Done:
        body = read(ReplyRequest, fields, visit.words)
        told = suggestions.Reply(body.state, body.text, body.record_id)
        suggestions.answer(session, suggestion_id, told, actor=here.actor, at=here.now)
        return Done()

    try:
        once(session, here, visit, fields, answer=Done, deed=deed)
    except RefusedError as error:
        return _suggestion(visit, session, suggestion_id, draft=error.draft)
    return RedirectResponse(f"/relations/suggestions/{suggestion_id}?done=saved", 303)


@router.get("/news")
def every_news(visit: VisitDep, session: ReadSession, core: CoreDep, *, done: Told = "") -> Response:
    """All news, and the form of the next."""
    if visit.librarian() is None:
        return visit.to_sign_in()
    draft = Draft({"from_on": local_date(core.clock.now(), visit.pages.site.zone).isoformat()})
    return _news(visit, session, core, draft=draft, done=done)


@router.post("/news")
def write(visit: VisitDep, session: WriteSession, core: CoreDep, *, fields: Fields) -> Response:
    """Write news."""

    def deed(librarian: Principal) -> None:
        news.write(
            session, new_of(read(NewsRequest, fields, visit.words)), actor=librarian.subject, at=core.clock.now()
        )

    return _publish(visit, session, core, fields=fields, deed=deed)


@router.get("/news/{news_id}")
def edit(news_id: Key, visit: VisitDep, session: ReadSession, core: CoreDep) -> Response:
    """The form of news that is there."""
    if visit.librarian() is None:
        return visit.to_sign_in()
    found = next((one for one in news.every(session) if one.id == news_id), None)
    if found is None:
        raise HTTPException(404)
    stored = _stored(found)
    return _news(visit, session, core, draft=Draft(stored | _mark(stored)), news_id=news_id)


@router.post("/news/{news_id}")
def rewrite(news_id: Key, visit: VisitDep, session: WriteSession, core: CoreDep, *, fields: Fields) -> Response:
    """Write anew what the form has changed."""

    def deed(librarian: Principal) -> None:
        stored = _stored(news.get(session, news_id))
        merged = seen.merge({name: fields.get(name, "") for name in stored}, fields.get(seen.FIELD), stored)
        if merged.clashes:
            refused = visit.words.gettext(seen.REFUSED)
            raise RefusedError(Draft(merged.texts | _mark(stored), frozenset(merged.clashes), refused, 409))
        new = new_of(read(NewsRequest, merged.texts | _mark(stored), visit.words))
        news.rewrite(session, news_id, new, actor=librarian.subject, at=core.clock.now())

    return _publish(visit, session, core, fields=fields, deed=deed, news_id=news_id)


@router.post("/news/{news_id}/remove")
def remove(news_id: Key, visit: VisitDep, session: WriteSession, core: CoreDep, *, fields: Fields) -> Response:
    """Take it away."""

    def deed(librarian: Principal) -> None:
        news.remove(session, news_id, actor=librarian.subject, at=core.clock.now())

    return _publish(visit, session, core, fields=fields, deed=deed, done="removed")


def _change(  # each is told
    visit: Visit, session: Session, core: Core, number: str, *, fields: dict[str, str],
    deed: Callable[[Principal], None],
) -> Response:  # fmt: skip
    """Do something with a case and show it."""
    if (staff := visit.staff()) is None:
        return visit.to_sign_in()
    try:
        once(session, occasion_of(core, staff), visit, fields, answer=Done, deed=lambda: _done(deed, staff))
    except RefusedError as error:
        return _case(visit, session, core, number, draft=error.draft)
    return RedirectResponse(f"/relations/cases/{number}?done=saved", 303)


def _publish(  # each is told
    visit: Visit, session: Session, core: Core, *, fields: dict[str, str], deed: Callable[[Principal], None],
    news_id: int | None = None, done: str = "saved",
) -> Response:  # fmt: skip
    """Do something with news and show the list."""
    if (librarian := visit.librarian()) is None:
        return visit.to_sign_in()
    try:
        once(session, occasion_of(core, librarian), visit, fields, answer=Done, deed=lambda: _done(deed, librarian))
    except RefusedError as error:
        return _news(visit, session, core, draft=error.draft, news_id=news_id)
    return RedirectResponse(f"/relations/news?done={done}", 303)


def _done(deed: Callable[[Principal], None], staff: Principal) -> Done:
    deed(staff)
    return Done()


def _case(visit: Visit, session: Session, core: Core, number: str, *, draft: Draft = BLANK, done: str = "") -> Response:
    try:
        found = feedback.get(session, number)
    except UnknownCaseError:
        raise HTTPException(404) from None
    patron = patrons.find_by_id(session, found.patron_id) if found.patron_id and visit.is_librarian else None
    return _told(
        visit,
        "relations/case.html",
        draft,
        done,
        case=found,
        patron=patron,
        owners=feedback.owners(session),
        at=core.clock.now(),
    )


def _suggestion(visit: Visit, session: Session, key: int, *, draft: Draft = BLANK, done: str = "") -> Response:
    try:
        found = suggestions.get(session, key)
        arrival = suggestions.arrival_of(session, key) if found.state != "arrived" else None
    except UnknownSuggestionError:
        raise HTTPException(404) from None
    return _told(visit, "relations/wish.html", draft, done, wish=found, arrival=arrival)


def _news(
    visit: Visit, session: Session, core: Core, *, draft: Draft, news_id: int | None = None, done: str = ""
) -> Response:
    today = local_date(core.clock.now(), visit.pages.site.zone)
    return _told(
        visit, "relations/news_desk.html", draft, done, news=news.every(session), news_id=news_id, today=today
    )  # fmt: skip


def _stored(found: news.News) -> dict[str, str]:
    return {name: str(getattr(found, name) or "") for name in NewsRequest.model_fields}


def _mark(stored: dict[str, str]) -> dict[str, str]:
    """The hidden field of a form that is made while this is stored."""
    return {seen.FIELD: seen.mark(stored)}


def _told(visit: Visit, template: str, draft: Draft, done: str, **more: Any) -> Response:
    told = relation_words.DONE.get(done, "")
    asked = visit.request.url.path
    return visit.page(template, status=draft.status, draft=draft, asked=asked, done=told, rel=relation_words, **more)
