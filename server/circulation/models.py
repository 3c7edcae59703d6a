"""Tables of the circulation domain."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base

OPEN = text("checked_in_at IS NULL")


class LoanRow(Base):
    """One loan of one item; open until `checked_in_at` is set. The database allows an item one open loan."""

    __tablename__ = "loan"
    __table_args__ = (
        Index("uq_loan_open_item", "item_id", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
        Index("ix_loan_open_patron", "patron_id", sqlite_where=OPEN, postgresql_where=OPEN),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    patron_id: Mapped[int] = mapped_column(ForeignKey("patron.id"))
    checked_out_at: Mapped[datetime]
    due_at: Mapped[datetime]
    renewals: Mapped[int] = mapped_column(default=0)
    checked_in_at: Mapped[datetime | None]


class AnswerRow(Base):
    """The request journal: what was answered to a caller's `request_id`, so that a repeat gets the same."""

    __tablename__ = "circulation_answer"

    actor: Mapped[str] = mapped_column(String(80), primary_key=True)
    request_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    answer: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime] = mapped_column(index=True)
