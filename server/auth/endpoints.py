"""`/api/v1/session`: sign in, sign out, who am I."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from server.auth import service
from server.auth.schemas import SignInRequest, SignInResponse, WhoResponse
from server.deps import COOKIE, CoreDep, Principal, Role, WriteSession, public, require, token_of
from server.errors import DomainError, problem_of

router = APIRouter(prefix="/api/v1/session", tags=["session"])


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
    outcome = service.sign_in(
        core.database, body.user, body.password, now=core.clock.now(), hours=core.settings.server.session_hours
    )
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
    request: Request, response: Response, *, session: WriteSession, _caller: Annotated[Principal | None, public()]
) -> None:
    """End the session; the cookie goes too."""
    if token := token_of(request):
        service.sign_out(session, token)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


def set_cookie(response: Response, signed_in: service.SignedIn, *, secure: bool) -> None:
    """Hand the browser its session; pages that sign in by form use this too."""
    response.set_cookie(
        COOKIE, signed_in.token, max_age=signed_in.lasts_s, path="/", httponly=True, samesite="strict", secure=secure
    )


def _who(principal: Principal) -> WhoResponse:
    role = next(role for role in Role if role in principal.roles)
    return WhoResponse(user=principal.user, role=role.value, name=principal.name, expires=principal.expires)
