"""Tables of the auth domain."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base


class Account(Base):
    """Somebody who works here."""

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(primary_key=True)
    user: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(32))
    secret: Mapped[str] = mapped_column(String(200))


class SignIn(Base):
    """A running session of an account or of a patron; the token itself is not kept, only its hash."""

    __tablename__ = "sign_in"
    __table_args__ = (CheckConstraint("(account_id IS NULL) <> (patron_id IS NULL)", name="one_owner"),)

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    patron_id: Mapped[int | None] = mapped_column(ForeignKey("patron.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class WrongSecret(Base):
    """One wrong password or PIN, for the throttle."""

    __tablename__ = "wrong_secret"

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(String(80), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
