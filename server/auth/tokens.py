"""Tokens of machines and of other programs: named, with one role, revocable."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from server.audit import service as audit
from server.auth import repository
from server.auth.errors import TokenTakenError, UnknownTokenError
from server.auth.models import ApiToken
from server.db import Database
from server.deps import Principal, Role

PREFIX = "carrel_"
"""Tells a token from a person's session, and lets programs that look for leaked secrets find one."""

ROLES = (Role.KIOSK, Role.GATEWAY, Role.INTEGRATION)
USE_REMEMBERED_EVERY = timedelta(hours=1)
"""Last use is for people who clear up: to the hour is enough, and reading requests stay reading."""


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token; the token itself is told once, when it is made."""

    id: int
    name: str
    role: Role
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    last_used_at: datetime | None


def create(
    session: Session, name: str, role: Role, *, actor: str, at: datetime, expires_at: datetime | None = None
) -> tuple[Token, str]:
    """A new token and what is known of it; raises TokenTakenError."""
    secret = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken(
        name=name, role=role.value, token_hash=_hash(secret), created_at=at, created_by=actor[:80],
        expires_at=expires_at,
    )  # fmt: skip
    if not repository.add_token(session, row):
        raise TokenTakenError
    audit.record(
        session, actor=actor, action="token.create", target=f"token:{row.id}", at=at, detail={"role": role.value}
    )
    return _value(row), secret


def listed(session: Session) -> list[Token]:
    """All that were not revoked, expired ones too."""
    return [_value(row) for row in repository.tokens(session)]


def revoke(session: Session, token_id: int, *, actor: str, at: datetime) -> None:
    """From now on nobody is known by it; raises UnknownTokenError."""
    row = repository.get_token_by_id(session, token_id)
    if row is None or row.revoked_at is not None:
        raise UnknownTokenError
    row.revoked_at = at
    audit.record(session, actor=actor, action="token.revoke", target=f"token:{token_id}", at=at)


def identify(database: Database, session: Session, secret: str, now: datetime) -> Principal | None:
    """Who calls with this token; None for one that is unknown, revoked or expired."""
    row = repository.get_token(session, _hash(secret))
    if row is None or row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
        return None
    if row.last_used_at is None or now - row.last_used_at >= USE_REMEMBERED_EVERY:
        with database.writing() as writing:
            repository.touch_token(writing, row.id, now)
    return Principal(
        subject=f"token:{row.id}",
        user=row.name,
        name=row.name,
        roles=frozenset({Role(row.role)}),
        expires=row.expires_at,
    )


def _value(row: ApiToken) -> Token:
    return Token(
        row.id, row.name, Role(row.role), row.created_at,
        created_by=row.created_by, expires_at=row.expires_at, last_used_at=row.last_used_at,
    )  # fmt: skip


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
