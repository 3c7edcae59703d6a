"""The rules of lending. Pure: the service fills the facts, these functions judge them.

The loan's life cycle is one table, LIFE_CYCLE. A trigger that the table does not have for an item's state is
refused with the code in OUT_OF_PLACE; otherwise the guards of its row are asked in order and the first refusal counts
that nobody has overridden. How long is lent, and what for whom, says `server.lending.policy`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from carrel.clock import local_date
from server.lending.policy import Lending, LibraryPolicy, Rule

NO_LIMIT = 999
"""What a terminal shows of a limit that the library does not have."""


class PatronFacts(NamedTuple):
    """A patron's standing. `expires_on` is the card's last good day; `loans_in_rule` counts what the rule limits."""

    id: int
    open_loans: int = 0
    expires_on: date | None = None
    blocked: bool = False
    card_state: str = "active"
    loans_in_rule: int = 0
    overdue: int = 0
    owed: Decimal = Decimal(0)


class ItemFacts(NamedTuple):
    """Whether the item may leave the house at all; `parts` is how many of its `tags` were seen, if anybody counted."""

    for_loan: bool = True
    status: str = "on_shelf"
    tags: int = 1
    parts: int | None = None


class LoanFacts(NamedTuple):
    """The item's open loan; a replayed one may have lost its patron."""

    patron_id: int | None
    due: datetime
    renewals: int = 0


class HoldFacts(NamedTuple):
    """Who else wants the item: for whom it is set aside, and whether somebody before this patron needs it."""

    set_aside_for: int | None = None
    needed: bool = False


class Case(NamedTuple):
    """Everything one decision is made from; None is what the library does not know or have."""

    lending: Lending
    now: datetime
    zone: ZoneInfo
    branch: str = "main"
    rule: Rule | None = None
    patron: PatronFacts | None = None
    item: ItemFacts | None = None
    loan: LoanFacts | None = None
    holds: HoldFacts = HoldFacts()
    overrides: frozenset[str] = frozenset()

    @property
    def policy(self) -> LibraryPolicy:
        """The library's."""
        return self.lending.policy


@dataclass(frozen=True, slots=True)
class Refused:
    """Why not, as a stable code."""

    code: str
    params: dict[str, str | int] = field(default_factory=dict)


class Allowed(NamedTuple):
    """Go on; `due` is the new due date of a loan that goes on, `overridden` what staff have decided against."""

    due: datetime | None = None
    overridden: tuple[Refused, ...] = ()


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
    CANCEL = "cancel"
    LOSS = "loss"


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the life cycle."""

    state: State
    trigger: Trigger
    next: State
    guards: tuple[Guard, ...]


OVERRIDABLE = frozenset({
    "card_lost", "card_expired", "patron_blocked", "fee_limit", "overdue_items", "loan_limit", "class_not_allowed",
    "no_rule", "not_for_loan", "item_on_hold", "item_incomplete", "item_missing", "item_in_repair",
    "item_in_processing", "item_in_transit", "hold_waiting", "renewal_limit", "overdue",
})  # fmt: skip
"""What staff may decide against, with a reason; never what is unknown, lent to somebody else, lost or withdrawn."""

STATUS_CODES = {
    "missing": "item_missing",
    "lost": "item_lost",
    "withdrawn": "item_withdrawn",
    "repair": "item_in_repair",
    "in_processing": "item_in_processing",
    "in_transit": "item_in_transit",
}


def decide_checkout(case: Case) -> Decision:
    """May this patron take this item, and until when?"""
    decision = _unknown(case) or _move(case, Trigger.CHECKOUT)
    if isinstance(decision, Refused):
        return decision
    due = case.lending.due(case.now, case.rule, zone=case.zone, branch=case.branch)
    return Allowed(due, decision.overridden)


def decide_renewal(case: Case) -> Decision:
    """May this patron keep this item longer, and until when?"""
    decision = _unknown(case) or _move(case, Trigger.RENEWAL)
    if isinstance(decision, Refused):
        return decision
    return Allowed(renewed_due(case), decision.overridden)


def renewed_due(case: Case) -> datetime:
    """Counted on from the present due date of an open loan, or from today where that would be over already."""
    assert case.loan is not None
    begins = (case.loan.due, case.now)
    due, anew = (case.lending.due(begin, case.rule, zone=case.zone, branch=case.branch) for begin in begins)
    return max(due if due > case.now else anew, case.loan.due)


def decide_checkin(case: Case) -> Decision:
    """Is this item one that can come back?"""
    return unknown_item(case) or _move(case, Trigger.CHECKIN)


def decide_cancel(case: Case) -> Decision:
    """May the loan be made undone? If a patron is named, it must be theirs."""
    return unknown_item(case) or _move(case, Trigger.CANCEL)


def decide_loss(case: Case) -> Decision:
    """Can this item's loan end as a loss?"""
    return unknown_item(case) or _move(case, Trigger.LOSS)


def objections(case: Case, trigger: Trigger) -> tuple[Refused, ...]:
    """Everything that speaks against what has happened already; the loan that is in the way is not among it."""
    row = next(row for row in LIFE_CYCLE if row.trigger is trigger)
    return tuple(refused for guard in row.guards if (refused := guard(case)))


def counted_return(named: datetime | None, *, now: datetime, lent: datetime, days: int) -> datetime:
    """When a return counts: as named, but not in the future, before the loan, or longer ago than the library allows."""
    if named is None:
        return now
    return max(lent, now - timedelta(days=days), min(named, now))


def standing_code(case: Case) -> str | None:
    """Why the patron may borrow nothing at all; None when they may."""
    for guard in (unknown_card, card_lost, blocked, expired, owes_too_much, too_many_overdue, library_limit):
        if refused := guard(case):
            return refused.code
    return None


def hold_objections(case: Case) -> tuple[Refused, ...]:
    """What speaks against the patron's waiting for anything. Loans at the limit do not."""
    guards = (card_lost, blocked, expired, owes_too_much, too_many_overdue)
    return tuple(refused for guard in guards if (refused := guard(case)))


def quota_left(open_loans: int, policy: LibraryPolicy) -> int:
    """How many more items the library's limit allows."""
    return NO_LIMIT if policy.max_loans is None else max(0, policy.max_loans - open_loans)


def tag_after_refusal(code: str) -> Security | None:
    """What the tag of a refused item should say; None where a refusal gives no reason to touch it. Lets a pad mend a
    tag whose write failed after the loan, or its end, was stored."""
    return {"on_loan_to_you": "on_loan", "not_on_loan": "in_stock"}.get(code)  # type: ignore[return-value]  # the dict's values are the literals


# ---------------------------------------------------------------- guards: each answers for one rule


def unknown_card(case: Case) -> Refused | None:
    """The card is not one of ours."""
    return Refused("unknown_card") if case.patron is None else None


def unknown_item(case: Case) -> Refused | None:
    """The barcode is not in the catalogue."""
    return Refused("unknown_item") if case.item is None else None


def card_lost(case: Case) -> Refused | None:
    """The card was reported lost, or there is a newer one."""
    if case.patron is None or case.patron.card_state == "active":
        return None
    return Refused("card_lost" if case.patron.card_state == "lost" else "card_replaced")


def blocked(case: Case) -> Refused | None:
    """A librarian has blocked the patron."""
    return Refused("patron_blocked") if case.patron and case.patron.blocked else None


def expired(case: Case) -> Refused | None:
    """The card's last day is over, in the library's zone."""
    last = case.patron.expires_on if case.patron else None
    if last is None or local_date(case.now, case.zone) <= last:
        return None
    return Refused("card_expired", {"expired_on": last.isoformat()})


def owes_too_much(case: Case) -> Refused | None:
    """The patron owes as much as the library lets anybody owe."""
    limit, owed = case.policy.fee_limit, case.patron.owed if case.patron else Decimal(0)
    if limit is None or owed <= 0 or owed < limit:
        return None
    return Refused("fee_limit", {"owed": f"{owed:.2f}", "limit": f"{limit:.2f}", "currency": case.policy.currency})


def too_many_overdue(case: Case) -> Refused | None:
    """More of the patron's loans are overdue than the library puts up with."""
    limit, overdue = case.policy.max_overdue, case.patron.overdue if case.patron else 0
    return None if limit is None or overdue <= limit else Refused("overdue_items", {"overdue": overdue, "limit": limit})


def out_of_order(case: Case) -> Refused | None:
    """The item is in no state to be lent."""
    code = STATUS_CODES.get(case.item.status) if case.item else None
    return Refused(code) if code else None


def kept_in(case: Case) -> Refused | None:
    """Reference works are not lent."""
    return Refused("not_for_loan") if case.item and not case.item.for_loan else None


def no_rule(case: Case) -> Refused | None:
    """The library has thought of no such loan."""
    return Refused("no_rule") if case.rule is None else None


def wrong_class(case: Case) -> Refused | None:
    """Such items are not lent to the patron's class."""
    return Refused("class_not_allowed") if case.rule is not None and not case.rule.allowed else None


def incomplete(case: Case) -> Refused | None:
    """A part of the set was not seen."""
    return missing_parts(case.item.tags, case.item.parts) if case.item else None


def missing_parts(tags: int, seen: int | None) -> Refused | None:
    """Fewer parts were seen than the set has, if anybody counted."""
    return None if seen is None or seen >= tags else Refused("item_incomplete", {"seen": seen, "parts": tags})


def held(case: Case) -> Refused | None:
    """It is set aside for somebody else, or somebody before this patron needs it."""
    owner, mine = case.holds.set_aside_for, case.patron.id if case.patron else None
    if owner is not None:
        return None if owner == mine else Refused("item_on_hold")
    return Refused("item_on_hold") if case.holds.needed else None


def waited_for(case: Case) -> Refused | None:
    """Somebody waits for it."""
    return Refused("hold_waiting") if case.holds.needed else None


def library_limit(case: Case) -> Refused | None:
    """The patron has as many loans as the library gives."""
    limit = case.policy.max_loans
    if case.patron is None or limit is None or case.patron.open_loans < limit:
        return None
    return Refused("loan_limit", {"limit": limit})


def rule_limit(case: Case) -> Refused | None:
    """The patron has as many loans of this kind as the rule gives."""
    limit = case.rule.max if case.rule else None
    if case.patron is None or limit is None or case.patron.loans_in_rule < limit:
        return None
    return Refused("loan_limit", {"limit": limit})


def not_yours(case: Case) -> Refused | None:
    """The loan is another patron's; whose is never told."""
    return Refused("not_your_loan") if case.patron and case.loan and case.loan.patron_id != case.patron.id else None


def overdue(case: Case) -> Refused | None:
    """A loan past its due date comes back first, where the library wants it so."""
    late = case.loan is not None and case.loan.due < case.now
    return Refused("overdue") if late and not case.policy.renew_overdue else None


def renewed_enough(case: Case) -> Refused | None:
    """The loan has been renewed as often as the rule allows."""
    limit = case.rule.renewals if case.rule else 0
    if case.loan is None or case.loan.renewals < limit:
        return None
    return Refused("renewal_limit", {"limit": limit})


LIFE_CYCLE: tuple[Transition, ...] = (
    Transition(
        State.NO_LOAN, Trigger.CHECKOUT, State.OPEN,
        (card_lost, blocked, expired, owes_too_much, too_many_overdue, out_of_order, kept_in, no_rule, wrong_class,
         incomplete, held, library_limit, rule_limit),
    ),
    Transition(
        State.OPEN, Trigger.RENEWAL, State.OPEN,
        (not_yours, card_lost, blocked, expired, owes_too_much, no_rule, wrong_class, overdue, renewed_enough,
         waited_for),
    ),
    Transition(State.OPEN, Trigger.CHECKIN, State.NO_LOAN, ()),
    Transition(State.OPEN, Trigger.CANCEL, State.NO_LOAN, (not_yours,)),
    Transition(State.OPEN, Trigger.LOSS, State.NO_LOAN, ()),
)  # fmt: skip


def _already_lent(case: Case) -> Refused:
    mine = case.patron is not None and case.loan is not None and case.loan.patron_id == case.patron.id
    return Refused("on_loan_to_you" if mine else "on_loan")


def _not_on_loan(_case: Case) -> Refused:
    return Refused("not_on_loan")


OUT_OF_PLACE: dict[Trigger, Callable[[Case], Refused]] = {
    Trigger.CHECKOUT: _already_lent,
    Trigger.RENEWAL: _not_on_loan,
    Trigger.CHECKIN: _not_on_loan,
    Trigger.CANCEL: _not_on_loan,
    Trigger.LOSS: _not_on_loan,
}


_ROWS = {(row.state, row.trigger): row for row in LIFE_CYCLE}


def _unknown(case: Case) -> Refused | None:
    return unknown_card(case) or unknown_item(case)


def _move(case: Case, trigger: Trigger) -> Decision:
    state = State.NO_LOAN if case.loan is None else State.OPEN
    row = _ROWS.get((state, trigger))
    if row is None:
        return OUT_OF_PLACE[trigger](case)
    against = [refused for guard in row.guards if (refused := guard(case))]
    overridden = [refused for refused in against if refused.code in case.overrides & OVERRIDABLE]
    return next((refused for refused in against if refused not in overridden), Allowed(None, tuple(overridden)))
