"""Fee paid (37): exact decimal amounts, and each payment booked once."""

from __future__ import annotations

from server.fees import policy
from server.fees import service as fees
from server.lending import service as lending
from server.patrons import service as patrons
from server.sip2.wire.messages import F, Message
from server.sip2.work.task import Pin, Task, new_id, same_id

MEANS = {"00": "cash", "01": "card", "02": "card", "10": "wechat", "11": "alipay"}
"""Payment types; those not here keep their number."""

PAYMENT_ID_LIMIT, FEE_ID_DIGITS = 64, 16


def pay(task: Task) -> Message:
    """37 -> 38. The same transaction id from the same terminal is one payment."""
    request = task.request
    if task.pin in (Pin.WRONG, Pin.LOCKED):
        return task.refuse(task.pin.value)
    patron = patrons.find(task.session, task.card) if task.card else None
    if patron is None:
        return task.refuse("unknown_card")
    amount = policy.amount_of(request.get(F.FEE_AMOUNT).strip())
    if amount is None:
        return task.refuse("payment_amount")
    currency = request.fixed["currency"].strip().upper()
    if currency and currency != lending.current(task.session).policy.currency:
        return task.refuse("other_currency")
    fee = request.get(F.FEE_ID).strip()
    if fee and not (fee.isascii() and fee.isdigit() and len(fee) < FEE_ID_DIGITS):
        return task.refuse("unknown_fee")
    transaction = request.get(F.TRANSACTION).strip()
    if len(transaction) > PAYMENT_ID_LIMIT:  # cut off, two could be the same
        transaction = same_id(transaction)
    kind = request.fixed["payment_type"]
    means = MEANS.get(kind) or (f"sip2-{kind}" if kind.isascii() and kind.isalnum() else "other")
    done = fees.pay(
        task.session, patron.id, amount, payment_id=transaction or new_id(), means=means,
        actor=task.actor, at=task.now, fee_id=int(fee) if fee else None,
    )  # fmt: skip
    if isinstance(done, policy.Refused):
        return task.refuse(done.code, **done.params)
    return task.finish(task.begin().set(ok="Y"), "paid")
