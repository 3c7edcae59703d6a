"""`/api/v1/accounts` and `/api/v1/tokens`: who works here and what calls here. For administrators."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path

from server.auth import accounts, tokens
from server.auth.schemas import (
    AccountChange,
    AccountRequest,
    AccountResponse,
    AccountsResponse,
    NewTokenResponse,
    PasswordReset,
    TokenRequest,
    TokenResponse,
    TokensResponse,
)
from server.deps import CoreDep, Principal, ReadSession, Role, WriteSession, require

router = APIRouter(prefix="/api/v1", tags=["administration"])

Administrator = Annotated[Principal, require(Role.ADMINISTRATOR)]
User = Annotated[str, Path(max_length=64)]
TokenId = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("/accounts")
def all_accounts(session: ReadSession, _who: Administrator) -> AccountsResponse:
    """All colleagues."""
    return AccountsResponse(accounts=[_account(one) for one in accounts.listed(session)])


@router.post("/accounts", status_code=201)
def create_account(body: AccountRequest, core: CoreDep, who: Administrator) -> AccountResponse:
    """A new colleague."""
    hashed = accounts.hash_password(body.password, body.user)
    with core.database.writing() as session:
        made = accounts.add(
            session, body.user, hashed, name=body.name, role=Role(body.role), actor=who.subject, at=core.clock.now()
        )
    return _account(made)


@router.patch("/accounts/{user}")
def change_account(
    user: User, body: AccountChange, session: WriteSession, *, core: CoreDep, who: Administrator
) -> AccountResponse:
    """Rename, give another role, disable or enable. A disabled colleague is signed out everywhere at once."""
    role = Role(body.role) if body.role else None
    changes = accounts.Changes(name=body.name, role=role, disabled=body.disabled)
    return _account(accounts.change(session, user, changes, actor=who.subject, at=core.clock.now()))


@router.put("/accounts/{user}/password", status_code=204)
def reset_password(user: User, body: PasswordReset, core: CoreDep, who: Administrator) -> None:
    """Set a colleague's password; their sessions end."""
    hashed = accounts.hash_password(body.password, user)
    with core.database.writing() as session:
        accounts.set_password(session, user, hashed, actor=who.subject, at=core.clock.now())


@router.get("/tokens")
def all_tokens(session: ReadSession, _who: Administrator) -> TokensResponse:
    """All tokens that are not revoked."""
    return TokensResponse(tokens=[TokenResponse(**asdict(one)) for one in tokens.listed(session)])


@router.post("/tokens", status_code=201)
def create_token(body: TokenRequest, session: WriteSession, *, core: CoreDep, who: Administrator) -> NewTokenResponse:
    """A new token; it is told in this answer and never again."""
    made, secret = tokens.create(
        session, body.name, Role(body.role), actor=who.subject, at=core.clock.now(), expires_at=body.expires_at
    )
    return NewTokenResponse(token=secret, **asdict(made))


@router.delete("/tokens/{token_id}", status_code=204)
def revoke_token(token_id: TokenId, session: WriteSession, *, core: CoreDep, who: Administrator) -> None:
    """From now on nobody is known by this token."""
    tokens.revoke(session, token_id, actor=who.subject, at=core.clock.now())


def _account(one: accounts.Colleague) -> AccountResponse:
    return AccountResponse(**asdict(one))
