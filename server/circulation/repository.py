"""All SQL of the circulation domain."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from server.circulation.models import AnswerRow, LoanRow


def open_loan(session: Session, item_id: int) -> LoanRow | None:
    """The item's open loan. Whoever changes it holds the item's lock."""
    query = select(LoanRow).where(LoanRow.item_id == item_id, LoanRow.checked_in_at.is_(None))
    return session.scalars(query).one_or_none()


def open_loans_of(session: Session, patron_id: int) -> list[LoanRow]:
    """A patron's open loans, due soonest first."""
    query = select(LoanRow).where(LoanRow.patron_id == patron_id, LoanRow.checked_in_at.is_(None))
    return list(session.scalars(query.order_by(LoanRow.due_at, LoanRow.id)))


def count_open(session: Session, patron_id: int) -> int:
    """How many loans a patron has."""
    query = select(func.count()).where(LoanRow.patron_id == patron_id, LoanRow.checked_in_at.is_(None))
    return session.scalar(query) or 0


def add_loan(session: Session, loan: LoanRow) -> bool:
    """Store a new loan; False when the database says that the item has an open one."""
    try:
        with session.begin_nested():
            session.add(loan)
    except IntegrityError:
        return False
    return True


def find_answer(session: Session, actor: str, request_id: str) -> AnswerRow | None:
    """What this caller was answered to this request."""
    return session.get(AnswerRow, (actor, request_id))


def claim_answer(session: Session, row: AnswerRow) -> bool:
    """Take a `request_id`; waits for another transaction that holds it. False when it has been answered."""
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return False
    return True


def forget_answers(session: Session, before: datetime) -> None:
    """Drop answers that nobody will ask for again."""
    session.execute(delete(AnswerRow).where(AnswerRow.at < before))
