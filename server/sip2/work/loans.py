"""Checkout (11), renewal (29) and renewal of all (65)."""

from __future__ import annotations

from carrel.contracts.circulation import (
    CheckoutRequest,
    ItemRef,
    ItemResult,
    RenewAllRequest,
    RenewalRequest,
    UndoRequest,
)
from server.catalogue import service as catalogue
from server.catalogue.service import Item
from server.circulation import returns
from server.circulation import service as circulation
from server.circulation.counter import Results, counter_for
from server.patrons.errors import UnknownCardError
from server.sip2.wire.messages import Draft, F, Message
from server.sip2.work import offline, routing
from server.sip2.work.task import UNKEPT, Task


def checkout(task: Task) -> Message:
    """11 -> 12. Committed before it is answered: with ok the terminal switches the item's security off."""
    if task.barcode and task.cancels:
        return _taken_back(task)
    if task.offline:
        return _lent(task, offline.replay(task, "checkout", task.barcode), known(task))
    if not task.barcode:
        return task.refuse("unknown_item")
    if not task.pin.good:
        return task.refuse(task.pin.value)
    if not task.card:
        return task.refuse("unknown_card")
    request = CheckoutRequest(request_id=UNKEPT, card=task.card, items=(ItemRef(barcode=task.barcode),))
    counter = counter_for(task.session, request, task.occasion)
    result = only(circulation.checkout_at(counter, request))
    if result.code == "on_loan_to_you" and task.request.yes("renewal"):
        return _renew(task, task.barcode)
    return _lent(task, result, counter.items.get(task.barcode))


def renew(task: Task) -> Message:
    """29 -> 30, by barcode or by the title of something the patron has."""
    if not (task.offline or task.pin.good):
        return task.refuse(task.pin.value)
    barcode, without = _meant(task)
    if task.offline:
        return _renewed(task, offline.replay(task, "renewal", barcode, without=without), known(task))
    return _renew(task, barcode) if barcode else task.refuse(without)


def renew_all(task: Task) -> Message:
    """65 -> 66."""
    if not task.pin.good:
        return task.refuse(task.pin.value)
    request = RenewAllRequest(request_id=UNKEPT, card=task.card or None)
    try:
        done = circulation.renew_all_at(task.session, request, task.occasion)
    except UnknownCardError:
        return task.refuse("unknown_card")
    renewed = [one.barcode for one in done if one.status == "ok"]
    others = [one.barcode for one in done if one.status != "ok"]
    draft = task.begin().set(ok="1", renewed=f"{len(renewed):04d}", unrenewed=f"{len(others):04d}")
    draft.each(F.RENEWED, renewed).each(F.UNRENEWED, others)
    why = next((one.code for one in done if one.code), None)
    return task.finish(draft, "renewed" if renewed else why or "nothing_renewed")


def only(results: Results) -> ItemResult:
    """The one result of a request about one item."""
    (result,) = results
    return result


def tell_media(task: Task, draft: Draft, item_type: str) -> None:
    """What kind of thing it is, and whether a demagnetiser would harm it."""
    terminal = task.profile.terminal
    draft.set(magnetic=routing.flag(item_type in terminal.magnetic))
    draft.add(F.MEDIA_TYPE, routing.media_type(item_type, terminal.media))


def known(task: Task) -> Item | None:
    """The item of the request."""
    return catalogue.items_by_barcode(task.session, [task.barcode]).get(task.barcode)


def _renew(task: Task, barcode: str) -> Message:
    request = RenewalRequest(request_id=UNKEPT, card=task.card, items=(ItemRef(barcode=barcode),))
    counter = counter_for(task.session, request, task.occasion)
    return _renewed(task, only(circulation.renew_at(counter, request)), counter.items.get(barcode))


def _lent(task: Task, result: ItemResult, item: Item | None) -> Message:
    """12 of a checkout's result."""
    draft = task.begin().add(F.TITLE, result.title or "").add(F.DUE, task.profile.due(result.due))
    if result.status != "ok":
        return task.finish(draft, result.code, **result.params)
    draft.set(ok="1", renewal_ok="N", desensitise="Y")
    _booked(task, draft, result, item)
    return task.finish(draft, "lent")


def _renewed(task: Task, result: ItemResult, item: Item | None) -> Message:
    """12 or 30 of a renewal's result; the item's security is off already."""
    draft = task.begin().fill(F.ITEM, "" if result.barcode == offline.UNREADABLE else result.barcode)
    draft.add(F.TITLE, result.title or "").add(F.DUE, task.profile.due(result.due))
    if result.status != "ok":
        return task.finish(draft, result.code, **result.params)
    draft.set(ok="1", renewal_ok="Y", desensitise="N")
    _booked(task, draft, result, item)
    return task.finish(draft, "renewed")


def _booked(task: Task, draft: Draft, result: ItemResult, item: Item | None) -> None:
    """The item's kind, and the loan as the library numbers it."""
    tell_media(task, draft, item.type if item else "")
    draft.add(F.TRANSACTION, None if result.loan is None else str(result.loan))


def _taken_back(task: Task) -> Message:
    """12 of a checkout that the terminal could not finish: nothing is left of the loan, or of the renewal that it was.
    There being none is as good."""
    request = UndoRequest(request_id=UNKEPT, items=(ItemRef(barcode=task.barcode),), card=task.card or None)
    cancel = returns.cancel_renewal_at if task.request.yes("renewal") else returns.cancel_at
    result = only(cancel(counter_for(task.session, request, task.then), request))
    draft = task.begin().add(F.TITLE, result.title or "").add(F.DUE, task.profile.due(result.due))
    if result.status != "ok" and result.code != "not_on_loan":
        offline.tell_staff(task, result.code)
        return task.finish(draft, result.code, **result.params)
    return task.finish(draft.set(ok="1", magnetic="N"), "undone")


def _meant(task: Task) -> tuple[str, str]:
    """The barcode that a renewal names, or of the patron's loan whose title it names; and what to say without one."""
    title = task.request.get(F.TITLE).strip()
    if not task.card:
        return "", "unknown_card"
    if task.request.get(F.ITEM).strip():
        return task.barcode, "unknown_item"
    if not title:
        return "", "message_incomplete"
    try:
        loans = circulation.loans_of(task.session, task.card, task.occasion)
    except UnknownCardError:
        return "", "unknown_card"
    records = catalogue.titled(task.session, title)
    barcodes = (loan.item.barcode for loan in loans if loan.item.title == title or loan.item.record_id in records)
    return next(barcodes, ""), "title_not_on_loan" if records else "unknown_record"
