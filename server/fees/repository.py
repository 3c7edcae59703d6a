"""All SQL of the fees domain."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from server.db import quarter_of
from server.fees.models import EntryRow, FeeRow, PaymentRow
from server.fees.payment import PaymentLine

_CHARGED = func.sum(case((EntryRow.entry == "charge", EntryRow.amount), else_=0))
_PAID = func.sum(case((EntryRow.entry.in_(("payment", "refund", "reversal")), -EntryRow.amount), else_=0))
_OWED = func.sum(EntryRow.amount)


@dataclass(frozen=True, slots=True)
class Sums:
    """A fee with the sums of its lines, in minor units; `paid` is what was paid and not given back."""

    fee: FeeRow
    charged: int
    owed: int
    paid: int


def add_fee(session: Session, values: dict[str, object]) -> int:
    """Store a new fee; its key."""
    return session.execute(insert(FeeRow).values(**values).returning(FeeRow.id)).scalar_one()


def add_entries(session: Session, rows: Sequence[dict[str, object]]) -> None:
    """Append lines to the ledger; columns left out are empty."""
    if rows:
        empty = {"means": "", "payment_id": "", "reason": "", "reverses": None}
        session.execute(insert(EntryRow), [empty | row for row in rows])


def balance(session: Session, patron_id: int) -> int:
    """What the patron owes."""
    return session.scalar(select(func.sum(EntryRow.amount)).where(EntryRow.patron_id == patron_id)) or 0


def lock_fees(session: Session, patron_id: int) -> None:
    """Make other payments of this patron wait; by key, so that two never wait for each other."""
    session.execute(
        select(FeeRow.id).where(FeeRow.patron_id == patron_id).order_by(FeeRow.id).with_for_update(key_share=True)
    )


def open_fees(session: Session, patron_id: int) -> list[Sums]:
    """What the patron owes, oldest first."""
    return _sums(session, FeeRow.patron_id == patron_id, open_only=True)


def open_of_charged(session: Session, since: datetime) -> list[Sums]:
    """What those owe who were charged something since an instant, patron by patron."""
    charged = select(FeeRow.patron_id).where(FeeRow.charged_at >= since)
    found = _sums(session, FeeRow.patron_id.in_(charged), open_only=True)
    return sorted(found, key=lambda sums: (sums.fee.patron_id, sums.fee.id))


def kept(session: Session, fee_ids: Collection[int]) -> dict[int, int]:
    """Of each of these fees what was paid and not given back."""
    return {sums.fee.id: sums.paid for sums in _sums(session, FeeRow.id.in_(fee_ids))}


def fee(session: Session, fee_id: int) -> Sums | None:
    """One fee."""
    return next(iter(_sums(session, FeeRow.id == fee_id)), None)


def fees_of_loan(session: Session, loan_id: int) -> list[Sums]:
    """Everything that was charged for a loan; locks it."""
    session.execute(
        select(FeeRow.id).where(FeeRow.loan_id == loan_id).order_by(FeeRow.id).with_for_update(key_share=True)
    )
    return _sums(session, FeeRow.loan_id == loan_id)


def taken_back(session: Session, loan_id: int, at: datetime) -> list[tuple[FeeRow, int, int]]:
    """Of each fee of a loan that was cancelled at an instant: how much was waived, and given back."""
    waived = func.sum(case((EntryRow.entry == "waiver", -EntryRow.amount), else_=0))
    refunded = func.sum(case((EntryRow.entry == "refund", EntryRow.amount), else_=0))
    query = select(FeeRow, waived, refunded).join(EntryRow, EntryRow.fee_id == FeeRow.id).group_by(FeeRow.id)
    query = query.where(FeeRow.loan_id == loan_id, EntryRow.at == at).having(waived > 0).order_by(FeeRow.id)
    return [(fee, int(back), int(given)) for fee, back, given in session.execute(query)]


def open_loan_ids(session: Session, loan_ids: Iterable[int]) -> set[int]:
    """Those of these loans for which something is owed."""
    return {row.fee.loan_id for row in _sums(session, FeeRow.loan_id.in_(list(loan_ids)), open_only=True)} - {None}  # type: ignore[return-value]  # None is taken out


def forget_loans(session: Session, loan_ids: Iterable[int]) -> None:
    """Which loans and items fees were for is told no more."""
    session.execute(update(FeeRow).where(FeeRow.loan_id.in_(list(loan_ids))).values(loan_id=None, item_id=None))


def entries_of(session: Session, patron_id: int) -> list[tuple[EntryRow, FeeRow]]:
    """All lines of a patron, oldest first, with the fee each belongs to."""
    query = select(EntryRow, FeeRow).join(FeeRow, FeeRow.id == EntryRow.fee_id)
    rows = session.execute(query.where(EntryRow.patron_id == patron_id).order_by(EntryRow.id))
    return [(entry, fee_row) for entry, fee_row in rows]


def sums_by_quarter(session: Session, start: datetime, end: datetime) -> list[tuple[int, str, int]]:
    """(quarter of an hour since 1970, kind of line, sum) of what was booked in a time."""
    quarter = quarter_of(session, EntryRow.at.expression).label("quarter")
    query = select(quarter, EntryRow.entry, func.sum(EntryRow.amount)).where(EntryRow.at >= start, EntryRow.at < end)
    return [
        (int(number), entry, int(sum_))
        for number, entry, sum_ in session.execute(query.group_by(quarter, EntryRow.entry))
    ]


def find_payment(session: Session, actor: str, payment_id: str) -> PaymentRow | None:
    """What this caller was answered."""
    query = select(PaymentRow).where(PaymentRow.actor == actor, PaymentRow.payment_id == payment_id)
    return session.scalars(query).one_or_none()


def payment(session: Session, patron_id: int, payment_id: str) -> list[PaymentLine]:
    """What the patron's newest payment of this number wrote: another actor may have used the same."""
    undoing = aliased(EntryRow)
    query = (
        select(
            EntryRow.id, EntryRow.fee_id, -EntryRow.amount, EntryRow.at, EntryRow.actor, EntryRow.means,
            undoing.id.is_not(None),
        )
        .outerjoin(undoing, undoing.reverses == EntryRow.id)
        .where(EntryRow.patron_id == patron_id, EntryRow.payment_id == payment_id, EntryRow.entry == "payment")
        .order_by(EntryRow.id.desc())
    )  # fmt: skip
    lines = [PaymentLine(*row) for row in session.execute(query)]
    return [line for line in lines if (line.actor, line.at) == (lines[0].actor, lines[0].at)]


def change_answer(session: Session, actor: str, payment_id: str, answer: str) -> None:
    """What a payment's number is answered from now on."""
    mine = (PaymentRow.actor == actor, PaymentRow.payment_id == payment_id)
    session.execute(update(PaymentRow).where(*mine).values(answer=answer))


def claim_payment(session: Session, row: PaymentRow) -> bool:
    """Take a `payment_id`; waits for another transaction that holds it. False when it has been answered."""
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return False
    return True


def release_payment(session: Session, row: PaymentRow) -> None:
    """Give a `payment_id` back: nothing was booked under it."""
    session.delete(row)
    session.flush()


def _sums(session: Session, *where: object, open_only: bool = False) -> list[Sums]:
    query = select(FeeRow, _CHARGED, _OWED, _PAID).join(EntryRow, EntryRow.fee_id == FeeRow.id)
    query = query.where(*where).group_by(FeeRow.id).order_by(FeeRow.charged_at, FeeRow.id)  # type: ignore[arg-type]  # column expressions
    if open_only:
        query = query.having(_OWED != 0)
    return [Sums(row, int(charged), int(owed), int(paid)) for row, charged, owed, paid in session.execute(query)]
