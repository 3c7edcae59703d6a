"""A payment as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PaymentLine:
    """A line of the ledger that a payment wrote, in minor units; `undone` when another line reverses it."""

    id: int
    fee_id: int
    amount: int
    at: datetime
    actor: str
    means: str
    undone: bool = False
