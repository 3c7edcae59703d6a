"""A reader's account: the card to show, contact details, language, PIN, and what the library may remember."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query
from pydantic import ValidationError
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from carrel.clock import local_date
from carrel.web.i18n import LANGUAGES
from carrel.web.words import refusal
from server.auth import accounts
from server.auth import service as auth
from server.auth.endpoints import SessionId, begin_anew, to_sign_in_anew
from server.deps import Core, CoreDep, ReadSession, WriteSession, public, token_of
from server.errors import DomainError
from server.lending import service as lending
from server.pages import sent
from server.pages.agents import program
from server.pages.patrons.forms import FORM
from server.pages.reader import account_views, views
from server.pages.reader.views import Reader
from server.pages.shell import Visit, VisitDep
from server.patrons import desk
from server.patrons import service as patrons
from server.patrons.errors import UnknownPatronError
from server.patrons.schemas import Language, MeChange

router = APIRouter(include_in_schema=False, dependencies=[public()])

Text = Annotated[str, Form(max_length=300)]
NOTHING: Mapping[str, str] = {}


@router.get("/my/account")
def account(
    visit: VisitDep, session: ReadSession, core: CoreDep, *, done: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """The reader's card and what can be changed."""
    reader = views.reader_of(visit)
    return reader if isinstance(reader, Response) else _page(visit, session, core, reader, done=done)


@router.post("/my/account/contact")
def contact(
    visit: VisitDep,
    session: WriteSession,
    core: CoreDep,
    *,
    email: Text = "",
    phone: Text = "",
    by_email: Annotated[bool, Form()] = False,
) -> Response:
    """How the library reaches the reader."""
    reader = views.reader_of(visit)
    if isinstance(reader, Response):
        return reader
    typed = {"email": email, "phone": phone}
    try:
        told = MeChange.model_validate(typed).model_dump(exclude_unset=True)
    except ValidationError as error:
        wrong = {str(fault["loc"][0]): visit.words.gettext(FORM[str(fault["loc"][0])]) for fault in error.errors()}
        return _page(visit, session, core, reader, wrong=wrong, typed=typed)
    others = {channel for channel in _patron(session, reader).channels if channel != "email"}
    told["channels"] = tuple(sorted(others | ({"email"} if by_email else set())))
    try:
        _edit(session, core, reader, told)
    except DomainError as error:
        return _page(visit, session, core, reader, wrong={"email": refusal(visit.words, error.code)}, typed=typed)
    return _saved("contact")


@router.post("/my/account/language")
def language(
    visit: VisitDep, session: WriteSession, core: CoreDep, *, language: Annotated[Language, Form()]
) -> Response:
    """The language of pages, kiosk and messages."""
    reader = views.reader_of(visit)
    if isinstance(reader, Response):
        return reader
    _edit(session, core, reader, {"language": language})
    return RedirectResponse(f"/my/account?done=language&lang={language}", 303)


@router.post("/my/account/history")
def history(visit: VisitDep, session: WriteSession, core: CoreDep, *, keep: Annotated[bool, Form()]) -> Response:
    """Whether the library remembers what the reader has borrowed."""
    reader = views.reader_of(visit)
    if isinstance(reader, Response):
        return reader
    _edit(session, core, reader, {"keeps_history": keep})
    return _saved("history")


@router.post("/my/account/sessions/{session_id}/end")
def end(session_id: SessionId, visit: VisitDep, session: WriteSession, core: CoreDep) -> Response:
    """Sign out elsewhere."""
    reader = views.reader_of(visit)
    if isinstance(reader, Response):
        return reader
    auth.end_session(session, token_of(visit.request) or "", session_id, core.clock.now())
    return _saved("session")


@router.post("/my/account/pin")
def pin(  # each is a field
    visit: VisitDep, core: CoreDep, *, present: Text = "", new: Text = "", again: Text = "", request_id: Text = ""
) -> Response:  # fmt: skip
    """A new PIN: every session ends, and one with the new PIN begins here, also when the form comes again."""
    reader = views.reader_of(visit)
    if isinstance(reader, Response):
        return to_sign_in_anew("/my/account") if sent.is_done(core.database, request_id) else reader
    wrong = _change_pin(visit, core, reader, present=present, new=new, again=again, request_id=request_id)
    if wrong and not sent.is_done(core.database, request_id):
        with core.database.reading() as session:
            return _page(visit, session, core, reader, wrong=wrong)
    return begin_anew(visit.request, core, reader.card, new, here="/my/account", done="pin")


def _change_pin(  # each is a field
    visit: Visit, core: Core, reader: Reader, *, present: str, new: str, again: str, request_id: str
) -> dict[str, str]:  # fmt: skip
    """What is wrong, by field; nothing when the PIN is changed. Wrong answers count as they do at the kiosk."""
    if new != again:
        return {"again": visit.words.gettext("This is not the same PIN as above.")}
    checked = auth.verify_pin(core.database, reader.card, present, now=core.clock.now())
    if isinstance(checked, DomainError):
        return {"present": refusal(visit.words, checked.code, checked.params)}
    try:
        hashed = accounts.hash_pin(new, reader.card)
    except DomainError as error:
        return {"new": refusal(visit.words, error.code, error.params)}
    key, actor, now = checked.id, reader.principal.subject, core.clock.now()
    with core.database.writing() as session:
        sent.secret_once(
            session, visit.request, request_id, now=now,
            work=lambda: accounts.set_pin(session, key, hashed, actor=actor, at=now),
        )  # fmt: skip
    return {}


def _edit(session: Session, core: Core, reader: Reader, changes: dict[str, Any]) -> None:
    now = core.clock.now()
    today = local_date(now, core.settings.common.library.zone)
    desk.edit(session, reader.patron_id, changes, actor=reader.principal.subject, at=now, today=today)


def _patron(session: Session, reader: Reader) -> patrons.Patron:
    patron = patrons.find_by_id(session, reader.patron_id)
    if patron is None:
        raise UnknownPatronError
    return patron


def _saved(what: str) -> RedirectResponse:
    return RedirectResponse(f"/my/account?done={what}", 303)


def _page(
    visit: Visit, session: Session, core: Core, reader: Reader, *,
    done: str = "", wrong: Mapping[str, str] = NOTHING, typed: Mapping[str, str] = NOTHING,
) -> Response:  # fmt: skip
    patron = _patron(session, reader)
    size, path = account_views.qr(reader.card)
    return visit.page(
        "reader/account.html",
        status=422 if wrong else 200,
        patron=patron,
        card=reader.card,
        expires=views.day(visit.words, patron.expires_on) if patron.expires_on else "",
        qr_size=size,
        qr_path=path,
        email=typed.get("email", patron.email),
        phone=typed.get("phone", patron.phone),
        masked_email=account_views.masked_email(patron.email),
        masked_phone=account_views.masked(patron.phone, first=3, last=2),
        languages=LANGUAGES,
        forget_days=lending.current(session).policy.forget_after_days,
        done=visit.words.gettext(account_views.DONE[done]) if done in account_views.DONE else "",
        running=auth.sessions_of(session, token_of(visit.request) or "", core.clock.now()),
        program=program,
        wrong=wrong,
    )
