"""`/api/v1/session`: sign in, sign out, who am I, where else; and everybody's own password or PIN."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from starlette.responses import RedirectResponse

from server.auth import accounts, service
from server.auth.schemas import (
    PasswordChange,
    PinChange,
    PinReset,
    PinResetResponse,
    SessionResponse,
    SessionsResponse,
    SignInRequest,
    SignInResponse,
    WhoResponse,
)
from server.deps import (
    COOKIE,
    DESK,
    STAFF,
    Core,
    CoreDep,
    Principal,
    ReadSession,
    Role,
    WriteSession,
    public,
    require,
    token_of,
)
from server.errors import DomainError, problem_of
from server.patrons import service as patrons
from server.patrons.errors import UnknownPatronError
from server.patrons.schemas import PatronId

router = APIRouter(prefix="/api/v1/session", tags=["session"])
pins = APIRouter(prefix="/api/v1/patrons", tags=["patrons"])

SessionId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]
Person = Annotated[Principal, require(Role.READER, *STAFF)]


@router.post("", response_model=SignInResponse)
def sign_in(
    body: SignInRequest,
    request: Request,
    response: Response,
    *,
    core: CoreDep,
    _caller: Annotated[Principal | None, public()],
) -> SignInResponse | Response:
    """Sign in with an account and its password, or a card number and its PIN."""
    hours, agent = core.settings.server.session_hours, request.headers.get("user-agent", "")
    outcome = service.sign_in(core.database, body.user, body.password, now=core.clock.now(), hours=hours, agent=agent)
    if isinstance(outcome, DomainError):
        return problem_of(outcome)
    set_cookie(response, outcome, secure=request.url.scheme == "https")
    return SignInResponse(token=outcome.token, **_who(outcome.principal).model_dump())


@router.get("")
def who(principal: Annotated[Principal, require(*Role)]) -> WhoResponse:
    """Who is signed in."""
    return _who(principal)


@router.delete("", status_code=204)
def sign_out(
    request: Request,
    response: Response,
    *,
    core: CoreDep,
    session: WriteSession,
    _caller: Annotated[Principal | None, public()],
) -> None:
    """End the session; the cookie goes too."""
    if token := token_of(request):
        service.sign_out(session, token, core.clock.now())
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


@router.get("/all")
def everywhere(request: Request, session: ReadSession, *, core: CoreDep, _person: Person) -> SessionsResponse:
    """Where the caller is signed in."""
    found = service.sessions_of(session, token_of(request) or "", core.clock.now())
    return SessionsResponse(sessions=[SessionResponse.model_validate(asdict(one)) for one in found])


@router.delete("/all/{session_id}", status_code=204)
def sign_out_there(
    session_id: SessionId, request: Request, session: WriteSession, *, core: CoreDep, _person: Person
) -> None:
    """End one of the caller's sessions; one that has ended is as good."""
    service.end_session(session, token_of(request) or "", session_id, core.clock.now())


@router.put("/password", status_code=204, response_model=None)
def change_password(
    body: PasswordChange, core: CoreDep, person: Annotated[Principal, require(*STAFF)]
) -> Response | None:
    """Choose a new password; every session ends, this one too. Wrong answers count as they do at the sign-in."""
    if wrong := service.check_password(core.database, person.user, body.present, now=core.clock.now()):
        return problem_of(wrong)
    hashed = accounts.hash_password(body.new, person.user)
    with core.database.writing() as session:
        accounts.set_password(session, person.user, hashed, actor=person.subject, at=core.clock.now())
    return None


@pins.put("/me/pin", status_code=204, response_model=None)
def change_pin(body: PinChange, core: CoreDep, person: Annotated[Principal, require(Role.READER)]) -> Response | None:
    """Choose a new PIN; every session ends, this one too. Wrong answers count as they do at the kiosk."""
    card = person.card or ""
    outcome = service.verify_pin(core.database, card, body.present, now=core.clock.now())
    if isinstance(outcome, DomainError):
        return problem_of(outcome)
    hashed = accounts.hash_pin(body.new, card)
    with core.database.writing() as session:
        accounts.set_pin(session, outcome.id, hashed, actor=person.subject, at=core.clock.now())
    return None


@pins.post("/{patron_id}/pin")
def reset_pin(
    patron_id: PatronId, body: PinReset, core: CoreDep, person: Annotated[Principal, require(*DESK)]
) -> PinResetResponse:
    """Give a patron a new PIN; without one in the body, six random digits. It is told once; the lock ends."""
    with core.database.reading() as session:
        patron = patrons.find_by_id(session, patron_id)
    if patron is None:
        raise UnknownPatronError
    pin = body.pin or accounts.random_pin(patron.card)
    hashed = accounts.hash_pin(pin, patron.card)
    with core.database.writing() as session:
        accounts.set_pin(session, patron_id, hashed, actor=person.subject, at=core.clock.now())
    return PinResetResponse(pin=pin)


def set_cookie(response: Response, signed_in: service.SignedIn, *, secure: bool) -> None:
    """Hand the browser its session; pages that sign in by form use this too."""
    response.set_cookie(
        COOKIE, signed_in.token, max_age=signed_in.lasts_s, path="/", httponly=True, samesite="strict", secure=secure
    )


def begin_anew(request: Request, core: Core, user: str, secret: str, *, here: str, done: str) -> Response:
    """For pages, after a change of password or PIN has ended every session: one with the new one begins in this
    browser, and the page `here` tells what is done."""
    hours, agent = core.settings.server.session_hours, request.headers.get("user-agent", "")
    begun = service.sign_in(core.database, user, secret, now=core.clock.now(), hours=hours, agent=agent)
    if isinstance(begun, DomainError):
        return to_sign_in_anew(here)
    answer = RedirectResponse(f"{here}?done={done}", 303)
    set_cookie(answer, begun, secure=request.url.scheme == "https")
    return answer


def to_sign_in_anew(here: str) -> Response:
    """For pages: to the sign-in, which tells that the new password or PIN counts, and then `here`."""
    return RedirectResponse(f"/sign-in?next={here}&anew=1", 303)


def _who(principal: Principal) -> WhoResponse:
    role = next(role for role in Role if role in principal.roles)
    return WhoResponse(user=principal.user, role=role.value, name=principal.name, expires=principal.expires)
