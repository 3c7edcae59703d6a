"""The rules of fees. Pure: amounts come and go as Decimal with 2 places, the ledger's own are minor units."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal, get_args

from server.fees.payment import PaymentLine

Kind = Literal["overdue", "lost", "damage", "processing", "admin", "rental", "hold", "replacement"]
KINDS: tuple[str, ...] = get_args(Kind)
Entry = Literal["charge", "payment", "waiver", "refund", "reversal"]

CENT = Decimal("0.01")
AMOUNT = re.compile(r"[0-9]{1,6}(\.[0-9]{1,2})?")
"""As terminals send it: up to 999999.99, never a sign, a comma or an exponent."""


@dataclass(frozen=True, slots=True)
class FeeTerms:
    """What was promised for lateness when the loan began; `cap` None is no cap."""

    fee_per_open_day: Decimal = Decimal(0)
    grace_open_days: int = 0
    cap: Decimal | None = None
    grace_deducted: bool = False


@dataclass(frozen=True, slots=True)
class OpenFee:
    """What is still owed of one fee, in minor units."""

    id: int
    owed: int


@dataclass(frozen=True, slots=True)
class Part:
    """How much of a payment goes to which fee, in minor units."""

    fee_id: int
    amount: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Why not, as a stable code."""

    code: str
    params: dict[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reversal:
    """What takes a fee back: the unpaid part is waived, the paid part is waived and given back. Minor units."""

    waived: int
    refunded: int


def overdue_fee(terms: FeeTerms, open_days_late: int) -> Decimal:
    """Nothing within the grace; beyond it every open day late counts, or those after the grace if it is deducted."""
    if open_days_late <= max(0, terms.grace_open_days):
        return Decimal("0.00")
    counted = open_days_late - (terms.grace_open_days if terms.grace_deducted else 0)
    fee = (terms.fee_per_open_day * counted).quantize(CENT)
    return fee if terms.cap is None else min(fee, terms.cap.quantize(CENT))


def amount_of(text: str) -> Decimal | None:
    """A payable amount, more than 0 with at most 2 places; None for anything else."""
    if AMOUNT.fullmatch(text) is None:
        return None
    amount = Decimal(text).quantize(CENT)
    return amount if amount > 0 else None


def minor(amount: Decimal) -> int:
    """In minor units; raises ValueError where a fraction of one would be lost."""
    units = amount * 100
    if units != units.to_integral_value():
        raise ValueError(f"{amount} has more than 2 places")
    return int(units)


def major(units: int) -> Decimal:
    """With 2 places."""
    return (Decimal(units) / 100).quantize(CENT)


def decide_payment(
    fees: Sequence[OpenFee], amount: Decimal, *, fee_id: int | None = None
) -> tuple[Part, ...] | Refused:
    """Which fees an amount settles: the one named, else all as they are ordered, oldest first; never more than owed."""
    if amount_of(str(amount)) is None:
        return Refused("payment_amount")
    chosen = [fee for fee in fees if fee_id in (None, fee.id)]
    if fee_id is not None and not chosen:
        return Refused("unknown_fee")
    left, owed = minor(amount), sum(fee.owed for fee in chosen)
    if left > owed:
        return Refused("overpaid", {"owed": f"{major(owed)}"})
    parts = []
    for fee in chosen:
        share = min(left, fee.owed)
        if share:
            parts.append(Part(fee.id, share))
        left -= share
    return tuple(parts)


def decide_waiver(
    fees: Sequence[OpenFee], amount: Decimal | None, reason: str, *, fee_id: int | None = None
) -> tuple[Part, ...] | Refused:
    """What of which fees is forgiven, chosen as for a payment: all that is owed, or less. It needs a reason."""
    if not reason.strip():
        return Refused("reason_required")
    chosen = [fee for fee in fees if fee_id in (None, fee.id)]
    if not chosen:
        return Refused("unknown_fee")
    if amount is None:
        return tuple(Part(fee.id, fee.owed) for fee in chosen)
    return decide_payment(chosen, amount)


def reversal(owed: int, paid: int) -> Reversal:
    """What takes back a fee of which `owed` is open and `paid` was paid and not yet given back."""
    return Reversal(waived=owed + paid, refunded=paid)


def refuse_undo(payment: Sequence[PaymentLine], kept: Mapping[int, int], *, since: datetime) -> Refused | None:
    """Why a payment stays; None when it can be undone. `kept` is what of each fee was paid and not given back."""
    if not payment:
        return Refused("unknown_payment")
    if any(line.undone for line in payment):
        return Refused("payment_undone")
    if any(line.at < since for line in payment):
        return Refused("undo_too_late")
    given_back = any(kept.get(line.fee_id, 0) < line.amount for line in payment)
    return Refused("payment_refunded") if given_back else None
