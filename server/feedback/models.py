"""Tables of the feedback domain."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base


class CounterRow(Base):
    """The last number given in a year. Whoever takes the next one holds the row until the commit: no gap, no twins."""

    __tablename__ = "feedback_counter"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class CaseRow(Base):
    """What somebody told the library. Without `patron_id` it was told by nobody known; `owner` is a colleague's name
    for signing in, or empty."""

    __tablename__ = "feedback_case"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'answered', 'closed', 'reopened')", name="state"),
        CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
        Index("ix_feedback_case_state_due", "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(16), unique=True)
    patron_id: Mapped[int | None] = mapped_column(ForeignKey("patron.id"), index=True)
    contact: Mapped[str] = mapped_column(String(300), default="")
    kind: Mapped[str] = mapped_column(String(16))
    place: Mapped[str] = mapped_column(String(300), default="")
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12))
    owner: Mapped[str] = mapped_column(String(64), default="")
    opened_at: Mapped[datetime] = mapped_column(index=True)
    due_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    escalated_at: Mapped[datetime | None]
    rating: Mapped[int | None]


class NoteRow(Base):
    """Something said about a case: an answer, a note, or the reader's reason to open it again."""

    __tablename__ = "feedback_note"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("feedback_case.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime]
