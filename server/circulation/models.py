"""Tables of the circulation domain."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base

OPEN = text("checked_in_at IS NULL")
NUMBERED = text("counter IS NOT NULL")


class LoanRow(Base):
    """One loan of one item; open until `checked_in_at` is set. The database allows an item one open loan.

    What was promised for lateness is kept with it (money in minor units). `patron_id` is forgotten some time after the
    return; class, type and branch stay for statistics. `ended` says how: returned, implicit (lent to somebody else),
    lost or replay (known too late).
    """

    __tablename__ = "loan"
    __table_args__ = (
        Index("uq_loan_open_item", "item_id", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
        Index("ix_loan_open_patron", "patron_id", sqlite_where=OPEN, postgresql_where=OPEN),
        Index("ix_loan_item_id_checked_in_at", "item_id", "checked_in_at"),
        Index("ix_loan_patron_id_checked_in_at", "patron_id", "checked_in_at"),
        {"sqlite_autoincrement": True},  # no number twice, also after an undo: terminals name it
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    patron_id: Mapped[int | None] = mapped_column(ForeignKey("patron.id"))
    checked_out_at: Mapped[datetime]
    due_at: Mapped[datetime]
    renewals: Mapped[int] = mapped_column(default=0)
    checked_in_at: Mapped[datetime | None]
    branch: Mapped[str] = mapped_column(String(63), default="main")
    patron_class: Mapped[str] = mapped_column(String(40), default="")
    item_type: Mapped[str] = mapped_column(String(40), default="")
    channel: Mapped[str] = mapped_column(String(16), default="desk")
    fee_per_open_day: Mapped[int] = mapped_column(default=0)
    grace_open_days: Mapped[int] = mapped_column(default=0)
    grace_deducted: Mapped[bool] = mapped_column(default=False)
    fee_cap: Mapped[int | None]
    ended: Mapped[str | None] = mapped_column(String(16))
    ended_at: Mapped[datetime | None]
    """When the end was recorded; `checked_in_at` is when it counts, which may be before."""
    lost_at: Mapped[datetime | None]
    """Of a lost loan that a return has ended after all: when it had been given up."""


class RenewalRow(Base):
    """When a loan was renewed: the first time, the second time. Who had it is the loan's to tell, and to forget.

    `due_before` and the rest is what had been promised until then, so that a renewal can be undone; None of renewals
    made before it was kept.
    """

    __tablename__ = "loan_renewal"

    loan_id: Mapped[int] = mapped_column(ForeignKey("loan.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    due_before: Mapped[datetime | None]
    fee_per_open_day: Mapped[int | None]
    grace_open_days: Mapped[int | None]
    fee_cap: Mapped[int | None]
    grace_deducted: Mapped[bool | None]


class ReplayedRow(Base):
    """A row of somebody's offline journal that has come: so that it counts once."""

    __tablename__ = "circulation_replayed"
    __table_args__ = (
        Index(
            "uq_circulation_replayed_kiosk_counter",
            "kiosk",
            "counter",
            unique=True,
            sqlite_where=NUMBERED,
            postgresql_where=NUMBERED,
        ),
        Index("uq_circulation_replayed_kiosk_request_id", "kiosk", "request_id", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kiosk: Mapped[str] = mapped_column(String(63))
    counter: Mapped[int | None] = mapped_column(BigInteger)
    request_id: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[datetime] = mapped_column(index=True)
    answer: Mapped[str] = mapped_column(Text, default="")
