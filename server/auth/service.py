"""Signing in and out, checking PINs, and knowing who calls."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock, Semaphore
from typing import Any

from sqlalchemy.orm import Session

from server import hashing
from server.audit import service as audit
from server.audit.values import Wanted
from server.auth import policy, repository, tokens
from server.auth.errors import (
    LockedError,
    PinLockedError,
    SignInLockedError,
    WrongPasswordError,
    WrongPinError,
    WrongSignInError,
)
from server.auth.models import Account, SignIn
from server.db import Database
from server.deps import MACHINES, Principal, Role
from server.patrons import service as patrons

MACHINE = Principal(subject="machine", user="machine", name="Kiosk and gateway", roles=frozenset(MACHINES))
SESSION_ID = 16
"""So many characters of a session's hash name it to its owner."""
REFUSED = "session.refused"
_TURNS = tuple(Lock() for _ in range(64))
_UNDER_WAY = Semaphore(4)
"""Tries that hold a connection for their turn, so that some are left for the others' work. Secrets are hashed one at a
time anyway."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session and the token that opens it; the token is told once."""

    principal: Principal
    token: str
    lasts_s: int


@dataclass(frozen=True, slots=True)
class RunningSession:
    """One of somebody's sessions."""

    id: str
    started_at: datetime
    expires_at: datetime
    agent: str
    current: bool


class Identifier:
    """Knows the machines' own token and looks up everybody else's."""

    def __init__(self, machine_token: str, database: Database) -> None:
        self._machine_token = machine_token.encode()
        self._database = database

    def __call__(self, session: Session, token: str, now: datetime) -> Principal | None:
        """Whose token this is; None for one that is unknown, ended or expired."""
        if hmac.compare_digest(token.encode(), self._machine_token):
            return MACHINE
        if token.startswith(tokens.PREFIX):
            return tokens.identify(self._database, session, token, now)
        sign_in = repository.get_sign_in(session, _hash(token))
        if sign_in is None or sign_in.expires_at <= now:
            return None
        if sign_in.account_id is not None:
            account = repository.get_account_by_id(session, sign_in.account_id)
            return _staff(account, sign_in.expires_at) if account and account.disabled_at is None else None
        patron = patrons.find_by_id(session, sign_in.patron_id or 0)
        return _reader(patron, sign_in.expires_at) if patron else None


def sign_in(
    database: Database, user: str, secret: str, *, now: datetime, hours: float, agent: str = ""
) -> SignedIn | WrongSignInError | SignInLockedError:
    """Open a session, or say why not; `agent` is what the caller's program calls itself.

    Short transactions of its own instead of the request's: the try is counted for good before the secret is looked
    at, so that guesses made at once are all counted, also in several servers, and no database waits while the slow
    hash is worked out. Tries for one name take turns, so that who waits for others is not taken for locked before
    these are known to be wrong.

    Colleagues' sessions and locks are audited; readers' are not, so that the log does not tell who was here when.
    """
    user = _printable(user)
    with _turn(database, user):
        if (wait_s := _count_try(database, user, now, audited=True)) is not None:
            return SignInLockedError(seconds=wait_s)
        with database.reading() as session:
            owner = _owner(session, user, secret)
        if owner is None:
            return WrongSignInError()
        with database.writing() as session:
            repository.forget_wrong(session, _subject(user))
            return _open(session, owner, now=now, hours=hours, agent=agent)


def verify_pin(
    database: Database, card: str, pin: str, *, now: datetime
) -> patrons.Patron | LockedError | WrongPinError:
    """The patron whose card and PIN these are, or why not; counts wrong answers together with those of every channel.

    Short transactions of its own, for the reasons given at `sign_in`; call it outside of others.
    """
    card = _printable(card)
    with _turn(database, card):
        if (wait_s := _count_try(database, card, now)) is not None:
            return PinLockedError(seconds=wait_s)
        with database.reading() as session:
            patron = patrons.check_pin(session, card, pin)
        if patron is None:
            return WrongPinError()
        with database.writing() as session:
            repository.forget_wrong(session, _subject(card))
        return patron


def check_password(
    database: Database, user: str, password: str, *, now: datetime
) -> WrongPasswordError | SignInLockedError | None:
    """Why this is not the colleague's password; None when it is. Counts wrong answers together with those at the
    sign-in, since whoever holds a session is not always its owner; short transactions as there."""
    with _turn(database, user):
        if (wait_s := _count_try(database, user, now, audited=True)) is not None:
            return SignInLockedError(seconds=wait_s)
        with database.reading() as session:
            account = repository.get_account(session, user)
            right = hashing.matches(account.secret if account else hashing.NOBODY, password) and account is not None
        if not right:
            return WrongPasswordError()
        with database.writing() as session:
            repository.forget_wrong(session, _subject(user))
        return None


def sign_out(session: Session, token: str, now: datetime) -> None:
    """End the session of this token."""
    token_hash = _hash(token)
    account_id = repository.end_sign_in(session, token_hash)
    account = repository.get_account_by_id(session, account_id) if account_id is not None else None
    if account is not None:
        _record(session, "session.end", account, token_hash, at=now)


def sessions_of(session: Session, token: str, now: datetime) -> list[RunningSession]:
    """All running sessions of whoever has this token; none for machines."""
    own = repository.get_sign_in(session, _hash(token))
    if own is None:
        return []
    return [
        RunningSession(
            row.token_hash[:SESSION_ID], row.started_at, row.expires_at, row.agent, row.token_hash == own.token_hash
        )
        for row in repository.sign_ins(session, own, now)
    ]


def end_session(session: Session, token: str, session_id: str, now: datetime) -> None:
    """End another session of whoever has this token; one that they do not have, or no longer, is as good as ended."""
    own = repository.get_sign_in(session, _hash(token))
    if own is None or not repository.end_sign_in_of(session, own, session_id):
        return
    account = repository.get_account_by_id(session, own.account_id) if own.account_id is not None else None
    if account is not None:
        _record(session, "session.end", account, session_id, at=now)


def sessions_about(session: Session, patron_id: int) -> list[dict[str, Any]]:
    """Where a patron is or was lately signed in, for the patron."""
    return [
        {"started_at": row.started_at, "expires_at": row.expires_at, "agent": row.agent}
        for row in repository.sign_ins_of_patron(session, patron_id)
    ]


def forget_patron(session: Session, patron_id: int, _at: datetime) -> None:
    """End every session of a patron."""
    repository.end_sign_ins(session, patron_id=patron_id)


@contextmanager
def _turn(database: Database, name: str) -> Iterator[None]:
    """To be held while a try for this name is judged: nobody judges another one for it, in whichever server."""
    subject = _subject(name)
    with _TURNS[hash(subject) % len(_TURNS)], _UNDER_WAY, database.reading() as session:
        repository.queue_up(session, subject)
        yield


def _count_try(database: Database, name: str, now: datetime, *, audited: bool = False) -> int | None:
    """Every try counts as wrong until the right secret clears the count; while locked none is made.

    The seconds to wait, or None when the try may be made.
    """
    subject = _subject(name)
    with database.writing() as session:
        repository.forget_old(session, wrong_before=now - policy.MEMORY, expired_before=now)
        wrong = repository.wrong_since(session, subject, now - policy.MEMORY)
        if until := policy.locked_until(wrong, now):
            if audited:
                _record_lock(session, name, locked_at=wrong[-1], now=now)
            return max(1, int((until - now).total_seconds()))
        repository.add_wrong(session, subject, now)
    return None


def _open(session: Session, owner: Account | patrons.Patron, *, now: datetime, hours: float, agent: str) -> SignedIn:
    expires = now + timedelta(hours=hours)
    token = secrets.token_urlsafe(32)
    row = SignIn(token_hash=_hash(token), expires_at=expires, started_at=now, agent=_printable(agent)[:120])
    if isinstance(owner, Account):
        row.account_id, principal = owner.id, _staff(owner, expires)
        _record(session, "session.start", owner, row.token_hash, at=now)
    else:
        row.patron_id, principal = owner.id, _reader(owner, expires)
    repository.add_sign_in(session, row)
    return SignedIn(principal, token, lasts_s=int(hours * 3600))


def _record(session: Session, action: str, account: Account, token_hash: str, *, at: datetime) -> None:
    audit.record(
        session, actor=f"user:{account.user}", action=action, target=_target(account), at=at,
        detail={"session": token_hash[:SESSION_ID]},
    )  # fmt: skip


def _record_lock(session: Session, name: str, *, locked_at: datetime, now: datetime) -> None:
    """Once for each lock: who goes on guessing must not fill a log that cannot be cleared."""
    account = repository.get_account(session, name.casefold())
    if account is None:
        return
    told = Wanted(target=_target(account), action=REFUSED, since=locked_at)
    if not audit.page(session, told, limit=1):
        audit.record(session, actor="sign_in", action=REFUSED, target=_target(account), at=now)


def _target(account: Account) -> str:
    return f"account:{account.id}"


def _owner(session: Session, user: str, secret: str) -> Account | patrons.Patron | None:
    """The account or patron that this name and secret belong to; an unknown name takes as long."""
    account = repository.get_account(session, user.casefold())
    if account is not None:
        return account if hashing.matches(account.secret, secret) and account.disabled_at is None else None
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
        subject=f"patron:{patron.id}",
        user=patron.card,
        name=patron.name,
        roles=frozenset({Role.READER}),
        card=patron.card,
        expires=expires,
        patron_id=patron.id,
    )


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())


def _subject(name: str) -> str:
    """Under which wrong answers are counted: one for all channels."""
    return name.casefold()[:80]


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
