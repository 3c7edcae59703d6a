"""Holds: joining a queue, leaving it, being passed over for a while."""

from __future__ import annotations

from sqlalchemy.orm import Session

from carrel.clock import local_date
from server.catalogue import service as catalogue
from server.holds import service as holds
from server.holds.hold import Hold
from server.holds.policy import OVERRIDABLE
from server.holds.reserving import place_hold
from server.holds.schemas import HoldRequest
from server.lending.occasion import Channel
from server.rehearse.act import Act
from server.rehearse.answers import Answer, ok, plain, refused
from server.rehearse.commands.loans import made, overriding, unfounded
from server.rehearse.commands.people import wrong_pin
from server.rehearse.fields import ITEM

RECORD = ("record", "title", "record_id")
NO_RECORD = 2**31 - 1
"""A key that no title has: for a name that the file does not know."""


def place(act: Act) -> Answer:
    """Join the queue for a title, or for one item of it (`any_copy`: for whichever comes first)."""
    with act.database.reading() as session:
        card = act.card(session)
    if wrong := wrong_pin(act, card):
        return wrong
    if code := unfounded(act):
        return refused(code)
    barcode = act.fields.text(*ITEM, default="") or None
    request = made(
        act,
        HoldRequest,
        card=card,
        record=None if barcode else _record(act),
        barcode=barcode,
        only_this=barcode is not None and not act.fields.flag("any_copy", "any") and not _of_title(act),
        pickup=act.fields.text("pickup", "pickup_branch", "pickup_location", default="") or None,
        expires_on=act.fields.day("expires", "expires_on", "until"),
        **overriding(act, OVERRIDABLE),
    )
    with act.database.writing() as session:
        told = place_hold(session, request, act.occasion)
    if told.status != "ok":
        return refused(told.code or "", params=told.params) if told.params else refused(told.code or "")
    overridden = {"overridden": list(told.overridden)} if told.overridden else {}
    return overridden | ok(
        hold_id=told.hold,
        position=told.position,
        pickup=told.pickup,
        available=told.available,
        expires=plain(told.expires_on, act.zone),
    )


def cancel(act: Act) -> Answer:
    """Leave the queue; what was set aside goes to the next."""
    with act.database.writing() as session:
        hold = _hold(act, session)
        if hold is None:
            return refused("unknown_hold")
        ended = holds.cancel(session, hold.id, act.occasion, patron_id=_own(act))
        if ended.settled is None:
            return ok()
        return ok(route=ended.settled.route.kind, route_to=ended.settled.route.branch)


def pause(act: Act) -> Answer:
    """Be passed over and keep the place, until a day or until resumed."""
    with act.database.writing() as session:
        hold = _hold(act, session)
        if hold is None:
            return refused("unknown_hold")
        until = act.fields.day("until", "pause_until")
        paused = holds.pause(session, hold.id, act.occasion, until=until, patron_id=_own(act))
        return ok(position=holds.position(session, paused, local_date(act.now, act.zone)))


def resume(act: Act) -> Answer:
    """Be served again, at the place that was kept."""
    with act.database.writing() as session:
        hold = _hold(act, session)
        if hold is None:
            return refused("unknown_hold")
        resumed = holds.resume(session, hold.id, act.occasion, patron_id=_own(act))
        return ok(position=holds.position(session, resumed, local_date(act.now, act.zone)))


def _of_title(act: Act) -> bool:
    """An item may stand for its title."""
    return act.fields.text("level", "hold_type", default="item") in ("title", "record")


def _record(act: Act) -> int:
    """By the file's name, or by key."""
    named = act.fields.text(*RECORD)
    return act.world.records.get(named, int(named) if named.isdecimal() else NO_RECORD)


def _hold(act: Act, session: Session) -> Hold | None:
    """By its number, or the patron's open hold on a title or item."""
    number = act.fields.number("hold_id", "hold", default=None)
    if number is not None:
        return holds.get(session, number)
    patron = act.patron(session)
    if patron is None:
        return None
    mine = holds.of_patron(session, patron.id, now=act.now, zone=act.zone)
    if act.fields.has(*ITEM):
        barcode = act.fields.text(*ITEM)
        item = catalogue.items_by_barcode(session, [barcode]).get(barcode)
        return next((hold for hold in mine if item is not None and hold.record_id == item.record_id), None)
    if act.fields.has(*RECORD):
        record = _record(act)
        return next((hold for hold in mine if hold.record_id == record), None)
    return mine[0] if len(mine) == 1 else None


def _own(act: Act) -> int | None:
    """A reader's own key; None for those who may act for everybody."""
    if act.door.channel is not Channel.READER or act.door.patron is None:
        return None
    return act.world.patrons.get(act.door.patron)
