"""Holds: joining a queue, leaving it, and where an item goes that has come free.

A hold's queue is locked after the items it is about. `settle` is the one place where an item meets its queue.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from carrel.clock import local_date
from server.audit import service as audit
from server.catalogue import service as catalogue
from server.holds import policy, repository
from server.holds.errors import HoldOverError, HoldReadyError, UnknownHoldError
from server.holds.hold import Hold, State
from server.holds.policy import Refused, Route, Wish
from server.lending import service as lending
from server.lending.errors import UnknownBranchError
from server.lending.occasion import Occasion
from server.tasks import service as tasks

SHOWN_AFTER_END = timedelta(days=30)
"""How long readers see holds that have ended."""


STATUS: dict[str, catalogue.Status] = {"hold": "on_hold_shelf", "transit": "in_transit", "shelf": "on_shelf"}


@dataclass(frozen=True, slots=True)
class Settled:
    """Where an item goes now, for whose hold, if for one's, and the item as it is then."""

    route: Route
    hold: Hold | None
    item: catalogue.Item


@dataclass(frozen=True, slots=True)
class Placed:
    """A new hold and its place in the queue; `overridden` is what staff decided against."""

    hold: Hold
    position: int
    overridden: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True)
class Expired:
    """A hold that ended by itself. `item_id` is what was set aside for it; `settled` is where that goes now."""

    hold: Hold
    item_id: int | None
    settled: Settled | None


@dataclass(frozen=True, slots=True)
class Pull:
    """An item to be fetched from its shelf for the first who waits for it."""

    hold: Hold
    item: catalogue.Item


waited_for = repository.waited_for


def queues(session: Session, record_ids: Collection[int], *, lock: bool = False) -> dict[int, list[Hold]]:
    """The open holds of each of these titles, first come first."""
    found: dict[int, list[Hold]] = {record_id: [] for record_id in record_ids}
    if found:
        for hold in repository.queues(session, found, lock=lock):
            found[hold.record_id].append(hold)
    return found


def lines(session: Session, record_ids: Collection[int], today: date) -> dict[int, list[Hold]]:
    """The same as people are told them: without those whose last day is over."""
    return {
        record_id: [hold for hold in queue if not hold.outlived(today)]
        for record_id, queue in queues(session, record_ids).items()
    }


def of_patron(
    session: Session, patron_id: int, *, now: datetime, zone: ZoneInfo, ended_since: datetime | None = None
) -> list[Hold]:
    """A patron's open holds, and what has ended since an instant."""
    found = [hold.as_of(now, zone) for hold in repository.of_patron(session, patron_id, closed_since=ended_since)]
    return [
        hold for hold in found if hold.closed_at is None or (ended_since is not None and hold.closed_at >= ended_since)
    ]  # fmt: skip


def get(session: Session, hold_id: int) -> Hold | None:
    """By key."""
    return repository.get(session, hold_id)


def position(session: Session, hold: Hold, today: date) -> int:
    """The hold's place in its queue, from 1; 0 when something is set aside for it, or it is over."""
    return policy.positions(lines(session, [hold.record_id], today)[hold.record_id]).get(hold.id, 0)


def place(
    session: Session, patron_id: int, record_id: int, wish: Wish, *, expires_on: date | None, occasion: Occasion,
    reason: str = "",
) -> Placed | Refused:  # fmt: skip
    """Join the queue. The caller holds the patron's lock and has filled the wish, but for what holds know.

    Who joins at once gets places in the order in which the database lets them in, whoever asked first: nobody comes
    before a place that was told.

    `reason` is why staff decide against the wish's refusals.
    """
    mine, today = repository.of_patron(session, patron_id), local_date(occasion.now, occasion.zone)
    here = [hold for hold in mine if hold.record_id == record_id]
    wish = replace(
        wish, open_holds=sum(not hold.outlived(today) for hold in mine),
        on_same_record=any(not hold.outlived(today) for hold in here),
    )  # fmt: skip
    decision = policy.decide_place(wish)
    if isinstance(decision, Refused):
        return decision
    for over in here:  # else it would have been refused
        _expire(session, over, occasion)
    repository.queue_up(session, record_id)
    placed_at = max((occasion.now, *(hold.placed_at for hold in repository.queues(session, [record_id]))))
    values = {
        "patron_id": patron_id, "record_id": record_id, "item_id": wish.item_id, "pickup": wish.pickup,
        "placed_at": placed_at, "expires_on": expires_on, "paused": False, "state": "waiting",
    }  # fmt: skip
    hold_id = repository.add(session, values)
    hold = repository.get(session, hold_id) if hold_id is not None else None
    if hold is None:
        return Refused("hold_exists")
    overridden = [one.code for one in decision.overridden]
    detail = {"overridden": overridden, "reason": reason} if overridden else None
    _audit(session, "hold.place", hold, occasion, detail=detail)
    return Placed(hold, position(session, hold, today), decision.overridden)


def cancel(session: Session, hold_id: int, occasion: Occasion, *, patron_id: int | None = None) -> Expired:
    """Leave the queue; what was set aside goes to the next. Raises UnknownHoldError, also if it is another's."""
    hold = _open_hold(session, hold_id, occasion, patron_id)
    ended = _end(session, hold, "cancelled", occasion)
    _audit(session, "hold.cancel", hold, occasion)
    return ended


def pause(
    session: Session, hold_id: int, occasion: Occasion, *, until: date | None = None, patron_id: int | None = None
) -> Hold:
    """Be passed over, and keep one's place; raises UnknownHoldError, HoldReadyError, HoldOverError."""
    hold = _open_hold(session, hold_id, occasion, patron_id)
    if hold.state != "waiting":
        raise HoldReadyError
    if until is not None and until < local_date(occasion.now, occasion.zone):
        raise HoldOverError
    repository.change(session, hold.id, paused=True, paused_until=until)
    _audit(session, "hold.pause", hold, occasion)
    return replace(hold, paused=True, paused_until=until)


def resume(session: Session, hold_id: int, occasion: Occasion, *, patron_id: int | None = None) -> Hold:
    """Be served again; raises UnknownHoldError."""
    hold = _open_hold(session, hold_id, occasion, patron_id)
    repository.change(session, hold.id, paused=False, paused_until=None)
    _audit(session, "hold.resume", hold, occasion)
    return replace(hold, paused=False, paused_until=None)


def amend(
    session: Session, hold_id: int, occasion: Occasion, *,
    pickup: str | None = None, expires_on: date | None = None, patron_id: int | None = None,
) -> Hold:  # fmt: skip
    """Fetch it elsewhere, or wait until another day, at the same place in the queue; None leaves either as it is.

    Raises UnknownHoldError, HoldReadyError, UnknownBranchError.
    """
    hold = _open_hold(session, hold_id, occasion, patron_id)
    if hold.state != "waiting":
        raise HoldReadyError
    branches = lending.current(session).policy.branches
    if pickup is not None and branches and pickup not in branches:
        raise UnknownBranchError
    changed = replace(hold, pickup=pickup or hold.pickup, expires_on=expires_on or hold.expires_on)
    repository.change(session, hold.id, pickup=changed.pickup, expires_on=changed.expires_on)
    _audit(session, "hold.change", hold, occasion)
    return changed


def settle(
    session: Session, item: catalogue.Item, occasion: Occasion, *, queue: Sequence[Hold] | None = None,
    seen_at: datetime | None = None,
) -> Settled:  # fmt: skip
    """Send an item that is here where it belongs: to whom it is set aside for, to the next in the queue, where it was
    sent to, or home.

    The caller holds the item's lock, and the queue's if it hands it over. `seen_at` is when it was handed in.
    """
    line = repository.queues(session, [item.record_id], lock=True) if queue is None else queue
    today = local_date(occasion.now, occasion.zone)
    hold = policy.set_aside(line, item.id) or (policy.next_for(line, item.id, today) if item.for_loan else None)
    waits = item.stays and hold is None and item.status != "on_loan"
    sent = item.transit_to or item.at_branch if waits else None
    going = policy.route(occasion.branch, sent or item.branch or occasion.branch, hold.pickup if hold else None)
    if hold is not None:
        _fill(session, hold, item.id, going, occasion=occasion)
    now = item._replace(
        status=STATUS[going.kind], at_branch=occasion.branch, stays=sent is not None,
        transit_to=going.branch if going.kind == "transit" else None, last_seen_at=seen_at or item.last_seen_at,
    )  # fmt: skip
    catalogue.set_status(
        session, item.id, STATUS[going.kind], at_branch=now.at_branch, transit_to=now.transit_to, stays=now.stays,
        seen_at=seen_at,
    )  # fmt: skip
    return Settled(going, hold, now)


def keep_back(session: Session, item: catalogue.Item, occasion: Occasion) -> Settled:
    """An item that is here is for nobody until staff have seen to it: who it was set aside for waits again."""
    take_back(session, item.id)
    now = item._replace(
        status="in_processing", at_branch=occasion.branch, stays=False, transit_to=None, last_seen_at=occasion.now
    )  # fmt: skip
    catalogue.set_status(session, item.id, "in_processing", at_branch=occasion.branch, seen_at=occasion.now)
    return Settled(Route("staff", occasion.branch), None, now)


def fulfil(session: Session, hold: Hold, loan_id: int, at: datetime) -> None:
    """The patron has what they waited for."""
    repository.change(session, hold.id, state="fulfilled", closed_at=at, loan_id=loan_id)


def unfulfil(session: Session, loan_id: int, item_id: int) -> Hold | None:
    """A loan was made undone: its hold waits again, for the item that was set aside if it was this one."""
    for hold in repository.of_loan(session, loan_id):
        state: State = "ready" if hold.filled_item_id == item_id and hold.ready_at is not None else "waiting"
        repository.change(session, hold.id, state=state, closed_at=None, loan_id=None)
        return replace(hold, state=state, closed_at=None, loan_id=None)
    return None


def take_back(session: Session, item_id: int) -> None:
    """What was set aside is so no longer, since the item has left again: its hold waits once more."""
    if hold := repository.closed_by_checkin(session, item_id):
        repository.change(session, hold.id, state="waiting", filled_item_id=None, ready_at=None, ready_until=None)


def expire(session: Session, occasion: Occasion) -> list[Expired]:
    """End what was waited for long enough or not fetched; resume who paused until today. Again: nothing more."""
    today = local_date(occasion.now, occasion.zone)
    repository.resume_due(session, today)
    stayed = [hold.filled_item_id for hold in repository.overstayed(session, occasion.now)]
    catalogue.items_by_id(session, [item_id for item_id in stayed if item_id is not None], lock=True)
    over = [*repository.outlived(session, today), *repository.overstayed(session, occasion.now, lock=True)]
    return [_expire(session, hold, occasion) for hold in over]


def pull_list(session: Session, today: date, branch: str | None = None) -> list[Pull]:
    """What can be fetched from a shelf of this branch (or of any) for those who wait, first come first; an item
    that somebody waits for by itself is left to them where another will do."""
    taken: set[int] = set()
    shelves: dict[int, list[catalogue.Item]] = {}
    pulls = []
    waiting = [hold for hold in repository.waiting(session) if hold.waits(today)]
    wanted = {hold.item_id for hold in waiting}
    for hold in waiting:
        if hold.record_id not in shelves:
            items = catalogue.get_record(session, hold.record_id)[1]
            shelves[hold.record_id] = sorted(items, key=lambda item: item.id in wanted)
        for item in shelves[hold.record_id]:
            here = branch is None or (item.at_branch or branch) == branch
            if item.status == "on_shelf" and item.for_loan and hold.takes(item.id) and item.id not in taken:
                taken.add(item.id)
                if here:
                    pulls.append(Pull(hold, item))
                break
    return pulls


def stranded(session: Session, today: date, branch: str | None = None) -> list[Hold]:
    """Who waits for what no copy can serve any longer, paused or not, first come first: the last one that may be lent,
    or the very one they want, is missing, lost, withdrawn or not for loan."""
    waiting = [hold for hold in repository.waiting(session) if not hold.outlived(today)]
    copies = catalogue.copies(session, sorted({hold.record_id for hold in waiting}))
    wanted = catalogue.items_by_id(session, {hold.item_id for hold in waiting if hold.item_id is not None}).values()
    serving = {item.id for item in wanted if item.for_loan and item.status not in policy.GONE}
    return [
        hold
        for hold in waiting
        if branch in (None, hold.pickup)
        and not (hold.record_id in copies if hold.item_id is None else hold.item_id in serving)
    ]


def shelf(session: Session, branch: str | None = None) -> list[Hold]:
    """What is on the hold shelf."""
    return repository.ready(session, branch)


def waiting_counts(session: Session, today: date) -> dict[int, int]:
    """How many wait for each title that somebody waits for, those who have paused among them."""
    return repository.waiting_counts(session, today)


def about_patron(session: Session, patron_id: int) -> list[dict[str, Any]]:
    """What is held of a person's holds."""
    found = repository.of_patron(session, patron_id, closed_since=datetime.min.replace(tzinfo=UTC))
    return [asdict(hold) for hold in found]


def count_open(session: Session, patron_id: int) -> int:
    """How many holds a patron has."""
    return len(repository.of_patron(session, patron_id))


def forget_patron(session: Session, patron_id: int, _at: datetime) -> None:
    """A person's past holds are nobody's any longer."""
    repository.forget_patron(session, patron_id)


def forget(session: Session, before: datetime) -> None:
    """Drop who had a hold that ended before an instant."""
    repository.forget(session, before)


def _open_hold(session: Session, hold_id: int, occasion: Occasion, patron_id: int | None) -> Hold:
    """Its item is locked before it, as everywhere; so it is read twice. One whose last day is over is open no more."""
    seen = repository.get(session, hold_id)
    if seen is not None and seen.filled_item_id is not None:
        catalogue.items_by_id(session, [seen.filled_item_id], lock=True)
    hold = repository.get(session, hold_id, lock=True)
    if hold is None or not hold.as_of(occasion.now, occasion.zone).open or patron_id not in (None, hold.patron_id):
        raise UnknownHoldError
    return hold


def _expire(session: Session, hold: Hold, occasion: Occasion) -> Expired:
    ended = _end(session, hold, "expired", occasion)
    _audit(session, "hold.expire", hold, occasion)
    return ended


def _end(session: Session, hold: Hold, state: State, occasion: Occasion) -> Expired:
    """Close a hold; staff take its item off the hold shelf, one on its way goes on when it arrives."""
    repository.change(session, hold.id, state=state, closed_at=occasion.now)
    if hold.filled_item_id is None or hold.state != "ready":
        return Expired(hold, hold.filled_item_id, None)
    item = catalogue.items_by_id(session, [hold.filled_item_id], lock=True)[hold.filled_item_id]
    settled = settle(session, item, occasion._replace(branch=hold.pickup))
    tasks.add(
        session, "hold_shelf_expired", f"hold_{state}", branch=hold.pickup, at=occasion.now, now=occasion.now,
        item_id=item.id, detail={"route": settled.route.kind, "route_to": settled.route.branch},
    )  # fmt: skip
    return Expired(hold, item.id, settled)


def _fill(session: Session, hold: Hold, item_id: int, going: Route, *, occasion: Occasion) -> None:
    """Set an item aside, or send it to where it is to be fetched. What is set aside already keeps its day."""
    if going.kind == "transit":
        repository.change(
            session, hold.id, state="in_transit", filled_item_id=item_id, ready_at=None, ready_until=None
        )  # fmt: skip
    elif hold.state != "ready":
        until = lending.current(session).shelf_until(occasion.now, zone=occasion.zone, branch=going.branch)
        repository.change(
            session, hold.id, state="ready", filled_item_id=item_id, ready_at=occasion.now, ready_until=until
        )  # fmt: skip


def _audit(
    session: Session, action: str, hold: Hold, occasion: Occasion, *, detail: Mapping[str, Any] | None = None
) -> None:
    audit.record(
        session, actor=occasion.actor, action=action, target=f"hold:{hold.id}", at=occasion.now, detail=detail
    )  # fmt: skip
