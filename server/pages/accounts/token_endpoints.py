"""Tokens of machines and other programs, for administrators. Every form works without scripts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import TypeAdapter, ValidationError
from starlette.responses import RedirectResponse, Response

from carrel.clock import end_of_day
from server.auth import tokens
from server.auth.errors import TokenTakenError, UnknownTokenError
from server.auth.schemas import TokenRequest
from server.deps import Day, Role, public
from server.lending.errors import RequestIdReusedError
from server.pages.accounts.work import HERE, OfficeDep, Secret
from server.pages.patrons.forms import Draft, Posted
from server.pages.sent import Done, once

router = APIRouter(include_in_schema=False, dependencies=[public()])

TOKENS = "/tokens"
TokenId = Annotated[int, Path(ge=1, le=2**31 - 1)]
DAY: TypeAdapter[Day] = TypeAdapter(Day)


@router.get(TOKENS)
def back(office: OfficeDep) -> Response:
    """The page in which a new token was shown is reloaded: that was once."""
    if office.visit.administrator() is None:
        return office.visit.to_sign_in()
    return RedirectResponse(f"{HERE}#tokens", 303)


@router.post(TOKENS)
def make(office: OfficeDep, draft: Posted) -> Response:
    """A new token, shown in this answer and never again."""
    if (caller := office.visit.administrator()) is None:
        return office.visit.to_sign_in()
    now, zone = office.core.clock.now(), office.core.settings.common.library.zone
    try:
        asked = TokenRequest.model_validate({"name": draft.get("name"), "role": draft.get("role")})
    except ValidationError as wrong:
        return office.list(token=draft.with_errors(str(error["loc"][0]) for error in wrong.errors()))
    try:
        until = end_of_day(DAY.validate_python(draft.get("until")), zone) if draft.get("until") else None
    except ValidationError:
        return office.list(token=draft.with_errors(["until"]))
    if until is not None and until <= now:
        return office.list(token=Draft(draft.values, {"until": "past"}))
    secret: Secret | None = None

    def work() -> Done:
        nonlocal secret
        made, text = tokens.create(
            session, asked.name, Role(asked.role), actor=caller.subject, at=now, expires_at=until
        )
        secret = Secret(made.name, text)
        return Done()

    try:
        with office.core.database.writing() as session:
            once(session, office.visit.request, draft.values, actor=caller.subject, now=now, answer=Done, work=work)
    except TokenTakenError as error:
        return office.list(token=Draft(draft.values, {"name": error.code}))
    except RequestIdReusedError as error:
        return office.list(token=draft, refused=office.say(error))
    return office.list(secret=secret) if secret else office.list(done="made_before")


@router.post(TOKENS + "/{token_id}/revoke")
def revoke(token_id: TokenId, office: OfficeDep) -> Response:
    """From now on nobody is known by it."""
    if (caller := office.visit.administrator()) is None:
        return office.visit.to_sign_in()
    try:
        with office.core.database.writing() as session:
            tokens.revoke(session, token_id, actor=caller.subject, at=office.core.clock.now())
    except UnknownTokenError as error:
        return office.list(refused=office.say(error))
    return RedirectResponse(f"{HERE}?done=revoked#tokens", 303)
