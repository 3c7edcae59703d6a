"""Tables of the notices domain."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base

STATES = ("waiting", "sending", "sent", "failed", "dropped")


class NoticeRow(Base):
    """A letter to one patron over one channel. `token` is what receivers know it by, the same at each attempt.

    `claimed_by` has it in hand until `claimed_until`. `subject` and `body` are what was sent; they and the patron are
    forgotten some time after `settled_at`.
    """

    __tablename__ = "notice"
    __table_args__ = (
        CheckConstraint("state IN ({})".format(", ".join(f"'{state}'" for state in STATES)), name="state"),
        Index("ix_notice_state_next_at", "state", "next_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(32), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    channel: Mapped[str] = mapped_column(String(16))
    patron_id: Mapped[int | None] = mapped_column(ForeignKey("patron.id"), index=True)
    state: Mapped[str] = mapped_column(String(16))
    code: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime]
    next_at: Mapped[datetime]
    attempts: Mapped[int]
    claimed_by: Mapped[str] = mapped_column(String(32))
    claimed_until: Mapped[datetime | None]
    settled_at: Mapped[datetime | None] = mapped_column(index=True)
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)


class NoticeLineRow(Base):
    """What a letter is about: a loan, hold or fee (`about`) at a `step`; the database allows each once per channel."""

    __tablename__ = "notice_line"
    __table_args__ = (UniqueConstraint("about", "kind", "step", "channel"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id"), index=True)
    channel: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(16))
    about: Mapped[str] = mapped_column(String(40))
    step: Mapped[str] = mapped_column(String(40))
