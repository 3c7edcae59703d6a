"""Fees: charging, paying, waiving, and taking back what was charged for something that turned up.

The ledger is append-only: a patron's balance is the sum of its lines. Payments wait for each other on the patron's
fees, after every other lock of a request (patron, items, holds) and before the audit log's.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from server.audit import service as audit
from server.fees import policy, repository
from server.fees.models import FeeRow, PaymentRow
from server.fees.policy import Kind, Part, Refused, major, minor

RAISING = ("charge", "refund")
UNDONE = "undone"
"""In place of a payment's answer: it was made undone, and its number is good for nothing more."""


@dataclass(frozen=True, slots=True)
class Fee:
    """A fee and what is still owed of it."""

    id: int
    patron_id: int
    kind: str
    amount: Decimal
    owed: Decimal
    charged_at: datetime
    reason: str
    loan_id: int | None
    item_id: int | None


@dataclass(frozen=True, slots=True)
class PaidPart:
    """How much of a payment went to which fee."""

    fee_id: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment that is booked; a repeat gets the first answer. `balance` is what was owed afterwards."""

    payment_id: str
    amount: Decimal
    balance: Decimal
    parts: tuple[PaidPart, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the ledger as people read it; `amount` is positive where it raises what is owed."""

    at: datetime
    entry: str
    kind: str
    amount: Decimal
    fee_id: int
    actor: str
    means: str
    payment_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What a cancelled charge gives back; `refunded` is money to hand out."""

    waived: Decimal
    refunded: Decimal


@dataclass(frozen=True, slots=True)
class Booked:
    """The sum of one kind of ledger lines in a quarter of an hour; less than 0 where more was undone than paid."""

    quarter: int
    entry: str
    amount: Decimal


def charge(  # noqa: PLR0913  # a line of the ledger has that many columns
    session: Session, patron_id: int, kind: Kind, amount: Decimal, *, at: datetime, actor: str,
    loan_id: int | None = None, item_id: int | None = None, reason: str = "",
) -> int:  # fmt: skip
    """A new fee's key; raises ValueError for an amount that is not more than 0 with at most 2 places."""
    units = minor(amount)
    if units <= 0:
        raise ValueError(f"a fee of {amount}: it must be more than 0")
    values: dict[str, object] = {
        "patron_id": patron_id, "kind": kind, "loan_id": loan_id, "item_id": item_id, "reason": reason[:200],
        "charged_at": at,
    }  # fmt: skip
    fee_id = repository.add_fee(session, values)
    line = {"fee_id": fee_id, "patron_id": patron_id, "entry": "charge", "amount": units, "at": at, "actor": actor}
    repository.add_entries(session, [line])
    _audit(session, "fee.charge", fee_id, at=at, actor=actor, detail={"kind": kind, "amount": f"{major(units)}"})
    return fee_id


def balance(session: Session, patron_id: int) -> Decimal:
    """What the patron owes."""
    return major(repository.balance(session, patron_id))


def fees_of(session: Session, patron_id: int) -> list[Fee]:
    """The patron's open fees, oldest first."""
    return [_fee(sums) for sums in repository.open_fees(session, patron_id)]


def open_since(session: Session, at: datetime) -> list[Fee]:
    """All open fees of those patrons who were charged anything since an instant, patron by patron, oldest first."""
    return [_fee(sums) for sums in repository.open_of_charged(session, at)]


def ledger_of(session: Session, patron_id: int) -> list[Line]:
    """Everything that was booked for the patron, oldest first."""
    return [
        Line(
            entry.at, entry.entry, fee.kind, major(entry.amount),
            fee_id=fee.id, actor=entry.actor, means=entry.means, payment_id=entry.payment_id, reason=entry.reason,
        )
        for entry, fee in repository.entries_of(session, patron_id)
    ]  # fmt: skip


def about_patron(session: Session, patron_id: int) -> list[dict[str, Any]]:
    """What a person is shown of the ledger: every line, without who booked it."""
    lines = (asdict(line) for line in ledger_of(session, patron_id))
    return [{name: value for name, value in line.items() if name != "actor"} for line in lines]


def count_open(session: Session, patron_id: int) -> int:
    """How many fees must be settled before a person can be forgotten; settled lines stay, as books must."""
    return len(fees_of(session, patron_id))


def pay(
    session: Session, patron_id: int, amount: Decimal | None, *, payment_id: str, means: str, actor: str, at: datetime,
    fee_id: int | None = None,
) -> Paid | Refused:  # fmt: skip
    """Book a payment, on one fee or the oldest first; None is all that is owed of it or of them. The same `payment_id`
    from the same actor is booked once, however late it comes again."""

    def find() -> PaymentRow | None:
        return repository.find_payment(session, actor, payment_id)

    if amount is None:
        owed = sum(fee.owed for fee in _owing(session, patron_id) if fee_id in (None, fee.id))
        units = before.amount if (before := find()) else owed
        if not units:
            return Refused("unknown_fee")
        amount = major(units)
    elif policy.amount_of(str(amount)) is None:
        return Refused("payment_amount")
    known = find()
    row = PaymentRow(actor=actor, payment_id=payment_id, patron_id=patron_id, amount=minor(amount), at=at)
    if known is None and not repository.claim_payment(session, row):
        known = find()
    if known is not None:
        return _answered(known, row, fee_id)
    parts = policy.decide_payment(_owing(session, patron_id), amount, fee_id=fee_id)
    if isinstance(parts, Refused):
        repository.release_payment(session, row)
        return parts
    _book(session, row, parts, means=means)
    paid = Paid(
        payment_id,
        major(row.amount),
        balance(session, patron_id),
        tuple(PaidPart(part.fee_id, major(part.amount)) for part in parts),
    )
    row.answer = _written(paid)
    return paid


def undo_payment(
    session: Session, patron_id: int, payment_id: str, *, since: datetime, actor: str, at: datetime
) -> Decimal | Refused:
    """Take a payment back that was booked at `since` or later: each of its lines gets an opposite one. How much."""
    repository.lock_fees(session, patron_id)
    payment = repository.payment(session, patron_id, payment_id)
    kept = repository.kept(session, {line.fee_id for line in payment})
    if refused := policy.refuse_undo(payment, kept, since=since):
        return refused
    rows: list[dict[str, object]] = [
        {
            "fee_id": line.fee_id, "patron_id": patron_id, "entry": "reversal", "amount": line.amount, "at": at,
            "actor": actor, "means": line.means, "payment_id": payment_id, "reverses": line.id,
        }
        for line in payment
    ]  # fmt: skip
    repository.add_entries(session, rows)
    repository.change_answer(session, payment[0].actor, payment_id, UNDONE)
    amount = major(sum(line.amount for line in payment))
    detail = {"amount": f"{amount}", "means": payment[0].means, "payment_id": payment_id}
    audit.record(session, actor=actor, action="fee.undo", target=f"patron:{patron_id}", at=at, detail=detail)
    return amount


def waive(
    session: Session, patron_id: int, *, reason: str, actor: str, at: datetime, amount: Decimal | None = None,
    fee_id: int | None = None,
) -> Decimal | Refused:  # fmt: skip
    """Forgive what a patron owes, or a part of it, of one fee or the oldest first; how much was forgiven."""
    parts = policy.decide_waiver(_owing(session, patron_id), amount, reason, fee_id=fee_id)
    if isinstance(parts, Refused):
        return parts
    rows: list[dict[str, object]] = [
        {
            "fee_id": part.fee_id, "patron_id": patron_id, "entry": "waiver", "amount": -part.amount, "at": at,
            "actor": actor, "reason": reason[:200],
        }
        for part in parts
    ]  # fmt: skip
    repository.add_entries(session, rows)
    for part in parts:
        detail = {"amount": f"{major(part.amount)}", "reason": reason}
        _audit(session, "fee.waive", part.fee_id, at=at, actor=actor, detail=detail)
    return major(sum(part.amount for part in parts))


def cancel_loan_fees(
    session: Session, loan_id: int, *, actor: str, at: datetime, reason: str, kinds: Collection[str] = policy.KINDS,
    since: datetime | None = None,
) -> TakenBack:  # fmt: skip
    """Take back what was charged for a loan, or for its last step if `since` tells when that was: the open part is
    forgiven, the paid part is to be given back."""
    waived = refunded = 0
    for sums in repository.fees_of_loan(session, loan_id):
        back = policy.reversal(sums.owed, sums.paid)
        earlier = since is not None and sums.fee.charged_at < since
        if sums.fee.kind not in kinds or earlier or not back.waived:
            continue
        lines = [_line(sums.fee, "waiver", -back.waived, at=at, actor=actor, reason=reason)]
        if back.refunded:
            lines.append(_line(sums.fee, "refund", back.refunded, at=at, actor=actor, reason=reason))
        repository.add_entries(session, lines)
        detail = {"waived": f"{major(sums.owed)}", "refunded": f"{major(back.refunded)}", "reason": reason}
        _audit(session, "fee.cancel", sums.fee.id, at=at, actor=actor, detail=detail)
        waived, refunded = waived + sums.owed, refunded + back.refunded
    return TakenBack(major(waived), major(refunded))


def restore_loan_fees(session: Session, loan_id: int, *, actor: str, at: datetime, cancelled_at: datetime) -> None:
    """Charge anew what was taken back of a loan at an instant; what was to be given back of it counts as paid."""
    for fee, waived, refunded in repository.taken_back(session, loan_id, cancelled_at):
        kept = ("patron_id", "kind", "loan_id", "item_id", "reason", "charged_at")
        fee_id = repository.add_fee(session, {name: getattr(fee, name) for name in kept})
        lines = [_line(fee, "charge", waived, at=at, actor=actor, reason="undone")]
        if refunded:
            lines.append(_line(fee, "payment", -refunded, at=at, actor=actor, reason="undone"))
        repository.add_entries(session, [line | {"fee_id": fee_id} for line in lines])
        detail = {"kind": fee.kind, "amount": f"{major(waived)}"}
        _audit(session, "fee.charge", fee_id, at=at, actor=actor, detail=detail)


def patron_of(session: Session, fee_id: int) -> int | None:
    """Whose fee this is."""
    sums = repository.fee(session, fee_id)
    return sums.fee.patron_id if sums else None


def loans_with_open_fees(session: Session, loan_ids: Iterable[int]) -> set[int]:
    """Those of these loans that must keep their patron, since something is owed for them."""
    return repository.open_loan_ids(session, loan_ids)


def forget_loans(session: Session, loan_ids: Iterable[int]) -> None:
    """Settled fees of these loans no longer say what was borrowed."""
    repository.forget_loans(session, loan_ids)


def booked(session: Session, start: datetime, end: datetime) -> list[Booked]:
    """What was charged, paid, waived and refunded in a time, by quarters of an hour (UTC, since 1970).

    A payment that was undone counts as one of less than nothing.
    """
    return [
        Booked(quarter, "payment" if entry == "reversal" else entry, major(sum_ if entry in RAISING else -sum_))
        for quarter, entry, sum_ in repository.sums_by_quarter(session, start, end)
    ]


def _owing(session: Session, patron_id: int) -> list[policy.OpenFee]:
    """The patron's open fees, oldest first; other payments and waivers wait."""
    repository.lock_fees(session, patron_id)
    return [policy.OpenFee(sums.fee.id, sums.owed) for sums in repository.open_fees(session, patron_id)]


def _book(session: Session, payment: PaymentRow, parts: Iterable[Part], *, means: str) -> None:
    rows: list[dict[str, object]] = [
        {
            "fee_id": part.fee_id, "patron_id": payment.patron_id, "entry": "payment", "amount": -part.amount,
            "at": payment.at, "actor": payment.actor, "means": means, "payment_id": payment.payment_id,
        }
        for part in parts
    ]  # fmt: skip
    repository.add_entries(session, rows)
    audit.record(
        session,
        actor=payment.actor,
        action="fee.pay",
        target=f"patron:{payment.patron_id}",
        at=payment.at,
        detail={"amount": f"{major(payment.amount)}", "means": means, "payment_id": payment.payment_id},
    )


def _answered(known: PaymentRow, asked: PaymentRow, fee_id: int | None) -> Paid | Refused:
    """The first answer, unless what is asked is another payment under the same id."""
    if (known.patron_id, known.amount) != (asked.patron_id, asked.amount):
        return Refused("payment_id_reused")
    if known.answer == UNDONE:
        return Refused("payment_undone")
    told = json.loads(known.answer)
    parts = tuple(PaidPart(fee_id, Decimal(amount)) for fee_id, amount in told["parts"])
    if fee_id is not None and {part.fee_id for part in parts} != {fee_id}:
        return Refused("payment_id_reused")
    return Paid(known.payment_id, major(known.amount), Decimal(told["balance"]), parts)


def _written(paid: Paid) -> str:
    parts = [[part.fee_id, str(part.amount)] for part in paid.parts]
    return json.dumps({"balance": str(paid.balance), "parts": parts})


def _line(fee: FeeRow, entry: policy.Entry, amount: int, *, at: datetime, actor: str, reason: str) -> dict[str, object]:
    return {
        "fee_id": fee.id, "patron_id": fee.patron_id, "entry": entry, "amount": amount, "at": at, "actor": actor,
        "reason": reason[:200],
    }  # fmt: skip


def _audit(
    session: Session, action: str, fee_id: int, *, at: datetime, actor: str, detail: Mapping[str, Any]
) -> None:  # fmt: skip
    audit.record(session, actor=actor, action=action, target=f"fee:{fee_id}", at=at, detail=detail)


def _fee(sums: repository.Sums) -> Fee:
    row = sums.fee
    return Fee(
        row.id, row.patron_id, row.kind, major(sums.charged),
        owed=major(sums.owed), charged_at=row.charged_at, reason=row.reason, loan_id=row.loan_id, item_id=row.item_id,
    )  # fmt: skip
