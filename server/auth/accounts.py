"""Colleagues' accounts and everybody's secrets: made, changed, reset. Every change is audited."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from server import hashing
from server.audit import service as audit
from server.auth import policy, repository
from server.auth.errors import (
    AccountTakenError,
    LastAdministratorError,
    UnknownAccountError,
    WeakSecretError,
)
from server.auth.models import Account
from server.deps import STAFF, Role
from server.patrons import service as patrons
from server.patrons.policy import pin_fault

ROLES = STAFF


@dataclass(frozen=True, slots=True)
class Colleague:
    """An account as an administrator sees it; the audit log knows it as `user:NAME`, its sign-ins as `account:ID`."""

    id: int
    user: str
    name: str
    role: Role
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What to change of an account; None leaves it as it is."""

    name: str | None = None
    role: Role | None = None
    disabled: bool | None = None


def hash_password(password: str, user: str) -> str:
    """For storing; slow, so done before the transaction. Raises WeakSecretError."""
    if fault := policy.password_fault(password, user):
        raise WeakSecretError(fault)
    return hashing.make(password)


def add(
    session: Session, user: str, password_hash: str, *, name: str, role: Role, actor: str, at: datetime
) -> Colleague:
    """A new colleague; raises AccountTakenError."""
    account = Account(user=user.casefold(), name=name, role=role.value, secret=password_hash)
    if not repository.add_account(session, account):
        raise AccountTakenError
    audit.record(
        session, actor=actor, action="account.create", target=_target(account), at=at, detail={"role": role.value}
    )
    return _value(account)


def listed(session: Session) -> list[Colleague]:
    """All colleagues, by name."""
    return [_value(account) for account in repository.accounts(session)]


def find(session: Session, user: str) -> Colleague:
    """One colleague; raises UnknownAccountError."""
    return _value(_account(session, user))


def change(session: Session, user: str, changes: Changes, *, actor: str, at: datetime) -> Colleague:
    """Rename, give another role, disable or enable; raises UnknownAccountError or LastAdministratorError."""
    administrators = repository.good_administrators(session)
    account = _account(session, user)
    was = _value(account)
    if changes.name is not None:
        account.name = changes.name
    if changes.role is not None:
        account.role = changes.role.value
    if changes.disabled is not None:
        account.disabled_at = (account.disabled_at or at) if changes.disabled else None
    stays = account.role == Role.ADMINISTRATOR and account.disabled_at is None
    if administrators == [account.id] and not stays:
        raise LastAdministratorError
    if account.disabled_at is not None:
        repository.end_sign_ins(session, account_id=account.id)
    now = _value(account)
    told = {field: getattr(now, field) for field in ("role",) if getattr(now, field) != getattr(was, field)}
    if (now.disabled_at is None) != (was.disabled_at is None):
        told["disabled"] = now.disabled_at is not None
    if told or now.name != was.name:
        audit.record(session, actor=actor, action="account.change", target=_target(account), at=at, detail=told)
    return now


def set_password(session: Session, user: str, password_hash: str, *, actor: str, at: datetime) -> None:
    """A new password: old sessions end, wrong answers are forgotten. Raises UnknownAccountError."""
    account = _account(session, user)
    account.secret = password_hash
    repository.forget_wrong(session, account.user[:80])
    repository.end_sign_ins(session, account_id=account.id)
    audit.record(session, actor=actor, action="account.password", target=_target(account), at=at)


def hash_pin(pin: str, card: str) -> str:
    """For storing; slow, so done before the transaction. Raises WeakSecretError."""
    if fault := pin_fault(pin, card):
        raise WeakSecretError(fault)
    return hashing.make(pin)


def random_pin(card: str) -> str:
    """Six digits that will do."""
    while pin_fault(pin := f"{secrets.randbelow(10**6):06}", card):
        pass
    return pin


def set_pin(session: Session, patron_id: int, pin_hash: str, *, actor: str, at: datetime) -> None:
    """A new PIN: old sessions end, wrong answers are forgotten for all cards. Raises UnknownPatronError."""
    for card in patrons.set_pin(session, patron_id, pin_hash):
        repository.forget_wrong(session, card.casefold()[:80])
    repository.end_sign_ins(session, patron_id=patron_id)
    audit.record(session, actor=actor, action="patron.pin", target=f"patron:{patron_id}", at=at)


def _account(session: Session, user: str) -> Account:
    account = repository.get_account(session, user.casefold())
    if account is None:
        raise UnknownAccountError
    return account


def _value(account: Account) -> Colleague:
    return Colleague(account.id, account.user, account.name, Role(account.role), disabled_at=account.disabled_at)


def _target(account: Account) -> str:
    return f"user:{account.user}"
