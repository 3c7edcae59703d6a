"""Payments made undone at the desk: how long that is possible is the library's policy, and a repeat does nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from server.fees import service
from server.fees.errors import error_of
from server.fees.policy import Refused
from server.fees.schemas import PaymentUndone
from server.lending import journal
from server.lending import service as lending
from server.patrons import service as patrons
from server.patrons.errors import UnknownPatronError


class PaymentUndo(BaseModel):
    """What is asked for, under the caller's own number."""

    model_config = ConfigDict(frozen=True)

    request_id: str
    patron_id: int
    payment_id: str


def undo_payment(session: Session, request: PaymentUndo, *, actor: str, at: datetime) -> PaymentUndone:
    """Take a patron's payment back, a moment after.

    Raises UnknownPatronError, UnknownPaymentError, PaymentUndoneError, PaymentRefundedError, UndoTooLateError.
    """

    def work() -> PaymentUndone:
        patron = patrons.find_by_id(session, request.patron_id)
        if patron is None or patron.anonymised_at is not None:  # who is forgotten owes nothing any more
            raise UnknownPatronError
        since = at - timedelta(seconds=lending.current(session).policy.undo_s)
        amount = service.undo_payment(
            session, request.patron_id, request.payment_id, since=since, actor=actor, at=at
        )  # fmt: skip
        if isinstance(amount, Refused):
            raise error_of(amount)
        balance = service.balance(session, request.patron_id)
        return PaymentUndone(payment_id=request.payment_id, amount=amount, balance=balance)

    return journal.once(session, actor, request, now=at, answer=PaymentUndone, work=work)
