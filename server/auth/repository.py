"""All SQL of the auth domain."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from server.auth.models import Account, SignIn, WrongSecret


def get_account(session: Session, user: str) -> Account | None:
    """The account of this name."""
    return session.scalars(select(Account).where(Account.user == user)).one_or_none()


def get_account_by_id(session: Session, account_id: int) -> Account | None:
    """The account of a session."""
    return session.get(Account, account_id)


def add_account(session: Session, account: Account) -> None:
    """Store a new account."""
    session.add(account)
    session.flush()


def queue_up(session: Session, subject: str) -> None:
    """Let tries for one subject follow each other, so that parallel guesses are all counted."""
    if session.get_bind().dialect.name == "postgresql":  # SQLite's writers queue anyway
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext(subject))))


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


def end_sign_in(session: Session, token_hash: str) -> None:
    """Forget a session; no harm if it is gone."""
    session.execute(delete(SignIn).where(SignIn.token_hash == token_hash))
