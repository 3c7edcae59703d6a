"""What one request at the counter works with: read and locked once, and kept up to date as the request goes on.

Locks are always taken in one order (request, patrons by card, items by barcode, queues of holds, audit last), so that
requests wait and never deadlock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from carrel.clock import local_date
from carrel.contracts.circulation import BatchResult, ItemResult
from server.audit import service as audit
from server.catalogue import service as catalogue
from server.circulation import policy, repository
from server.circulation.loan import Loan
from server.fees import policy as feeing
from server.fees import service as fees
from server.holds import policy as queueing
from server.holds import service as holds
from server.holds.hold import Hold
from server.lending import journal
from server.lending import service as lending
from server.lending.occasion import Occasion
from server.lending.policy import ANY, Lending, Rule
from server.patrons import service as patrons
from server.patrons.service import Borrower

Results = tuple[ItemResult, ...]
"""One for each item of a request, in the order asked."""
NOBODY: frozenset[str] = frozenset()


@dataclass(slots=True)
class Counter:
    """Patrons by card, items by barcode, open loans by item, and the queues of the items' titles."""

    session: Session
    occasion: Occasion
    lending: Lending
    patrons: dict[str, Borrower]
    items: dict[str, catalogue.Item]
    loans: dict[int, Loan]
    queues: dict[int, list[Hold]] = field(default_factory=dict)
    owed: dict[int, Decimal] = field(default_factory=dict)

    def loan_of(self, item: catalogue.Item | None) -> Loan | None:
        """The item's open loan."""
        return self.loans.get(item.id) if item else None

    def queue_of(self, item: catalogue.Item) -> list[Hold]:
        """Who waits for the item's title."""
        if item.record_id not in self.queues:
            self.queues |= holds.queues(self.session, {one.record_id for one in self.items.values()} | {item.record_id})
        return self.queues[item.record_id]

    def rule_for(self, patron: Borrower | None, item: catalogue.Item | None, branch: str) -> Rule | None:
        """The rule that a loan of the item to the patron would follow."""
        return self.lending.rule_for(patron.patron_class, item.type, branch) if patron and item else None

    def case(
        self, patron: Borrower | None, item: catalogue.Item | None, *, parts: int | None = None,
        overrides: frozenset[str] = NOBODY,
    ) -> policy.Case:  # fmt: skip
        """The facts as they are now. A loan that is open follows the rule of the branch that made it."""
        loan = self.loan_of(item)
        branch = loan.branch if loan else self.occasion.branch
        rule = self.rule_for(patron, item, branch)
        return policy.Case(
            lending=self.lending,
            now=self.occasion.now,
            zone=self.occasion.zone,
            branch=branch,
            rule=rule,
            patron=self.standing(patron, rule) if patron else None,
            item=policy.ItemFacts(item.for_loan, item.status, item.tags, parts) if item else None,
            loan=policy.LoanFacts(loan.patron_id, loan.due_at, loan.renewals) if loan else None,
            holds=self._wanted(patron, item) if item and patron else policy.HoldFacts(),
            overrides=overrides,
        )

    def standing(self, patron: Borrower, rule: Rule | None = None) -> policy.PatronFacts:
        """A patron's, with their loans counted as they are now."""
        mine = [loan for loan in self.loans.values() if loan.patron_id == patron.id]
        limited = [loan for loan in mine if rule is None or rule.item_type in (ANY, loan.item_type)]
        return policy.PatronFacts(
            id=patron.id,
            open_loans=len(mine),
            expires_on=patron.expires_on,
            blocked=patron.blocked_at(self.occasion.now),
            card_state=patron.card_state,
            loans_in_rule=len(limited),
            overdue=sum(loan.due_at < self.occasion.now for loan in mine),
            owed=self._owed(patron.id),
        )

    def _owed(self, patron_id: int) -> Decimal:
        """Asked for only where the library sets a limit."""
        if self.lending.policy.fee_limit is None:
            return Decimal(0)
        if patron_id not in self.owed:
            self.owed[patron_id] = fees.balance(self.session, patron_id)
        return self.owed[patron_id]

    def _wanted(self, patron: Borrower, item: catalogue.Item) -> policy.HoldFacts:
        """Copies that stand on their shelf serve those who wait as well as this one would."""
        queue = self.queue_of(item)
        aside = queueing.set_aside(queue, item.id)
        if aside is not None:
            return policy.HoldFacts(set_aside_for=aside.patron_id)
        today = local_date(self.occasion.now, self.occasion.zone)
        if not queueing.ahead(queue, item.id, patron.id, today):
            return policy.HoldFacts()
        others = catalogue.items_of(self.session, item.record_id)
        spare = {one.id for one in others if one.status == "on_shelf" and one.for_loan and one.id != item.id}
        return policy.HoldFacts(needed=queueing.needed(queue, item.id, patron.id, today, spare=spare))


def open_counter(
    session: Session, occasion: Occasion, *, cards: Iterable[str] = (), barcodes: Iterable[str] = (), lock: bool = False
) -> Counter:
    """Everything that is known about these cards and items; `lock` makes other requests about them wait."""
    known = {card: patron for card in sorted(set(cards)) if (patron := patrons.borrower(session, card, lock=lock))}
    items = catalogue.items_by_barcode(session, set(barcodes), lock=lock)
    titles = {item.record_id for item in items.values()}
    loans, rules, waited_for = repository.open_loans_and_more(
        session, {patron.id for patron in known.values()}, {item.id for item in items.values()}, titles
    )
    queues: dict[int, list[Hold]] = {} if waited_for else {title: [] for title in titles}
    return Counter(session, occasion, rules, known, items, {loan.item_id: loan for loan in loans}, queues)


def counter_for(session: Session, request: Any, occasion: Occasion) -> Counter:
    """The counter at which a request about items, and a card if it names one, is carried out: locked.

    Raises UnknownBranchError.
    """
    card, branch = vars(request).get("card"), vars(request).get("branch")
    counter = open_counter(
        session, occasion.at(branch), cards=[card] if card else [],
        barcodes=[ref.barcode for ref in request.items], lock=True,
    )  # fmt: skip
    lending.check_branch(counter.lending, branch, own=occasion.branch)
    return counter


def charge_lateness(counter: Counter, loan: Loan, at: datetime) -> Decimal:
    """What coming back at this instant costs, by what was promised; it is charged."""
    late = counter.lending.open_days_late(loan.due_at, at, zone=counter.occasion.zone, branch=loan.branch)
    fee = feeing.overdue_fee(_terms_of(loan), late) if late else Decimal(0)
    if fee > 0:
        charge(counter, loan, "overdue", fee)
    return fee


def charge(counter: Counter, loan: Loan, kind: feeing.Kind, amount: Decimal) -> None:
    """Book a fee for a loan; a loan whose patron is forgotten costs nobody anything."""
    if loan.patron_id is None:
        return
    counter.owed.pop(loan.patron_id, None)
    fees.charge(
        counter.session, loan.patron_id, kind, amount, at=counter.occasion.now, actor=counter.occasion.actor,
        loan_id=loan.id, item_id=loan.item_id,
    )  # fmt: skip


def refused(barcode: str, code: policy.Refused, *, title: str | None = None, **more: object) -> ItemResult:
    """An item's refusal, with the state its tag should be in."""
    return ItemResult.model_validate(
        {
            "barcode": barcode, "status": "refused", "code": code.code, "params": code.params, "title": title,
            "security": policy.tag_after_refusal(code.code), **more,
        }
    )  # fmt: skip


def once(session: Session, request: Any, occasion: Occasion, work: Callable[[], Results]) -> BatchResult:
    """Do the work; a request that comes again gets its first answer."""

    def done() -> BatchResult:
        return BatchResult(request_id=request.request_id, results=work())

    return journal.once(session, occasion.actor, request, now=occasion.now, answer=BatchResult, work=done)


def tell(
    counter: Counter, action: str, loan: Loan, *, overridden: tuple[policy.Refused, ...] = (), reason: str = ""
) -> None:
    """Write it into the audit log, without the patron: that link is to be forgotten one day."""
    detail: dict[str, Any] = {"item": loan.item_id, "channel": counter.occasion.channel.value}
    if overridden:
        detail |= {"overridden": [one.code for one in overridden], "reason": reason}
    audit.record(
        counter.session, actor=counter.occasion.actor, action=action, target=f"loan:{loan.id}",
        at=counter.occasion.now, detail=detail,
    )  # fmt: skip


def _terms_of(loan: Loan) -> feeing.FeeTerms:
    """What was promised for lateness."""
    cap = None if loan.fee_cap is None else feeing.major(loan.fee_cap)
    return feeing.FeeTerms(feeing.major(loan.fee_per_open_day), loan.grace_open_days, cap, loan.grace_deducted)
