"""`/api/v1/patrons/.../fees` and `/api/v1/fees/...`."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Path, status
from sqlalchemy.orm import Session

from carrel.contracts.ids import CardNumber, RequestId
from server.deps import DESK, CoreDep, Principal, ReadSession, Role, WriteSession, require
from server.fees import desk, service, undoing
from server.fees.desk import Charge, Waiver
from server.fees.errors import PaymentAmountError, TwoPatronsError, UnknownFeeError, error_of
from server.fees.policy import Refused, amount_of
from server.fees.schemas import (
    ChargeBody,
    ChargedResponse,
    FeeResponse,
    FeesResponse,
    LineResponse,
    PaidResponse,
    PaymentBody,
    PaymentUndoBody,
    PaymentUndone,
    WaivedResponse,
    WaiverBody,
)
from server.fees.undoing import PaymentUndo
from server.patrons import service as patrons
from server.patrons.errors import UnknownPatronError

router = APIRouter(prefix="/api/v1", tags=["fees"])

Desk = Annotated[Principal, require(*DESK)]
Reader = Annotated[Principal, require(Role.READER)]
Key = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("/patrons/me/fees")
def my_fees(session: ReadSession, principal: Reader) -> FeesResponse:
    """What the reader who is signed in owes, and everything that was booked."""
    return _fees(session, _by_card(session, principal.card or ""))


@router.get("/patrons/by-card/{card}/fees")
def fees_by_card(card: CardNumber, session: ReadSession, _principal: Desk) -> FeesResponse:
    """What the patron with this card owes."""
    return _fees(session, _by_card(session, card))


@router.get("/patrons/{patron_id}/fees")
def fees(patron_id: Key, session: ReadSession, _principal: Desk) -> FeesResponse:
    """What this patron owes."""
    return _fees(session, _by_id(session, patron_id))


@router.post("/patrons/by-card/{card}/fees", status_code=status.HTTP_201_CREATED)
def charge_by_card(
    card: CardNumber, body: ChargeBody, session: WriteSession, core: CoreDep, *, principal: Desk
) -> ChargedResponse:
    """Charge a fee by hand."""
    return _charge(session, _by_card(session, card), body, core=core, principal=principal)


@router.post("/patrons/{patron_id}/fees", status_code=status.HTTP_201_CREATED)
def charge(
    patron_id: Key, body: ChargeBody, session: WriteSession, core: CoreDep, *, principal: Desk
) -> ChargedResponse:
    """Charge a fee by hand."""
    return _charge(session, patron_id, body, core=core, principal=principal)


@router.post("/fees/payments")
def pay(body: PaymentBody, session: WriteSession, core: CoreDep, principal: Desk) -> PaidResponse:
    """Book a payment, oldest fee first or on one fee. The same `payment_id` is booked once."""
    paid = service.pay(
        session,
        _payer(session, body),
        _amount(body.amount),
        payment_id=body.payment_id,
        means=body.means,
        actor=principal.subject,
        at=core.clock.now(),
        fee_id=body.fee_id,
    )
    if isinstance(paid, Refused):
        raise error_of(paid)
    return PaidResponse.model_validate(paid)


@router.post("/fees/payments/{payment_id}/undo")
def undo_payment(
    payment_id: RequestId, body: PaymentUndoBody, session: WriteSession, core: CoreDep, *, principal: Desk
) -> PaymentUndone:
    """Take a payment back within the library's `undo_s`: it is owed again. The same `request_id` does it once."""
    request = PaymentUndo(request_id=body.request_id, patron_id=_payer(session, body), payment_id=payment_id)
    return undoing.undo_payment(session, request, actor=principal.subject, at=core.clock.now())


@router.post("/fees/{fee_id}/waive")
def waive(fee_id: Key, body: WaiverBody, session: WriteSession, core: CoreDep, *, principal: Desk) -> WaivedResponse:
    """Forgive what is owed of a fee, or a part of it, and say why."""
    patron_id = service.patron_of(session, fee_id)
    if patron_id is None:
        raise UnknownFeeError
    asked = Waiver(
        patron_id=patron_id,
        fee_id=fee_id,
        reason=body.reason,
        amount=None if body.amount is None else _amount(body.amount),
        request_id=body.request_id,
    )
    return desk.waive(session, asked, actor=principal.subject, at=core.clock.now())


def _charge(
    session: Session, patron_id: int, body: ChargeBody, *, core: CoreDep, principal: Principal
) -> ChargedResponse:
    asked = Charge(patron_id=patron_id, **body.model_dump() | {"amount": _amount(body.amount)})
    return desk.charge(session, asked, actor=principal.subject, at=core.clock.now())


def _fees(session: Session, patron_id: int) -> FeesResponse:
    return FeesResponse(
        balance=service.balance(session, patron_id),
        fees=[FeeResponse.model_validate(fee) for fee in service.fees_of(session, patron_id)],
        ledger=[LineResponse.model_validate(line) for line in service.ledger_of(session, patron_id)],
    )


def _payer(session: Session, body: PaymentBody | PaymentUndoBody) -> int:
    """Whose payment it is; raises TwoPatronsError when the card is not the named patron's."""
    if body.card is None:
        return _by_id(session, body.patron_id or 0)
    patron_id = _by_card(session, body.card)
    if body.patron_id not in (None, patron_id):
        raise TwoPatronsError
    return patron_id


def _by_card(session: Session, card: str) -> int:
    patron = patrons.find(session, card)
    if patron is None:
        raise UnknownPatronError
    return patron.id


def _by_id(session: Session, patron_id: int) -> int:
    if patrons.find_by_id(session, patron_id) is None:
        raise UnknownPatronError
    return patron_id


def _amount(text: str) -> Decimal:
    amount = amount_of(text.strip())
    if amount is None:
        raise PaymentAmountError
    return amount
