"""Tables of the fees domain. Amounts are minor units (cents, fen); what is owed is always a sum."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base

SIGNS = "(entry IN ('charge', 'refund', 'reversal') AND amount > 0) OR (entry IN ('payment', 'waiver') AND amount < 0)"
REVERSAL = "(entry = 'reversal') = (reverses IS NOT NULL)"


class FeeRow(Base):
    """What a patron was charged for. Loan and item are forgotten once the fee is settled and privacy asks for it."""

    __tablename__ = "fee"

    id: Mapped[int] = mapped_column(primary_key=True)
    patron_id: Mapped[int] = mapped_column(ForeignKey("patron.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    loan_id: Mapped[int | None] = mapped_column(ForeignKey("loan.id"), index=True)
    item_id: Mapped[int | None] = mapped_column(ForeignKey("item.id"))
    reason: Mapped[str] = mapped_column(String(200), default="")
    charged_at: Mapped[datetime]


class EntryRow(Base):
    """A line of the ledger; the database refuses to change or delete one. A payment is undone by a line that
    `reverses` its own, once: so says the database too."""

    __tablename__ = "fee_entry"
    __table_args__ = (
        CheckConstraint(SIGNS, name="sign"),
        CheckConstraint(REVERSAL, name="reversal"),
        Index("ix_fee_entry_patron", "patron_id", "amount"),
        Index("uq_fee_entry_reverses", "reverses", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    fee_id: Mapped[int] = mapped_column(ForeignKey("fee.id"), index=True)
    patron_id: Mapped[int] = mapped_column(ForeignKey("patron.id"))
    entry: Mapped[str] = mapped_column(String(8))
    amount: Mapped[int]
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(80))
    means: Mapped[str] = mapped_column(String(20), default="")
    payment_id: Mapped[str] = mapped_column(String(64), default="")
    reason: Mapped[str] = mapped_column(String(200), default="")
    reverses: Mapped[int | None] = mapped_column(ForeignKey("fee_entry.id"))


class PaymentRow(Base):
    """The payment journal: what was answered to a caller's `payment_id`, so that a repeat books nothing. Like the lines
    of the ledger that a payment wrote it is kept for good: a terminal may repeat itself after weeks."""

    __tablename__ = "fee_payment"

    actor: Mapped[str] = mapped_column(String(80), primary_key=True)
    payment_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    patron_id: Mapped[int] = mapped_column(ForeignKey("patron.id"))
    amount: Mapped[int]
    answer: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime]
