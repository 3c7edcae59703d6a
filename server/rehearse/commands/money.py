"""Charging, paying and waiving."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy.orm import Session

from server.catalogue import service as catalogue
from server.fees import policy, undoing
from server.fees import service as fees
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
        asked = act.fields.money("amount")
        kind = act.fields.text("kind", "fee", "type", default="admin")
        if kind not in policy.KINDS:
            raise act.fields.mistake(f"kind: '{kind}' is no kind of fee; there are {', '.join(policy.KINDS)}")
        if asked is None or policy.amount_of(str(asked)) is None:
            return refused("payment_amount")
        fee_id = fees.charge(
            session, patron.id, kind, asked, at=act.now, actor=act.actor,  # type: ignore[arg-type]  # one of KINDS
            item_id=_item(act, session), reason=act.fields.words("reason"),
        )  # fmt: skip
        return ok(fee_id=fee_id, balance=amount(fees.balance(session, patron.id)))


def pay(act: Act) -> Answer:
    """A payment, on one fee or the oldest first."""
    with act.database.writing() as session:
        patron = act.patron(session)
        if patron is None:
            return refused("unknown_patron")
        asked = act.fields.money("amount")
        assert asked is not None
        paid = fees.pay(
            session,
            patron.id,
            asked,
            payment_id=act.fields.text(*PAYMENT, default=act.request_id),
            means=act.fields.text("means", "by", "method", default="cash"),
            actor=act.actor,
            at=act.now,
            fee_id=_fee(act, session, patron),
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
        wanted = act.fields.money("amount", default=None)
        named = _fee(act, session, patron)
        open_fees = [fee for fee in fees.fees_of(session, patron.id) if named in (None, fee.id)]
        owed = sum((fee.owed for fee in open_fees), Decimal(0))
        if not open_fees:
            return refused("unknown_fee")
        if wanted is not None and policy.amount_of(str(wanted)) is None:
            return refused("payment_amount")
        if wanted is not None and wanted > owed:
            return refused("overpaid", params={"owed": amount(owed)})
        left = owed if wanted is None else wanted
        for fee in open_fees:
            share = min(left, fee.owed)
            if share > 0 and isinstance(answer := _waive(act, session, fee.id, share), policy.Refused):
                return refused(answer.code)
            left -= share
        waived = owed if wanted is None else wanted
        return ok(amount=amount(waived), balance=amount(fees.balance(session, patron.id)))


def _waive(act: Act, session: Session, fee_id: int, share: Decimal) -> Decimal | policy.Refused:
    reason = act.fields.words("reason")
    return fees.waive(session, fee_id, reason=reason, actor=act.actor, at=act.now, amount=share)


def _fee(act: Act, session: Session, patron: Patron) -> int | None:
    """A fee by its number, or the oldest open one of a kind."""
    named = act.fields.raw("fee_id", "fee", "kind")
    if named is None or (isinstance(named, int) and not isinstance(named, bool)):
        return named
    if isinstance(named, str) and named.isdecimal():
        return int(named)
    if named not in policy.KINDS:
        raise act.fields.mistake(f"fee: write its number or a kind, one of {', '.join(policy.KINDS)}")
    return next((fee.id for fee in fees.fees_of(session, patron.id) if fee.kind == named), NO_FEE)


def _item(act: Act, session: Session) -> int | None:
    if not act.fields.has(*ITEM):
        return None
    barcode = act.fields.text(*ITEM)
    item = catalogue.items_by_barcode(session, [barcode]).get(barcode)
    if item is None:
        raise act.fields.mistake(f"there is no item '{barcode}'")
    return item.id
