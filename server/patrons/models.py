"""Tables of the patrons domain."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base


class PatronRow(Base):
    """Somebody who may borrow. The `_key` columns hold what a search compares, see policy.py."""

    __tablename__ = "patron"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = mapped_column(String(200), index=True, default="")
    pin_hash: Mapped[str] = mapped_column(String(200))
    language: Mapped[str | None] = mapped_column(String(16))
    expires_on: Mapped[date | None]
    patron_class: Mapped[str] = mapped_column(String(40), default="adult")
    born_on: Mapped[date | None]
    branch: Mapped[str] = mapped_column(String(63), default="main")
    external: Mapped[str | None] = mapped_column(String(64), unique=True)
    email: Mapped[str] = mapped_column(String(254), default="")
    email_key: Mapped[str] = mapped_column(String(254), index=True, default="")
    phone: Mapped[str] = mapped_column(String(40), default="")
    phone_key: Mapped[str] = mapped_column(String(40), index=True, default="")
    address: Mapped[str] = mapped_column(String(500), default="")
    channels: Mapped[str] = mapped_column(Text, default="[]")
    guardian_id: Mapped[int | None] = mapped_column(ForeignKey("patron.id"), index=True)
    keeps_history: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    anonymised_at: Mapped[datetime | None]


class CardRow(Base):
    """A card that was handed out; at most one of a patron's is good."""

    __tablename__ = "card"
    __table_args__ = (
        Index(
            "uq_card_active_patron",
            "patron_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="ended"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    patron_id: Mapped[int] = mapped_column(ForeignKey("patron.id"), index=True)
    issued_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None] = mapped_column(String(16))


class BlockRow(Base):
    """Why a patron may not borrow, until an instant, or until somebody lifts it."""

    __tablename__ = "patron_block"
    __table_args__ = (
        Index(
            "ix_patron_block_open",
            "patron_id",
            sqlite_where=text("lifted_at IS NULL"),
            postgresql_where=text("lifted_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    patron_id: Mapped[int] = mapped_column(ForeignKey("patron.id"), index=True)
    reason: Mapped[str] = mapped_column(String(40))
    note: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(80))
    until: Mapped[datetime | None]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None] = mapped_column(String(80))


class PatronClassRow(Base):
    """A kind of patron: what the lending rules tell apart, and how long a membership lasts."""

    __tablename__ = "patron_class"

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))
    membership_days: Mapped[int | None]
