"""Tables of the holds domain."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base

OPEN = text("closed_at IS NULL")
SET_ASIDE = text("closed_at IS NULL AND filled_item_id IS NOT NULL")
STATES = ("waiting", "in_transit", "ready", "fulfilled", "cancelled", "expired")


class HoldRow(Base):
    """A patron's place in the queue for a title, or for one of its items (`item_id`).

    `filled_item_id` is the item that is on its way or set aside; `loan_id` the loan that fulfilled the hold. A patron
    has one open hold on a title, an item is set aside for one.
    """

    __tablename__ = "hold"
    __table_args__ = (
        CheckConstraint("state IN ({})".format(", ".join(f"'{state}'" for state in STATES)), name="state"),
        Index("uq_hold_open_patron_record", "patron_id", "record_id", unique=True, sqlite_where=OPEN,
              postgresql_where=OPEN),
        Index("ix_hold_open_record", "record_id", sqlite_where=OPEN, postgresql_where=OPEN),
        Index("uq_hold_set_aside", "filled_item_id", unique=True, sqlite_where=SET_ASIDE, postgresql_where=SET_ASIDE),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    patron_id: Mapped[int | None] = mapped_column(ForeignKey("patron.id"))
    record_id: Mapped[int] = mapped_column(ForeignKey("record.id"))
    item_id: Mapped[int | None] = mapped_column(ForeignKey("item.id"))
    pickup: Mapped[str] = mapped_column(String(63))
    placed_at: Mapped[datetime]
    expires_on: Mapped[date | None]
    paused: Mapped[bool] = mapped_column(default=False)
    paused_until: Mapped[date | None]
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    filled_item_id: Mapped[int | None] = mapped_column(ForeignKey("item.id"))
    ready_at: Mapped[datetime | None]
    ready_until: Mapped[datetime | None]
    closed_at: Mapped[datetime | None] = mapped_column(index=True)
    loan_id: Mapped[int | None] = mapped_column(index=True)
