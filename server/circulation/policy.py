"""The rules of lending. Pure: the service fills the facts, these functions judge them.

The loan's life cycle is one table, LIFE_CYCLE. A trigger that the table does not have for an item's state is
refused with the code in OUT_OF_PLACE; otherwise the guards of its row are asked in order and the first refusal counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Literal
from zoneinfo import ZoneInfo

from carrel.clock import end_of_day, local_date


@dataclass(frozen=True, slots=True)
class Rules:
    """What this library lends."""

    loan_days: int
    max_loans: int
    max_renewals: int


@dataclass(frozen=True, slots=True)
class PatronFacts:
    """A patron's standing; `expires_on` is the last day the card is good."""

    id: int
    open_loans: int
    expires_on: date | None = None
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """Whether the item may leave the house at all."""

    for_loan: bool = True


@dataclass(frozen=True, slots=True)
class LoanFacts:
    """The item's open loan."""

    patron_id: int
    due: datetime
    renewals: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """Everything one decision is made from; None is what the library does not know or have."""

    rules: Rules
    now: datetime
    zone: ZoneInfo
    patron: PatronFacts | None = None
    item: ItemFacts | None = None
    loan: LoanFacts | None = None


@dataclass(frozen=True, slots=True)
class Allowed:
    """Go on; `due` is the new due date of a loan that goes on."""

    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Why not, as a stable code."""

    code: str
    params: dict[str, str | int] = field(default_factory=dict)


Decision = Allowed | Refused
Security = Literal["in_stock", "on_loan"]
Guard = Callable[[Case], Refused | None]


class State(StrEnum):
    """Of an item, as lending sees it."""

    NO_LOAN = "no_loan"
    OPEN = "open"


class Trigger(StrEnum):
    """What somebody asks for."""

    CHECKOUT = "checkout"
    RENEWAL = "renewal"
    CHECKIN = "checkin"


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the life cycle."""

    state: State
    trigger: Trigger
    next: State
    guards: tuple[Guard, ...]


def decide_checkout(case: Case) -> Decision:
    """May this patron take this item, and until when?"""
    if refused := unknown_card(case) or unknown_item(case) or _move(case, Trigger.CHECKOUT):
        return refused
    return Allowed(due_date(case.now, case.rules.loan_days, case.zone))


def decide_renewal(case: Case) -> Decision:
    """May this patron keep this item longer, and until when? Counted on from the present due date."""
    if refused := unknown_card(case) or unknown_item(case) or _move(case, Trigger.RENEWAL):
        return refused
    assert case.loan is not None
    return Allowed(due_date(case.loan.due, case.rules.loan_days, case.zone))


def decide_checkin(case: Case) -> Decision:
    """Is this item one that can come back?"""
    return unknown_item(case) or _move(case, Trigger.CHECKIN) or Allowed()


def due_date(start: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The last second of the library's day that lies `days` after the day of `start`."""
    return end_of_day(local_date(start, zone) + timedelta(days=days), zone).astimezone(UTC)


def standing_code(case: Case) -> str | None:
    """Why the patron may borrow nothing at all; None when they may."""
    for guard in (unknown_card, blocked, expired, limit_reached):
        if refused := guard(case):
            return refused.code
    return None


def quota_left(open_loans: int, rules: Rules) -> int:
    """How many more items the limit allows."""
    return max(0, rules.max_loans - open_loans)


def tag_after_refusal(code: str) -> Security | None:
    """What the tag of a refused item should say; None where a refusal gives no reason to touch it.

    Lets a pad mend a tag whose write failed after the loan, or its end, was stored.
    """
    return {"on_loan_to_you": "on_loan", "not_on_loan": "in_stock"}.get(code)  # type: ignore[return-value]  # the dict's values are the literals


# ---------------------------------------------------------------- guards: each answers for one rule


def unknown_card(case: Case) -> Refused | None:
    """The card is not one of ours."""
    return Refused("unknown_card") if case.patron is None else None


def unknown_item(case: Case) -> Refused | None:
    """The barcode is not in the catalogue."""
    return Refused("unknown_item") if case.item is None else None


def blocked(case: Case) -> Refused | None:
    """A librarian has blocked the patron."""
    return Refused("patron_blocked") if case.patron and case.patron.blocked else None


def expired(case: Case) -> Refused | None:
    """The card's last day is over, in the library's zone."""
    last = case.patron.expires_on if case.patron else None
    if last is None or local_date(case.now, case.zone) <= last:
        return None
    return Refused("card_expired", {"expired_on": last.isoformat()})


def kept_in(case: Case) -> Refused | None:
    """Reference works and missing items are not lent."""
    return Refused("not_for_loan") if case.item and not case.item.for_loan else None


def limit_reached(case: Case) -> Refused | None:
    """The patron has as many loans as the library gives."""
    if case.patron is None or case.patron.open_loans < case.rules.max_loans:
        return None
    return Refused("loan_limit", {"limit": case.rules.max_loans})


def not_yours(case: Case) -> Refused | None:
    """The loan is another patron's; whose is never told."""
    return Refused("not_your_loan") if case.patron and case.loan and case.loan.patron_id != case.patron.id else None


def overdue(case: Case) -> Refused | None:
    """A loan past its due date comes back first."""
    return Refused("overdue") if case.loan and case.loan.due < case.now else None


def renewed_enough(case: Case) -> Refused | None:
    """The loan has been renewed as often as the library allows."""
    if case.loan is None or case.loan.renewals < case.rules.max_renewals:
        return None
    return Refused("renewal_limit", {"limit": case.rules.max_renewals})


LIFE_CYCLE: tuple[Transition, ...] = (
    Transition(State.NO_LOAN, Trigger.CHECKOUT, State.OPEN, (blocked, expired, kept_in, limit_reached)),
    Transition(State.OPEN, Trigger.RENEWAL, State.OPEN, (not_yours, blocked, expired, overdue, renewed_enough)),
    Transition(State.OPEN, Trigger.CHECKIN, State.NO_LOAN, ()),
)


def _already_lent(case: Case) -> Refused:
    mine = case.patron is not None and case.loan is not None and case.loan.patron_id == case.patron.id
    return Refused("on_loan_to_you" if mine else "on_loan")


OUT_OF_PLACE: dict[Trigger, Callable[[Case], Refused]] = {
    Trigger.CHECKOUT: _already_lent,
    Trigger.RENEWAL: lambda _case: Refused("not_on_loan"),
    Trigger.CHECKIN: lambda _case: Refused("not_on_loan"),
}


def _move(case: Case, trigger: Trigger) -> Refused | None:
    state = State.NO_LOAN if case.loan is None else State.OPEN
    row = next((t for t in LIFE_CYCLE if (t.state, t.trigger) == (state, trigger)), None)
    if row is None:
        return OUT_OF_PLACE[trigger](case)
    return next((refused for guard in row.guards if (refused := guard(case))), None)
