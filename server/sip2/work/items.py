"""Item information (17) and item status update (19)."""

from __future__ import annotations

from carrel.clock import local_date
from server.audit import service as audit
from server.catalogue import service as catalogue
from server.catalogue.service import Item
from server.circulation import service as circulation
from server.holds import policy as queueing
from server.holds import service as holds
from server.lending import service as lending
from server.sip2.wire.messages import Draft, F, Message
from server.sip2.work import routing
from server.sip2.work.checkins import describe, tell_hold
from server.sip2.work.task import Task, branch_of

CIRCULATION = {
    "on_shelf": "03", "on_loan": "04", "in_processing": "06", "on_hold_shelf": "08", "in_transit": "10",
    "lost": "12", "missing": "13",
}  # fmt: skip
"""Circulation status; 01 (other) for what is in repair or withdrawn."""

OTHER = "01"
TAGGED, PLAIN = "00", "01"
"""Security marker: an RFID tag is 'other', nothing is 'none'."""

LOCATION_LIMIT = 60


def information(task: Task) -> Message:
    """17 -> 18."""
    item = _item(task)
    if item is None:
        return task.refuse("unknown_item")
    queue = holds.lines(task.session, [item.record_id], local_date(task.now, task.profile.zone))[item.record_id]
    waiting = [hold for hold in queue if hold.state == "waiting" and hold.takes(item.id)]
    aside = queueing.set_aside(queue, item.id)
    draft = task.begin().set(
        circulation=CIRCULATION.get(item.status, OTHER), security=TAGGED if item.tags else PLAIN, fee_type=OTHER
    )
    draft.add(F.TITLE, item.title).add(F.QUEUE_LENGTH, str(len(waiting)))
    loan = circulation.open_loan(task.session, item.id) if item.status == "on_loan" else None
    draft.add(F.DUE, task.profile.due(loan.due_at) if loan else None)
    if aside is not None and aside.ready_until is not None:
        draft.add(F.PICKUP_DATE, task.profile.date(aside.ready_until))
    _places(task, draft, item)
    draft.add(F.MEDIA_TYPE, routing.media_type(item.type, task.profile.terminal.media))
    draft.add(F.PROPERTIES, item.note or None)
    if task.profile.sends("destination"):
        draft.add(F.DESTINATION, item.transit_to)
    describe(task, draft, item)
    tell_hold(task, draft, aside)
    return task.finish(draft)


def update(task: Task) -> Message:
    """19 -> 20: properties, and what a shelf-scanning robot tells of home, present place and shelf."""
    item = _item(task)
    if item is None:
        return task.refuse("unknown_item")
    request = task.request
    if _strange_branch(task, item):
        return task.refuse("unknown_branch")
    told = {
        "branch": branch_of(request.get(F.HOME_PLACE)),
        "at_branch": branch_of(request.get(F.PRESENT_PLACE)),
        "location": (request.get(F.SHELF_NEW) or request.get(F.SHELF)).strip()[:LOCATION_LIMIT] or None,
        "note": request.get(F.PROPERTIES).strip() or None,
    }
    catalogue.place_item(task.session, item.id, task.now, **told)
    changed = sorted(name for name, value in told.items() if value is not None)
    audit.record(
        task.session, actor=task.actor, action="item.place", target=f"item:{item.id}", at=task.now,
        detail={"fields": changed},
    )  # fmt: skip
    draft = task.begin().set(ok="1").add(F.TITLE, item.title).add(F.PROPERTIES, told["note"] or item.note or None)
    return task.finish(draft, "stored")


def _strange_branch(task: Task, item: Item) -> bool:
    """Whether it names a branch that the library does not have. Where the item is already, it may stay."""
    rules, own = lending.current(task.session), task.profile.branch
    known = {item.branch, item.at_branch}
    named = {task.request.get(field).strip() for field in (F.HOME_PLACE, F.PRESENT_PLACE)} - known - {""}
    return not all(branch_of(name) and lending.knows_branch(rules, name, own=own) for name in named)


def _places(task: Task, draft: Draft, item: Item) -> None:
    """Owner, home and where it is now."""
    home = item.branch or task.profile.branch
    draft.add(F.OWNER, task.profile.institution).add(F.HOME_PLACE, home).add(F.PRESENT_PLACE, item.at_branch or home)


def _item(task: Task) -> Item | None:
    return catalogue.items_by_barcode(task.session, [task.barcode]).get(task.barcode) if task.barcode else None
