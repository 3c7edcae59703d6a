"""Tables of the auth domain."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
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
    disabled_at: Mapped[datetime | None]


class SignIn(Base):
    """A running session of an account or of a patron; the token itself is not kept, only its hash."""

    __tablename__ = "sign_in"
    __table_args__ = (CheckConstraint("(account_id IS NULL) <> (patron_id IS NULL)", name="one_owner"),)

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    patron_id: Mapped[int | None] = mapped_column(ForeignKey("patron.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    started_at: Mapped[datetime]
    agent: Mapped[str] = mapped_column(String(120), default="")


class WrongSecret(Base):
    """One wrong password or PIN, for the throttle."""

    __tablename__ = "wrong_secret"

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(String(80), index=True)
    at: Mapped[datetime] = mapped_column(index=True)


class ApiToken(Base):
    """What a machine or another program calls with; the token itself is not kept, only its hash."""

    __tablename__ = "api_token"
    __table_args__ = (
        Index(
            "uq_api_token_good_name",
            "name",
            unique=True,
            sqlite_where=text("revoked_at IS NULL"),
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(32))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(80))
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
