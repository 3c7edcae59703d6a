"""The queue: who is next for an item, who stands where, and who may join. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import takewhile
from typing import Literal

from server.holds.hold import Hold

GONE = frozenset({"missing", "lost", "withdrawn"})
"""Items in these states serve no hold."""
CIRCULATING = frozenset({"on_shelf", "on_loan", "on_hold_shelf", "in_transit"})
"""Of items in these states it can be guessed when they will serve somebody."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why not, as a stable code."""

    code: str
    params: dict[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Accepted:
    """Join the queue; `overridden` is what staff have decided against."""

    overridden: tuple[Refused, ...] = ()


OVERRIDABLE = frozenset({
    "card_lost", "card_expired", "patron_blocked", "fee_limit", "overdue_items", "title_on_shelf", "hold_limit",
})  # fmt: skip
"""What staff may decide against, with a reason; never what is unknown, held or lent already, or could never come."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a new hold is judged by. `lendable` are ids of items that may be lent, `free` of those on a shelf.

    `objections` is what speaks against the patron, `overrides` the codes that staff decide against.
    """

    item_id: int | None
    pickup: str
    objections: tuple[Refused, ...]
    branches: Collection[str]
    open_holds: int
    limit: int | None
    on_same_record: bool
    borrowed: bool
    items: Collection[int]
    lendable: Collection[int]
    free: Collection[int]
    on_shelf_allowed: bool
    overrides: frozenset[str] = frozenset()


def decide_place(wish: Wish) -> Accepted | Refused:
    """May the patron join the queue?"""
    wanted = set(wish.items if wish.item_id is None else [wish.item_id])
    refusals: Iterable[tuple[bool, Refused]] = (
        (bool(wish.branches) and wish.pickup not in wish.branches, Refused("unknown_branch")),
        (wish.on_same_record, Refused("hold_exists")),
        (wish.borrowed, Refused("on_loan_to_you")),
        (not wanted & set(wish.items), Refused("hold_no_copy")),
        (not wanted & set(wish.lendable), Refused("not_for_loan")),
        (not wish.on_shelf_allowed and bool(wanted & set(wish.free)), Refused("title_on_shelf")),
        (wish.limit is not None and wish.open_holds >= wish.limit, Refused("hold_limit", {"limit": wish.limit or 0})),
    )
    against = [*wish.objections, *(refused for applies, refused in refusals if applies)]
    overridden = tuple(refused for refused in against if refused.code in wish.overrides & OVERRIDABLE)
    return next((refused for refused in against if refused not in overridden), Accepted(overridden))


@dataclass(frozen=True, slots=True)
class Route:
    """Where an item that is here goes next: to the hold shelf, another branch, its shelf, or the staff."""

    kind: Literal["hold", "transit", "shelf", "staff"]
    branch: str


def route(here: str, home: str, pickup: str | None) -> Route:
    """Where an item goes: to whoever waits for it, else home."""
    if pickup is not None:
        return Route("hold" if pickup == here else "transit", pickup)
    return Route("shelf" if home == here else "transit", home)


def next_for(queue: Sequence[Hold], item_id: int, today: date) -> Hold | None:
    """Who gets an item that is free: the first who waits, has not paused, and takes it."""
    return next((hold for hold in queue if hold.waits(today) and hold.takes(item_id)), None)


def set_aside(queue: Iterable[Hold], item_id: int) -> Hold | None:
    """The hold for which the item is on its way or on the hold shelf."""
    return next((hold for hold in queue if hold.filled_item_id == item_id and hold.open), None)


def ahead(queue: Sequence[Hold], item_id: int, patron_id: int | None, today: date) -> list[Hold]:
    """Those who wait for what this item would serve, before the patron's own place if they have one."""
    return [hold for hold in _before(queue, patron_id, today) if hold.takes(item_id)]


def needed(queue: Sequence[Hold], item_id: int, patron_id: int | None, today: date, *, spare: Collection[int]) -> bool:
    """Whether this item and the spare ones would serve more of those ahead than the spare ones alone."""
    before = _before(queue, patron_id, today)
    return _served(before, {*spare, item_id}) > _served(before, set(spare))


def _served(waiting: Collection[Hold], items: set[int]) -> int:
    """How many these items serve: an item that somebody waits for by itself is theirs, the rest are anybody's."""
    theirs = len(items & {hold.item_id for hold in waiting})
    return theirs + min(sum(hold.item_id is None for hold in waiting), len(items) - theirs)


def _before(queue: Sequence[Hold], patron_id: int | None, today: date) -> list[Hold]:
    """Those who wait and have not paused, before the patron's own place if they have one."""
    others = takewhile(lambda hold: patron_id is None or hold.patron_id != patron_id, queue)
    return [hold for hold in others if hold.waits(today)]


def own(queue: Sequence[Hold], item_id: int, patron_id: int) -> Hold | None:
    """The patron's hold that lending them this item fulfils: the one it is set aside for, or one that still waits."""
    for hold in queue:
        mine = hold.patron_id == patron_id and (hold.filled_item_id == item_id or hold.state == "waiting")
        if mine and hold.takes(item_id):
            return hold
    return None


def positions(queue: Sequence[Hold]) -> dict[int, int]:
    """Of each open hold on a title its place in the queue, from 1; 0 when something is set aside for it."""
    placed: dict[int, int] = {}
    waiting = 0
    for hold in queue:
        waiting += hold.state == "waiting"
        placed[hold.id] = waiting if hold.state == "waiting" else 0
    return placed


@dataclass(frozen=True, slots=True)
class Copy:
    """An item that circulates, and the day on which it will probably be free for the next who waits."""

    item_id: int
    free_on: date


@dataclass(frozen=True, slots=True)
class Place:
    """Somebody who waits, for whichever copy or for one only; they keep it for so many days."""

    item_id: int | None
    days: int


def free_on(status: str, *, today: date, due: date | None = None, kept_days: int | None = None) -> date | None:
    """When an item will probably be free: `due` is of its loan, `kept_days` of the reader for whom it is set aside.

    What is overdue counts as if it came back today. None for an item that does not circulate.
    """
    if status not in CIRCULATING:
        return None
    if due is not None:
        return max(today, due)
    return today + timedelta(days=kept_days or 0)


def expected_days(copies: Iterable[Copy], places: Iterable[Place]) -> list[date | None]:
    """Of each place, in the queue's order, the day on which a copy will probably be free; None when none will do.

    Each gets the copy that is free first of those that will do, and gives it on after the days they keep it.
    """
    free = {copy.item_id: copy.free_on for copy in copies}
    days: list[date | None] = []
    for place in places:
        fitting = [(day, item_id) for item_id, day in free.items() if place.item_id in (None, item_id)]
        day, item_id = min(fitting, default=(None, None))
        if day is not None and item_id is not None:
            free[item_id] = day + timedelta(days=place.days)
        days.append(day)
    return days
