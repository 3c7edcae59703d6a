"""Hold (15): join a queue, leave it, or fetch what one waits for elsewhere."""

from __future__ import annotations

from datetime import date

from carrel.clock import local_date
from server.catalogue import service as catalogue
from server.holds import service as holds
from server.holds.hold import Hold
from server.holds.reserving import place_at
from server.holds.schemas import HoldRequest
from server.patrons import service as patrons
from server.sip2.wire.messages import Draft, F, Message
from server.sip2.work import routing
from server.sip2.work.task import Task, branch_of, new_id

MODES = frozenset("+-*")

THIS_COPY = "3"
"""Hold type: only this copy will do; any other is for a copy of the title."""


def hold(task: Task) -> Message:
    """15 -> 16."""
    if not task.pin.good:
        return task.refuse(task.pin.value)
    if not task.card:
        return task.refuse("unknown_card")
    if not task.barcode:
        return task.refuse("unknown_item")
    mode = task.request.fixed["mode"]
    if mode not in MODES:
        return task.refuse("message_incomplete")
    if mode == "+":
        return _place(task)
    mine = _own(task)
    if mine is None:
        return task.refuse("unknown_hold")
    return _cancel(task, mine) if mode == "-" else _change(task, mine)


def _place(task: Task) -> Message:
    pickup = branch_of(task.request.get(F.PICKUP)) or task.profile.branch
    request = HoldRequest(
        request_id=new_id(), card=task.card, barcode=task.barcode, pickup=pickup,
        only_this=task.request.get(F.HOLD_TYPE) == THIS_COPY, expires_on=_expires_on(task),
    )  # fmt: skip
    result = place_at(task.session, request, task.occasion)
    draft = task.begin().fill(F.TITLE, result.title or "")
    if result.status != "ok":
        return task.finish(draft, result.code, **result.params)
    draft.set(ok="1", available=routing.flag(result.available))
    _places(draft, expires_on=result.expires_on, position=result.position, pickup=result.pickup)
    return task.finish(draft, "hold_placed")


def _cancel(task: Task, mine: Hold) -> Message:
    holds.cancel(task.session, mine.id, task.occasion, patron_id=mine.patron_id)
    return task.finish(task.begin().set(ok="1"), "hold_cancelled")


def _change(task: Task, mine: Hold) -> Message:
    """What the message does not name stays as it is."""
    pickup = branch_of(task.request.get(F.PICKUP))
    changed = holds.amend(
        task.session, mine.id, task.occasion, pickup=pickup, expires_on=_expires_on(task), patron_id=mine.patron_id
    )
    draft = task.begin().set(ok="1")
    position = holds.position(task.session, changed)
    _places(draft, expires_on=changed.expires_on, position=position, pickup=changed.pickup)
    return task.finish(draft, "hold_changed")


def _places(draft: Draft, *, expires_on: date | None, position: int | None, pickup: str | None) -> None:
    draft.add(F.EXPIRY, f"{expires_on:%Y%m%d}    235959" if expires_on else None)
    draft.add(F.QUEUE_POSITION, None if position is None else str(position)).add(F.PICKUP, pickup)


def _own(task: Task) -> Hold | None:
    """The patron's open hold that the message means."""
    patron = patrons.find(task.session, task.card)
    item = catalogue.items_by_barcode(task.session, [task.barcode]).get(task.barcode)
    if patron is None or item is None:
        return None
    mine = [one for one in holds.of_patron(task.session, patron.id) if one.record_id == item.record_id]
    return next((one for one in mine if one.takes(item.id)), None)


def _expires_on(task: Task) -> date | None:
    """The last day on which it is wanted; one that is over stands for none."""
    at = task.profile.instant(task.request.get(F.EXPIRY)[:8] + " " * 4 + "120000")
    day = local_date(at, task.profile.zone) if at is not None else None
    return day if day is not None and day >= local_date(task.now, task.profile.zone) else None
