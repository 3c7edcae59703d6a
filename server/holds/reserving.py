"""Placing holds: a wish is judged by what the patron has and may borrow, so circulation stands before the queue."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy.orm import Session

from carrel.clock import local_date
from server.catalogue import service as catalogue
from server.catalogue.errors import UnknownRecordError
from server.circulation import policy
from server.circulation.counter import Counter, open_counter
from server.circulation.service import overrides_of
from server.holds import service as holds
from server.holds.policy import GONE, Refused, Wish
from server.holds.schemas import HoldRequest, HoldResult
from server.lending import journal
from server.lending.occasion import Occasion
from server.patrons.service import Borrower


def place_hold(session: Session, request: HoldRequest, occasion: Occasion) -> HoldResult:
    """Join a title's queue; a refusal is an answer. A request that comes again gets its first one."""

    def work() -> HoldResult:
        return place_at(session, request, occasion)

    return journal.once(session, occasion.actor, request, now=occasion.now, answer=HoldResult, work=work)


def place_at(session: Session, request: HoldRequest, occasion: Occasion) -> HoldResult:
    """The same for callers who see to it themselves that a repeat is not done twice."""
    counter = open_counter(session, occasion, cards=[request.card] if request.card else [], lock=True)
    patron = counter.patrons.get(request.card or "")
    if patron is None:
        return _refused(request, Refused("unknown_card"))
    found = _items(session, request)
    if found is None:
        return _refused(request, Refused("unknown_item" if request.barcode else "unknown_record"))
    return _place(counter, patron, request, found)


def _items(session: Session, request: HoldRequest) -> tuple[catalogue.Record, tuple[catalogue.Item, ...]] | None:
    """The title that is wanted, with its items; None when there is none."""
    record_id = request.record
    if request.barcode is not None:
        item = catalogue.items_by_barcode(session, [request.barcode]).get(request.barcode)
        record_id = item.record_id if item else None
    try:
        return None if record_id is None else catalogue.get_record(session, record_id)
    except UnknownRecordError:
        return None


def _place(
    counter: Counter, patron: Borrower, request: HoldRequest, found: tuple[catalogue.Record, tuple[catalogue.Item, ...]]
) -> HoldResult:
    record, items = found
    occasion = counter.occasion
    if request.expires_on is not None and request.expires_on < local_date(occasion.now, occasion.zone):
        return _refused(request, Refused("hold_over"))
    wish = _wish(counter, patron, request, items)
    placed = holds.place(
        counter.session, patron.id, record.id, wish, expires_on=_expires_on(counter, request), occasion=occasion,
        reason=request.reason,
    )  # fmt: skip
    if isinstance(placed, Refused):
        return _refused(request, placed).model_copy(update={"title": record.title})
    free = set(wish.free) if wish.item_id is None else set(wish.free) & {wish.item_id}
    return HoldResult(
        request_id=request.request_id,
        status="ok",
        title=record.title,
        hold=placed.hold.id,
        position=placed.position,
        pickup=placed.hold.pickup,
        expires_on=placed.hold.expires_on,
        available=0 < placed.position <= len(free),
        overridden=tuple(one.code for one in placed.overridden),
    )


def _wish(counter: Counter, patron: Borrower, request: HoldRequest, items: tuple[catalogue.Item, ...]) -> Wish:
    rules, occasion = counter.lending.policy, counter.occasion
    circulating = [item for item in items if item.status not in GONE]
    lendable = {item.id for item in circulating if _lendable(counter, patron, item)}
    aside = set() if not circulating else {
        hold.filled_item_id for hold in holds.queues(counter.session, [items[0].record_id])[items[0].record_id]
    }  # fmt: skip
    free = {item.id for item in circulating if item.status == "on_shelf" and item.id in lendable - aside}
    only = next((item.id for item in items if item.barcode == request.barcode), None) if request.only_this else None
    facts = counter.standing(patron)
    case = policy.Case(counter.lending, occasion.now, occasion.zone, patron=facts)
    return Wish(
        item_id=only,
        pickup=request.pickup or occasion.branch,
        objections=tuple(Refused(one.code, one.params) for one in policy.hold_objections(case)),
        branches=rules.branches,
        open_holds=0,
        limit=rules.hold_limit,
        on_same_record=False,
        borrowed=any(counter.loans.get(item.id) is not None for item in items),
        items={item.id for item in circulating},
        lendable=lendable,
        free=free,
        on_shelf_allowed=rules.hold_on_shelf_allowed,
        overrides=overrides_of(request.overrides, occasion),
    )


def _lendable(counter: Counter, patron: Borrower, item: catalogue.Item) -> bool:
    rule = counter.rule_for(patron, item, item.branch or counter.occasion.branch)
    return item.for_loan and rule is not None and rule.allowed


def _expires_on(counter: Counter, request: HoldRequest) -> date | None:
    """As wished, but not after what the library allows."""
    days = counter.lending.policy.hold_expiry_days
    if days is None:
        return request.expires_on
    last = local_date(counter.occasion.now, counter.occasion.zone) + timedelta(days=days)
    return min(last, request.expires_on or last)


def _refused(request: HoldRequest, why: Refused) -> HoldResult:
    return HoldResult(request_id=request.request_id, status="refused", code=why.code, params=why.params)
