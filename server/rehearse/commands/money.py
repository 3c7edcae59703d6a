"""Charging, paying and waiving."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy.orm import Session

from server.catalogue import service as catalogue
from server.fees import desk, policy, undoing
from server.fees import service as fees
from server.fees.desk import Charge, Waiver
from server.fees.undoing import PaymentUndo
from server.patrons.service import Patron
from server.rehearse.act import Act
from server.rehearse.answers import Answer, amount, ok, refused
from server.rehearse.fields import ITEM

PAYMENT = ("payment_id", "payment", "transaction_id", "id")
NO_FEE = -1
"""A key that no fee has: for a kind of which the patron owes nothing."""


def charge(act: Act) -> Answer:
    """A fee by hand."""
    with act.database.writing() as session:
        patron = act.patron(session)
        if patron is None or patron.anonymised_at is not None:
            return refused("unknown_patron")
        asked = policy.amount_of(str(act.fields.money("amount")))
        kind = act.fields.text("kind", "fee", "fee_kind", "fee_type", "type", default="admin")
        if kind not in policy.KINDS:
            raise act.fields.mistake(f"kind: '{kind}' is no kind of fee; there are {', '.join(policy.KINDS)}")
        if asked is None:
            return refused("payment_amount")
        item = _item(act, session)
        if item is None and act.fields.has(*ITEM):
            return refused("unknown_item")
        wanted = Charge(
            patron_id=patron.id, kind=kind, amount=asked, item_id=item,  # type: ignore[arg-type]  # one of KINDS
            reason=act.fields.words("reason"), request_id=act.request_id,
        )  # fmt: skip
        charged = desk.charge(session, wanted, actor=act.actor, at=act.now)
        return ok(fee_id=charged.id, balance=amount(charged.balance))


def pay(act: Act) -> Answer:
    """A payment, on one fee or the oldest first; of all that is owed where no amount is named."""
    with act.database.writing() as session:
        patron = act.patron(session)
        if patron is None:
            return refused("unknown_patron")
        number = act.fields.text(*PAYMENT, default=act.request_id)
        paid = fees.pay(
            session,
            patron.id,
            act.fields.money("amount", default=None),
            payment_id=number,
            means=act.fields.text("means", "by", "method", default="cash"),
            actor=act.actor,
            at=act.now,
            fee_id=_fee(act, session, patron, number),
        )
        if isinstance(paid, policy.Refused):
            return refused(paid.code, params=paid.params) if paid.params else refused(paid.code)
        parts = [{"fee_id": part.fee_id, "amount": amount(part.amount)} for part in paid.parts]
        return ok(amount=amount(paid.amount), balance=amount(paid.balance), parts=parts)


def undo_payment(act: Act) -> Answer:
    """Take a payment back that was made a moment ago."""
    with act.database.writing() as session:
        patron = act.patron(session)
        if patron is None:
            return refused("unknown_patron")
        number = act.fields.text(*PAYMENT)
        request = PaymentUndo(request_id=act.request_id, patron_id=patron.id, payment_id=number)
        undone = undoing.undo_payment(session, request, actor=act.actor, at=act.now)
        return ok(amount=amount(undone.amount), balance=amount(undone.balance))


def waive(act: Act) -> Answer:
    """Forgive one fee, or everything, or an amount of it oldest first; all of that or nothing."""
    with act.database.writing() as session:
        patron = act.patron(session)
        if patron is None:
            return refused("unknown_patron")
        wanted = Waiver(
            patron_id=patron.id, fee_id=_fee(act, session, patron, act.request_id),
            amount=_amount(act), reason=act.fields.words("reason"), request_id=act.request_id,
        )  # fmt: skip
        waived = desk.waive(session, wanted, actor=act.actor, at=act.now)
        return ok(amount=amount(waived.waived), balance=amount(waived.balance))


def _amount(act: Act) -> Decimal | None:
    """As it is written elsewhere: 5 and 5.00 are one request."""
    asked = act.fields.money("amount", default=None)
    return asked if asked is None else policy.amount_of(str(asked)) or asked


def _fee(act: Act, session: Session, patron: Patron, request: str) -> int | None:
    """A fee by its number, or the oldest open one of a kind; a request that comes again means the same as before."""
    named = act.fields.raw("fee_id", "fee", "kind")
    if named is None or (isinstance(named, int) and not isinstance(named, bool)):
        return named
    if isinstance(named, str) and named.isdecimal():
        return int(named)
    if named not in policy.KINDS:
        raise act.fields.mistake(f"fee: write its number or a kind, one of {', '.join(policy.KINDS)}")
    found = next((fee.id for fee in fees.fees_of(session, patron.id) if fee.kind == named), NO_FEE)
    asked = (act.actor, request, named)
    if found != NO_FEE:
        act.world.meant.setdefault(asked, found)
    meant: int = act.world.meant.get(asked, found)
    return meant


def _item(act: Act, session: Session) -> int | None:
    if not act.fields.has(*ITEM):
        return None
    barcode = act.fields.text(*ITEM)
    item = catalogue.items_by_barcode(session, [barcode]).get(barcode)
    return None if item is None else item.id
