"""Checkin (09): always taken where it is physically here, and told where it goes."""

from __future__ import annotations

from datetime import datetime

from carrel.contracts.circulation import CheckinRequest, ItemRef, ItemResult, UndoRequest
from server.catalogue.service import Item
from server.circulation import returns
from server.circulation import service as circulation
from server.circulation.counter import counter_for
from server.holds import policy as queueing
from server.holds import service as holds
from server.holds.hold import Hold
from server.patrons import service as patrons
from server.patrons.policy import shown_name
from server.sip2.wire.messages import Draft, F, Message
from server.sip2.work import offline, routing
from server.sip2.work.loans import known, only, tell_media
from server.sip2.work.routing import Returned
from server.sip2.work.task import UNKEPT, Task

PLACES: dict[str, routing.Place] = {"hold": "hold", "transit": "transit", "shelf": "shelf"}


class Held(Exception):  # noqa: N818  # not an error: the return is not to be made here
    """Somebody waits for the item, and the terminal is to send its bearer to the desk; undoes the transaction."""

    def __init__(self, answer: Message) -> None:
        super().__init__()
        self.answer = answer


def checkin(task: Task) -> Message:
    """09 -> 10."""
    if task.barcode and task.cancels:
        return _reopened(task)
    if task.offline:
        return _answer(task, offline.replay(task, "checkin", task.barcode), known(task))
    if not task.barcode:
        return _unknown(task)
    strict = not task.profile.terminal.not_loaned_ok
    request = CheckinRequest(
        request_id=UNKEPT, items=(ItemRef(barcode=task.barcode),),
        returned_at=_returned_at(task), accept_not_on_loan=not strict,
    )  # fmt: skip
    counter = counter_for(task.session, request, task.occasion)
    return _answer(task, only(returns.checkin_at(counter, request)), counter.items.get(task.barcode))


def _returned_at(task: Task) -> datetime | None:
    """When it really came back, if that was earlier; the policy bounds it."""
    named = task.profile.instant(task.request.fixed["returned"])
    return named if named is not None and named < task.now else None


def _answer(task: Task, result: ItemResult, item: Item | None) -> Message:
    if result.code == "unknown_item" or item is None:
        return _unknown(task)
    place = PLACES.get(result.route or "shelf", "staff")
    hold = _hold_of(task, item) if place in ("hold", "transit") else None
    if hold is not None and task.profile.terminal.refuse_held and not task.offline:
        raise Held(_refused_held(task, item, _returned(item, place, result.route_to or "", held=True)))
    draft = task.begin().add(F.HOME_PLACE, item.branch or task.profile.branch).add(F.TITLE, item.title)
    routed = routing.route(_returned(item, place, result.route_to or "", held=hold is not None), task.profile.terminal)
    done = result.status == "ok"
    draft.set(ok="1" if done else "0", resensitise=routing.flag(done), alert=routing.flag(routed.alert or not done))
    tell_media(task, draft, item.type)
    for name, value in (
        (F.SORT_BIN, routed.bin), (F.DESTINATION, routed.destination),
        (F.ALERT_TYPE, routed.alert_type if done or routed.alert else None),
    ):  # fmt: skip
        draft.add(name, value)
    describe(task, draft, item)
    tell_hold(task, draft, hold)
    if task.profile.sends("last_patron"):
        draft.add(F.PATRON, _card_of(task, result.loan))
    return task.finish(draft, _said(result, place))


def describe(task: Task, draft: Draft, item: Item) -> None:
    """Collection and call number, for terminals that want them."""
    if task.profile.sends("collection"):
        draft.add(F.COLLECTION, item.location or None)
    if task.profile.sends("call_number"):
        draft.add(F.CALL_NUMBER, item.call_number or None)


def tell_hold(task: Task, draft: Draft, hold: Hold | None) -> None:
    """Whom the item is for: a card number, and a name that tells nobody else who it is."""
    wants = task.profile.sends("hold_patron") or task.profile.sends("hold_patron_name")
    patron = patrons.find_by_id(task.session, hold.patron_id) if hold and hold.patron_id and wants else None
    if patron is not None and task.profile.sends("hold_patron"):
        draft.add(F.HOLD_PATRON, patron.card)
    if patron is not None and task.profile.sends("hold_patron_name"):
        draft.add(F.HOLD_PATRON_NAME, shown_name(patron.name))


def _said(result: ItemResult, place: routing.Place) -> str | None:
    if result.status != "ok":
        return result.code
    return {"hold": "keep_for_hold", "transit": "send_on", "staff": "give_to_staff"}.get(place, "taken_back")


def _unknown(task: Task) -> Message:
    """No item of ours: nothing to secure, and somebody should look at it."""
    draft = task.begin().add(F.HOME_PLACE, "")
    routed = routing.route(Returned("staff", ""), task.profile.terminal)
    draft.set(alert="Y", magnetic="U").add(F.SORT_BIN, routed.bin).add(F.ALERT_TYPE, routed.alert_type)
    return task.finish(draft, "kept_for_staff" if task.offline else "unknown_item")


def _refused_held(task: Task, item: Item, returned: Returned) -> Message:
    """Nothing is sorted, as its bearer keeps it until they are at the desk."""
    routed = routing.route(returned, task.profile.terminal)
    draft = task.begin().add(F.HOME_PLACE, item.branch or task.profile.branch).add(F.TITLE, item.title)
    draft.set(alert=routing.flag(routed.alert)).add(F.ALERT_TYPE, routed.alert_type)
    return task.finish(draft, "keep_for_hold")


def _reopened(task: Task) -> Message:
    """10 of a return that the terminal could not finish: the loan goes on as if nothing had been."""
    request = UndoRequest(request_id=UNKEPT, items=(ItemRef(barcode=task.barcode),))
    result = only(returns.reopen_at(counter_for(task.session, request, task.then), request))
    draft = task.begin().add(F.TITLE, result.title)
    if result.status != "ok":
        offline.tell_staff(task, result.code)
        return task.finish(draft, result.code, **result.params)
    return task.finish(draft.set(ok="1", alert="N", magnetic="N"), "undone")


def _returned(item: Item, place: routing.Place, to: str, *, held: bool) -> Returned:
    return Returned(
        place, to, held=held, location=item.location, branch=item.branch, type=item.type, call_number=item.call_number
    )


def _hold_of(task: Task, item: Item) -> Hold | None:
    queue = holds.queues(task.session, [item.record_id])[item.record_id]
    return queueing.set_aside(queue, item.id)


def _card_of(task: Task, loan_id: int | None) -> str | None:
    loan = circulation.get_loan(task.session, loan_id) if loan_id is not None else None
    patron = patrons.find_by_id(task.session, loan.patron_id) if loan and loan.patron_id else None
    return patron.card if patron else None
