"""Tables of the suggestions domain."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base


class SuggestionRow(Base):
    """A title that somebody would have bought. Who it was stands with the votes.

    `isbn` has 13 digits or none; the keys are what the catalogue's index makes of title and author.
    """

    __tablename__ = "purchase_suggestion"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'ordered', 'arrived', 'declined')", name="state"),
        CheckConstraint("state <> 'arrived' OR record_id IS NOT NULL", name="arrived"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(300))
    author: Mapped[str] = mapped_column(String(300), default="")
    isbn: Mapped[str] = mapped_column(String(13), index=True, default="")
    title_key: Mapped[str] = mapped_column(String(600), index=True)
    author_key: Mapped[str] = mapped_column(String(600), default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(10), index=True)
    answer: Mapped[str] = mapped_column(Text, default="")
    record_id: Mapped[int | None] = mapped_column(ForeignKey("record.id"))
    created_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]


class VoteRow(Base):
    """One patron's vote; `first` is that of whoever suggested it. A forgotten patron's vote stays as nobody's."""

    __tablename__ = "suggestion_vote"
    __table_args__ = (
        Index("uq_suggestion_vote_patron", "suggestion_id", "patron_id", unique=True),
        Index("ix_suggestion_vote_patron_at", "patron_id", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    suggestion_id: Mapped[int] = mapped_column(ForeignKey("purchase_suggestion.id", ondelete="CASCADE"))
    patron_id: Mapped[int | None] = mapped_column(ForeignKey("patron.id"))
    first: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime]
