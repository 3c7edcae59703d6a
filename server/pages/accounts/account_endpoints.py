"""Colleagues' accounts, for administrators. Every form works without scripts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import ValidationError
from starlette.responses import Response

from server.auth import accounts
from server.auth.errors import AccountTakenError, WeakSecretError
from server.auth.schemas import AccountChange, AccountRequest, PasswordReset
from server.deps import Role, public
from server.pages.accounts.work import HERE, OfficeDep
from server.pages.patrons.forms import Draft, Posted

router = APIRouter(include_in_schema=False, dependencies=[public()])

User = Annotated[str, Path(max_length=64)]
Done = Annotated[str, Query(max_length=20)]
FIELDS = ("user", "name", "role", "password")


@router.get(HERE)
def everybody(office: OfficeDep, done: Done = "") -> Response:
    """All colleagues and all tokens."""
    return office.visit.to_sign_in() if office.visit.administrator() is None else office.list(done=done)


@router.post(HERE)
def add(office: OfficeDep, draft: Posted) -> Response:
    """A new colleague."""
    if (caller := office.visit.administrator()) is None:
        return office.visit.to_sign_in()
    try:
        asked = AccountRequest.model_validate({name: draft.get(name) for name in FIELDS})
        hashed = accounts.hash_password(asked.password, asked.user)
        with office.core.database.writing() as session:
            made = accounts.add(
                session, asked.user, hashed, name=asked.name, role=Role(asked.role), actor=caller.subject,
                at=office.core.clock.now(),
            )  # fmt: skip
    except ValidationError as wrong:
        return office.list(account=_marked(draft, wrong))
    except WeakSecretError as error:
        return office.list(account=Draft(draft.values, {"password": error.code}))
    except AccountTakenError as error:
        return office.list(account=Draft(draft.values, {"user": error.code}))
    return office.to(made.user, "made")


@router.get(HERE + "/{user}")
def account(user: User, office: OfficeDep, done: Done = "") -> Response:
    """One colleague's."""
    return office.visit.to_sign_in() if office.visit.administrator() is None else office.one(user, done=done)


@router.post(HERE + "/{user}/change")
def change(user: User, office: OfficeDep, draft: Posted) -> Response:
    """Another name or role."""
    if (caller := office.visit.administrator()) is None:
        return office.visit.to_sign_in()
    try:
        asked = AccountChange.model_validate({name: draft.get(name) for name in ("name", "role")})
    except ValidationError as wrong:
        return office.one(user, draft=_marked(draft, wrong))
    role = Role(asked.role) if asked.role else None
    return office.change(caller, user, accounts.Changes(name=asked.name, role=role), done="changed")


@router.post(HERE + "/{user}/password")
def password(user: User, office: OfficeDep, draft: Posted) -> Response:
    """A new password; all sessions of the account end."""
    if (caller := office.visit.administrator()) is None:
        return office.visit.to_sign_in()
    try:
        asked = PasswordReset.model_validate({"password": draft.get("password")})
        hashed = accounts.hash_password(asked.password, user)
        with office.core.database.writing() as session:
            accounts.set_password(session, user, hashed, actor=caller.subject, at=office.core.clock.now())
    except (ValidationError, WeakSecretError) as wrong:
        code = wrong.code if isinstance(wrong, WeakSecretError) else "malformed"
        with office.core.database.reading() as session:
            found = accounts.find(session, user)
        return office.one(user, draft=Draft({"name": found.name, "role": found.role.value}, {"password": code}))
    return office.to(user, "password")


@router.post(HERE + "/{user}/end")
def end(user: User, office: OfficeDep) -> Response:
    """Sign the colleague out everywhere and let them in no more."""
    if (caller := office.visit.administrator()) is None:
        return office.visit.to_sign_in()
    return office.change(caller, user, accounts.Changes(disabled=True), done="ended")


@router.post(HERE + "/{user}/reopen")
def reopen(user: User, office: OfficeDep) -> Response:
    """Let the colleague in again."""
    if (caller := office.visit.administrator()) is None:
        return office.visit.to_sign_in()
    return office.change(caller, user, accounts.Changes(disabled=False), done="reopened")


def _marked(draft: Draft, wrong: ValidationError) -> Draft:
    return draft.with_errors(str(error["loc"][0]) for error in wrong.errors())
