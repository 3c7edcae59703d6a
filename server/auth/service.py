"""Signing in and out, and knowing who calls."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from server import hashing
from server.auth import policy, repository
from server.auth.errors import SignInLockedError, WrongSignInError
from server.auth.models import Account, SignIn
from server.db import Database
from server.deps import MACHINES, Principal, Role
from server.patrons import service as patrons

MACHINE = Principal(subject="machine", user="machine", name="Kiosk and gateway", roles=frozenset(MACHINES))


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session and the token that opens it; the token is told once."""

    principal: Principal
    token: str
    lasts_s: int


class Identifier:
    """Knows the machines' token and looks up everybody else's."""

    def __init__(self, machine_token: str) -> None:
        self._machine_token = machine_token.encode()

    def __call__(self, session: Session, token: str, now: datetime) -> Principal | None:
        """Whose token this is; None for one that is unknown, ended or expired."""
        if hmac.compare_digest(token.encode(), self._machine_token):
            return MACHINE
        sign_in = repository.get_sign_in(session, _hash(token))
        if sign_in is None or sign_in.expires_at <= now:
            return None
        if sign_in.account_id is not None:
            account = repository.get_account_by_id(session, sign_in.account_id)
            return _staff(account, sign_in.expires_at) if account else None
        patron = patrons.get(session, sign_in.patron_id or 0)
        return _reader(patron, sign_in.expires_at) if patron else None


def sign_in(
    database: Database, user: str, secret: str, *, now: datetime, hours: float
) -> SignedIn | WrongSignInError | SignInLockedError:
    """Open a session, or say why not.

    Short transactions of its own instead of the request's: the try is counted for good before the secret is looked
    at, so that guesses made at once are all counted, and no lock is held while the slow hash is worked out.
    """
    user = "".join(character for character in user if character.isprintable())
    subject = user.casefold()[:80]
    with database.writing() as session:
        if locked := _count_try(session, subject, now):
            return locked
    with database.reading() as session:
        owner = _owner(session, user, secret)
    if owner is None:
        return WrongSignInError()
    with database.writing() as session:
        repository.forget_wrong(session, subject)
        return _open(session, owner, now=now, hours=hours)


def sign_out(session: Session, token: str) -> None:
    """End the session of this token."""
    repository.end_sign_in(session, _hash(token))


def add_account(session: Session, user: str, password_hash: str, *, name: str, role: Role) -> None:
    """A new colleague; the password comes hashed, since hashing is slow and can be done beforehand."""
    repository.add_account(session, Account(user=user.casefold(), name=name, role=role.value, secret=password_hash))


def _count_try(session: Session, subject: str, now: datetime) -> SignInLockedError | None:
    """Every try counts as wrong until the right secret clears the count; while locked none is made."""
    repository.queue_up(session, subject)
    repository.forget_old(session, wrong_before=now - policy.MEMORY, expired_before=now)
    if until := policy.locked_until(repository.wrong_since(session, subject, now - policy.MEMORY), now):
        return SignInLockedError(seconds=max(1, int((until - now).total_seconds())))
    repository.add_wrong(session, subject, now)
    return None


def _open(session: Session, owner: Account | patrons.Patron, *, now: datetime, hours: float) -> SignedIn:
    expires = now + timedelta(hours=hours)
    token = secrets.token_urlsafe(32)
    row = SignIn(token_hash=_hash(token), expires_at=expires)
    if isinstance(owner, Account):
        row.account_id, principal = owner.id, _staff(owner, expires)
    else:
        row.patron_id, principal = owner.id, _reader(owner, expires)
    repository.add_sign_in(session, row)
    return SignedIn(principal, token, lasts_s=int(hours * 3600))


def _owner(session: Session, user: str, secret: str) -> Account | patrons.Patron | None:
    """The account or patron that this name and secret belong to; an unknown name takes as long."""
    account = repository.get_account(session, user.casefold())
    if account is not None:
        return account if hashing.matches(account.secret, secret) else None
    return patrons.check_pin(session, user, secret)


def _staff(account: Account, expires: datetime) -> Principal:
    return Principal(
        subject=f"user:{account.user}",
        user=account.user,
        name=account.name,
        roles=frozenset({Role(account.role)}),
        expires=expires,
    )


def _reader(patron: patrons.Patron, expires: datetime) -> Principal:
    return Principal(
        subject=f"card:{patron.card}",
        user=patron.card,
        name=patron.name,
        roles=frozenset({Role.READER}),
        card=patron.card,
        expires=expires,
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
