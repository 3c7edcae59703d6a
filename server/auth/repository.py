"""All SQL of the auth domain."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from server.auth.models import Account, ApiToken, SignIn, WrongSecret
from server.db.transaction import kind_of


def get_account(session: Session, user: str) -> Account | None:
    """The account of this name."""
    return session.scalars(select(Account).where(Account.user == user)).one_or_none()


def get_account_by_id(session: Session, account_id: int) -> Account | None:
    """The account of a session."""
    return session.get(Account, account_id)


def add_account(session: Session, account: Account) -> bool:
    """Whether the name was free."""
    try:
        with session.begin_nested():
            session.add(account)
    except IntegrityError:
        return False
    return True


_TRYING = 2
"""Of the locks with two keys; holds have another."""


def queue_up(session: Session, subject: str) -> None:
    """Let tries for one subject follow each other in all servers, until the transaction ends; SQLite has one server."""
    if kind_of(session) == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_TRYING, func.hashtext(subject))))


def wrong_since(session: Session, subject: str, since: datetime) -> list[datetime]:
    """When wrong answers came for this subject, oldest first."""
    query = select(WrongSecret.at).where(WrongSecret.subject == subject, WrongSecret.at >= since)
    return list(session.scalars(query.order_by(WrongSecret.at, WrongSecret.id)))


def add_wrong(session: Session, subject: str, at: datetime) -> None:
    """Remember a wrong answer."""
    session.add(WrongSecret(subject=subject, at=at))


def forget_wrong(session: Session, subject: str) -> None:
    """The right answer came."""
    session.execute(delete(WrongSecret).where(WrongSecret.subject == subject))


def forget_old(session: Session, *, wrong_before: datetime, expired_before: datetime) -> None:
    """Drop rows that decide nothing any more."""
    session.execute(delete(WrongSecret).where(WrongSecret.at < wrong_before))
    session.execute(delete(SignIn).where(SignIn.expires_at < expired_before))


def add_sign_in(session: Session, sign_in: SignIn) -> None:
    """Store a new session."""
    session.add(sign_in)
    session.flush()


def get_sign_in(session: Session, token_hash: str) -> SignIn | None:
    """The session behind a token."""
    return session.get(SignIn, token_hash)


def end_sign_in(session: Session, token_hash: str) -> int | None:
    """Forget a session; no harm if it is gone. The account that it was of, if it was a colleague's."""
    return session.scalar(delete(SignIn).where(SignIn.token_hash == token_hash).returning(SignIn.account_id))


def end_sign_ins(session: Session, *, account_id: int | None = None, patron_id: int | None = None) -> None:
    """Forget all sessions of one person."""
    owner = SignIn.account_id == account_id if account_id is not None else SignIn.patron_id == patron_id
    session.execute(delete(SignIn).where(owner))


def sign_ins(session: Session, owner: SignIn, now: datetime) -> list[SignIn]:
    """The running sessions of whoever has this one, newest first."""
    query = select(SignIn).where(SignIn.expires_at > now).order_by(SignIn.started_at.desc(), SignIn.token_hash)
    return list(session.scalars(query.where(_same_owner(owner))))


def sign_ins_of_patron(session: Session, patron_id: int) -> list[SignIn]:
    """All that are stored, newest first."""
    query = select(SignIn).where(SignIn.patron_id == patron_id)
    return list(session.scalars(query.order_by(SignIn.started_at.desc(), SignIn.token_hash)))


def end_sign_in_of(session: Session, owner: SignIn, prefix: str) -> bool:
    """Whether a session of the same person began with this and was ended."""
    mine = _same_owner(owner) & SignIn.token_hash.startswith(prefix, autoescape=True)
    hashes = list(session.scalars(select(SignIn.token_hash).where(mine)))
    session.execute(delete(SignIn).where(SignIn.token_hash.in_(hashes)))
    return bool(hashes)


def _same_owner(owner: SignIn) -> ColumnElement[bool]:
    if owner.account_id is not None:
        return SignIn.account_id == owner.account_id
    return SignIn.patron_id == owner.patron_id


def accounts(session: Session) -> list[Account]:
    """All colleagues, by name."""
    return list(session.scalars(select(Account).order_by(Account.user)))


def good_administrators(session: Session) -> list[int]:
    """Keys of the administrators who can sign in, locked until the transaction ends."""
    query = select(Account.id).where(Account.role == "administrator", Account.disabled_at.is_(None))
    return list(session.scalars(query.order_by(Account.id).with_for_update()))


def add_token(session: Session, token: ApiToken) -> bool:
    """Whether the name was free."""
    try:
        with session.begin_nested():
            session.add(token)
    except IntegrityError:
        return False
    return True


def get_token(session: Session, token_hash: str) -> ApiToken | None:
    """By what is kept of it."""
    return session.scalars(select(ApiToken).where(ApiToken.token_hash == token_hash)).one_or_none()


def get_token_by_id(session: Session, token_id: int) -> ApiToken | None:
    """By key."""
    return session.get(ApiToken, token_id)


def tokens(session: Session) -> list[ApiToken]:
    """All that are not revoked, by name."""
    return list(session.scalars(select(ApiToken).where(ApiToken.revoked_at.is_(None)).order_by(ApiToken.name)))


def touch_token(session: Session, token_id: int, at: datetime) -> None:
    """Remember that it is used."""
    session.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=at))
