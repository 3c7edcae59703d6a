"""What the desk books by hand, charges and waivers: a request that names itself is carried out once."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from server.fees import service
from server.fees.errors import error_of
from server.fees.policy import Kind, Refused
from server.fees.schemas import ChargedResponse, WaivedResponse
from server.lending import journal
from server.patrons import service as patrons
from server.patrons.errors import UnknownPatronError


class Charge(BaseModel):
    """A fee to be charged."""

    model_config = ConfigDict(frozen=True)

    patron_id: int
    kind: Kind
    amount: Decimal
    reason: str = ""
    item_id: int | None = None
    request_id: str | None = None


class Waiver(BaseModel):
    """What is to be forgiven: of one fee or the oldest first, an amount or all of it."""

    model_config = ConfigDict(frozen=True)

    patron_id: int
    reason: str
    fee_id: int | None = None
    amount: Decimal | None = None
    request_id: str | None = None


def charge(session: Session, asked: Charge, *, actor: str, at: datetime) -> ChargedResponse:
    """A new fee. Raises UnknownPatronError, RequestIdReusedError."""

    def work() -> ChargedResponse:
        patron = patrons.find_by_id(session, asked.patron_id)
        if patron is None or patron.anonymised_at is not None:  # who is forgotten owes nothing any more
            raise UnknownPatronError
        fee_id = service.charge(
            session, asked.patron_id, asked.kind, asked.amount, at=at, actor=actor, item_id=asked.item_id,
            reason=asked.reason,
        )  # fmt: skip
        fee = next(fee for fee in service.fees_of(session, asked.patron_id) if fee.id == fee_id)
        return ChargedResponse(**asdict(fee), balance=service.balance(session, asked.patron_id))

    return journal.once(session, actor, asked, now=at, answer=ChargedResponse, work=work)


def waive(session: Session, asked: Waiver, *, actor: str, at: datetime) -> WaivedResponse:
    """Forgive. Raises UnknownFeeError, PaymentAmountError, OverpaidError, ReasonRequiredError, RequestIdReusedError."""

    def work() -> WaivedResponse:
        waived = service.waive(
            session, asked.patron_id, reason=asked.reason, actor=actor, at=at, amount=asked.amount, fee_id=asked.fee_id
        )
        if isinstance(waived, Refused):
            raise error_of(waived)
        return WaivedResponse(waived=waived, balance=service.balance(session, asked.patron_id))

    return journal.once(session, actor, asked, now=at, answer=WaivedResponse, work=work)
