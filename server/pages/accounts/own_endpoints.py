"""A colleague's own account: the password, and where they are signed in. Every form works without scripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Query
from starlette.responses import RedirectResponse, Response

from carrel.web.words import refusal
from server.auth import accounts
from server.auth import service as auth
from server.auth.endpoints import SessionId, begin_anew, to_sign_in_anew
from server.deps import Core, CoreDep, Principal, public, token_of
from server.errors import DomainError
from server.pages import sent
from server.pages.accounts import words as account_words
from server.pages.agents import program
from server.pages.shell import Visit, VisitDep

router = APIRouter(include_in_schema=False, dependencies=[public()])

HERE = "/account"
Text = Annotated[str, Form(max_length=256)]
NOTHING: Mapping[str, str] = {}


@router.get(HERE)
def own(visit: VisitDep, core: CoreDep, *, done: Annotated[str, Query(max_length=20)] = "") -> Response:
    """Who I am here, my password and my sessions."""
    caller = visit.staff()
    return visit.to_sign_in() if caller is None else _page(visit, core, done=done)


@router.post(HERE + "/password")
def password(  # each is a field
    visit: VisitDep, core: CoreDep, *, present: Text = "", new: Text = "", again: Text = "", request_id: Text = ""
) -> Response:  # fmt: skip
    """A new password: every session ends, and one with the new password begins here, also when the form comes again."""
    caller = visit.staff()
    if caller is None:
        return to_sign_in_anew(HERE) if sent.is_done(core.database, request_id) else visit.to_sign_in()
    wrong = _change(visit, core, caller, present=present, new=new, again=again, request_id=request_id)
    if wrong and not sent.is_done(core.database, request_id):
        return _page(visit, core, wrong=wrong)
    return begin_anew(visit.request, core, caller.user, new, here=HERE, done="own_password")


@router.post(HERE + "/sessions/{session_id}/end")
def end(session_id: SessionId, visit: VisitDep, core: CoreDep) -> Response:
    """Sign out elsewhere."""
    if visit.staff() is None:
        return visit.to_sign_in()
    with core.database.writing() as session:
        auth.end_session(session, token_of(visit.request) or "", session_id, core.clock.now())
    return _saved("session")


def _change(  # each is a field
    visit: Visit, core: Core, caller: Principal, *, present: str, new: str, again: str, request_id: str
) -> dict[str, str]:  # fmt: skip
    """What is wrong, by field; nothing when the password is changed."""
    if new != again:
        return {"again": visit.words.gettext("This is not the same password as above.")}
    if refused := auth.check_password(core.database, caller.user, present, now=core.clock.now()):
        return {"present": refusal(visit.words, refused.code, refused.params)}
    try:
        hashed = accounts.hash_password(new, caller.user)
    except DomainError as error:
        return {"new": refusal(visit.words, error.code, error.params)}
    now = core.clock.now()
    with core.database.writing() as session:
        sent.secret_once(
            session, visit.request, request_id, now=now,
            work=lambda: accounts.set_password(session, caller.user, hashed, actor=caller.subject, at=now),
        )  # fmt: skip
    return {}


def _saved(what: str) -> RedirectResponse:
    return RedirectResponse(f"{HERE}?done={what}", 303)


def _page(visit: Visit, core: Core, *, done: str = "", wrong: Mapping[str, str] = NOTHING) -> Response:
    assert visit.caller is not None
    now = core.clock.now()
    with core.database.reading() as session:
        running = auth.sessions_of(session, token_of(visit.request) or "", now)
    return visit.page(
        "accounts/own.html",
        status=422 if wrong else 200,
        running=running,
        program=program,
        roles=[role.value for role in visit.caller.roles],
        done=visit.words.gettext(account_words.DONE[done]) if done in account_words.DONE else "",
        refused="",
        wrong=wrong,
        cw=account_words,
    )
