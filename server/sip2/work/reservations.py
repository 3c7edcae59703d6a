"""Hold (15): join a queue, leave it, or fetch what one waits for elsewhere."""

from __future__ import annotations

from datetime import date
from typing import Any

from carrel.clock import local_date
from server.catalogue import service as catalogue
from server.catalogue.service import Item
from server.holds import service as holds
from server.holds.hold import Hold
from server.holds.reserving import place_at
from server.holds.schemas import HoldRequest
from server.lending import service as lending
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
    mode = task.request.fixed["mode"]
    if mode not in MODES:
        return task.refuse("message_incomplete")
    meant = "unknown_branch" if _strange_pickup(task) else _meant(task)
    if isinstance(meant, str):
        return task.refuse(meant)
    if mode == "+":
        return _place(task, meant)
    mine = _own(task, meant)
    if len(mine) != 1:
        return task.refuse("several_titles" if mine else "unknown_hold")
    return _cancel(task, mine[0]) if mode == "-" else _change(task, mine[0])


def _strange_pickup(task: Task) -> bool:
    """Whether it is to be fetched at what can be no branch; where there is one only, whatever is named means that."""
    named = task.request.get(F.PICKUP).strip()
    return bool(named and branch_of(named) is None and lending.current(task.session).policy.branches)


def _meant(task: Task) -> Item | tuple[int, ...] | str:
    """The item that the message names or, of one that names a title only, the records called so; else why none."""
    title = task.request.get(F.TITLE).strip()
    if task.request.get(F.ITEM).strip():
        return catalogue.items_by_barcode(task.session, [task.barcode]).get(task.barcode) or "unknown_item"
    return catalogue.titled(task.session, title) or "unknown_record" if title else "message_incomplete"


def _place(task: Task, meant: Item | tuple[int, ...]) -> Message:
    named: dict[str, Any]
    if isinstance(meant, Item):
        named = {"barcode": meant.barcode, "only_this": task.request.get(F.HOLD_TYPE) == THIS_COPY}
    elif len(meant) == 1:
        named = {"record": meant[0]}
    else:
        return task.refuse("several_titles")
    pickup = branch_of(task.request.get(F.PICKUP)) or task.profile.branch
    request = HoldRequest(request_id=new_id(), card=task.card, pickup=pickup, expires_on=_expires_on(task), **named)
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
    position = holds.position(task.session, changed, local_date(task.now, task.profile.zone))
    _places(draft, expires_on=changed.expires_on, position=position, pickup=changed.pickup)
    return task.finish(draft, "hold_changed")


def _places(draft: Draft, *, expires_on: date | None, position: int | None, pickup: str | None) -> None:
    draft.add(F.EXPIRY, f"{expires_on:%Y%m%d}    235959" if expires_on else None)
    draft.add(F.QUEUE_POSITION, None if position is None else str(position)).add(F.PICKUP, pickup)


def _own(task: Task, meant: Item | tuple[int, ...]) -> list[Hold]:
    """The patron's open holds that the message may mean."""
    patron = patrons.find(task.session, task.card)
    mine = holds.of_patron(task.session, patron.id, now=task.now, zone=task.profile.zone) if patron else []
    if isinstance(meant, Item):
        return [one for one in mine if one.record_id == meant.record_id and one.takes(meant.id)]
    return [one for one in mine if one.record_id in meant]


def _expires_on(task: Task) -> date | None:
    """The last day on which it is wanted; one that is over stands for none."""
    at = task.profile.instant(task.request.get(F.EXPIRY)[:8] + " " * 4 + "120000")
    day = local_date(at, task.profile.zone) if at is not None else None
    return day if day is not None and day >= local_date(task.now, task.profile.zone) else None
