"""Lending: checkout, renewal, what a checkout would answer, and what a patron has and may still borrow.

Returns, losses and what is made undone are in `returns.py`, offline journals in `replay.py`, the night in `nightly.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from carrel.contracts.circulation import (
    BatchResult,
    CheckoutRequest,
    ItemRef,
    ItemResult,
    PatronStanding,
    PreviewRequest,
    RenewAllRequest,
    RenewalRequest,
)
from server.catalogue import service as catalogue
from server.circulation import policy, repository, returns
from server.circulation.counter import Counter, Results, charge_lateness, counter_for, once, open_counter, refused, tell
from server.circulation.loan import Loan
from server.fees.policy import minor
from server.holds import policy as queueing
from server.holds import service as holds
from server.lending import service as lending
from server.lending.occasion import Channel, Occasion
from server.lending.policy import Rule
from server.patrons.errors import UnknownCardError
from server.patrons.policy import shown_name
from server.patrons.service import Borrower, Patron

__all__ = ["Channel", "Occasion"]

PREVIEW_ID = "preview"
"""A preview is not journalled; its answer carries this in place of a request_id."""


@dataclass(frozen=True, slots=True)
class LoanView:
    """A loan as its reader sees it; `refusal` is why it cannot be renewed."""

    id: int
    item: catalogue.Item
    checked_out: datetime
    due: datetime
    renewals: int
    renewals_left: int
    refusal: str | None


def checkout_many(session: Session, request: CheckoutRequest, occasion: Occasion) -> BatchResult:
    """Lend each item to the patron with the card; one refusal does not hinder the rest."""
    return once(session, request, occasion, lambda: checkout_at(counter_for(session, request, occasion), request))


def checkout_at(counter: Counter, request: CheckoutRequest) -> Results:
    """The same at a counter that is open, for callers who see to it themselves that a repeat is not done twice."""
    patron = counter.patrons.get(request.card or "")
    return tuple(_checkout(counter, patron, ref, request) for ref in request.items)


def renew_many(session: Session, request: RenewalRequest, occasion: Occasion) -> BatchResult:
    """Move the due date of each loan of the patron with the card."""
    return once(session, request, occasion, lambda: renew_at(counter_for(session, request, occasion), request))


def renew_at(counter: Counter, request: RenewalRequest) -> Results:
    """The same at a counter that is open, as with `checkout_at`."""
    patron = counter.patrons.get(request.card or "")
    return tuple(_renew(counter, patron, ref.barcode, request) for ref in request.items)


def renew_all(session: Session, request: RenewAllRequest, occasion: Occasion) -> BatchResult:
    """Renew whatever the patron has, due soonest first; raises UnknownCardError, UnknownBranchError."""
    return once(session, request, occasion, lambda: renew_all_at(session, request, occasion))


def renew_all_at(session: Session, request: RenewAllRequest, occasion: Occasion) -> Results:
    """The same for callers who see to it themselves that a repeat is not done twice."""
    own, occasion = occasion.branch, occasion.at(request.branch)
    seen = open_counter(session, occasion, cards=[request.card or ""])
    lending.check_branch(seen.lending, request.branch, own=own)
    if not seen.patrons:
        raise UnknownCardError
    items = catalogue.items_by_id(session, seen.loans)
    barcodes = [items[item_id].barcode for item_id in seen.loans]
    counter = open_counter(session, occasion, cards=[request.card or ""], barcodes=barcodes, lock=True)
    patron = counter.patrons.get(request.card or "")
    return tuple(_renew(counter, patron, barcode, request) for barcode in barcodes)


def preview(session: Session, request: PreviewRequest, occasion: Occasion) -> BatchResult:
    """What a checkout (with a card) or a checkin (without) would answer; nothing is changed."""
    counter = open_counter(
        session, occasion, cards=[request.card] if request.card else [],
        barcodes=[ref.barcode for ref in request.items],
    )  # fmt: skip
    patron = counter.patrons.get(request.card or "")
    decide = policy.decide_checkout if request.card else policy.decide_checkin
    results: list[ItemResult] = []
    for ref in request.items:
        item = counter.items.get(ref.barcode)
        decision = decide(counter.case(patron, item, parts=ref.parts))
        if isinstance(decision, policy.Refused):
            results.append(_refused(counter, patron, ref.barcode, decision))
            continue
        assert item is not None
        if patron is not None and decision.due is not None:
            counter.loans[item.id] = _loan(-1, _terms(counter, patron, item, decision.due))
        results.append(ItemResult(barcode=ref.barcode, status="ok", title=item.title, due=decision.due))
    return BatchResult(request_id=PREVIEW_ID, results=tuple(results))


def barred(session: Session, patron: Patron, *, now: datetime, zone: ZoneInfo) -> policy.Refused | None:
    """Why somebody who waits could not borrow, by card and blocks; what is owed or overdue is settled then."""
    facts = policy.PatronFacts(
        patron.id, expires_on=patron.expires_on, blocked=patron.blocked_at(now), card_state=patron.card_state
    )
    return next(iter(policy.hold_objections(policy.Case(lending.current(session), now, zone, patron=facts))), None)


def standing(session: Session, card: str, occasion: Occasion) -> PatronStanding:
    """As much of a patron as a kiosk may show; raises UnknownCardError."""
    counter = open_counter(session, occasion, cards=[card])
    patron = counter.patrons.get(card)
    if patron is None:
        raise UnknownCardError
    facts = counter.standing(patron)
    case = policy.Case(counter.lending, occasion.now, occasion.zone, patron=facts)
    return PatronStanding(
        card=patron.card,
        shown_name=shown_name(patron.name),
        language=patron.language,
        loans=facts.open_loans,
        quota_left=policy.quota_left(facts.open_loans, counter.lending.policy),
        pin_required=counter.lending.policy.kiosk_pin,
        code=policy.standing_code(case),
    )


def loans_of(session: Session, card: str, occasion: Occasion) -> list[LoanView]:
    """A patron's open loans, due soonest first; raises UnknownCardError."""
    counter = open_counter(session, occasion, cards=[card])
    patron = counter.patrons.get(card)
    if patron is None:
        raise UnknownCardError
    items = catalogue.items_by_id(session, counter.loans)
    counter.items = {item.barcode: item for item in items.values()}
    return [_view(counter, patron, items[loan.item_id], loan) for loan in counter.loans.values()]


def open_loan(session: Session, item_id: int) -> Loan | None:
    """The item's open loan, as others may know it: when it is due."""
    return next(iter(repository.open_loans(session, item_ids=[item_id])), None)


def open_loans_on(session: Session, item_ids: Collection[int]) -> list[Loan]:
    """The open loans of these items."""
    return repository.open_loans(session, item_ids=item_ids)


def get_loan(session: Session, loan_id: int) -> Loan | None:
    """By key."""
    return repository.get(session, loan_id)


def open_loans_of(session: Session, patron_id: int) -> list[Loan]:
    """A patron's open loans, the one that is due first at the head."""
    return repository.open_loans(session, patron_ids=[patron_id])


def due_between(session: Session, start: datetime, end: datetime) -> Iterator[Loan]:
    """Open loans that are due from `start` until before `end`, read a thousand at a time."""
    after = 0
    while loans := repository.due_between(session, start, end, after=after, limit=1000):
        yield from loans
        after = loans[-1].id


def quota_left(session: Session, card: str, occasion: Occasion) -> int:
    """How many more items the patron may borrow; raises UnknownCardError."""
    return standing(session, card, occasion).quota_left


def about_patron(session: Session, patron_id: int) -> list[dict[str, Any]]:
    """What is held of a person's loans, open ones first."""
    loans = repository.open_loans(session, patron_ids=[patron_id]) + repository.past_loans(session, patron_id)
    items = catalogue.items_by_id(session, {loan.item_id for loan in loans})
    return [
        {
            "loan": loan.id, "barcode": items[loan.item_id].barcode, "title": items[loan.item_id].title,
            "checked_out_at": loan.checked_out_at, "due_at": loan.due_at, "checked_in_at": loan.checked_in_at,
            "renewals": loan.renewals, "branch": loan.branch,
        }
        for loan in loans
    ]  # fmt: skip


def count_open(session: Session, patron_id: int) -> int:
    """How many loans a patron has."""
    return len(repository.open_loans(session, patron_ids=[patron_id]))


def forget_patron(session: Session, patron_id: int, _at: datetime) -> None:
    """A person's past loans are nobody's any longer."""
    repository.forget(session, [loan.id for loan in repository.past_loans(session, patron_id)])


def lend(counter: Counter, patron: Borrower, item: catalogue.Item, due: datetime) -> Loan | None:
    """Store the loan and what follows from it; None when the database says that the item is on loan."""
    session, occasion = counter.session, counter.occasion
    terms = _terms(counter, patron, item, due)
    loan_id = repository.add_loan(session, terms)
    if loan_id is None:
        return None
    loan = _loan(loan_id, terms)
    counter.loans[item.id] = loan
    catalogue.set_status(session, item.id, "on_loan", at_branch=occasion.branch, stays=item.stays)
    counter.items[item.barcode] = item._replace(status="on_loan", at_branch=occasion.branch, transit_to=None)
    _serve_queue(counter, patron, item, loan)
    return loan


def lend_ended(counter: Counter, patron: Borrower, item: catalogue.Item, due: datetime, *, over: datetime) -> Loan:
    """Store a loan that was over when it became known."""
    terms = _terms(counter, patron, item, due)
    loan_id = repository.add_ended(
        counter.session, terms | {"checked_in_at": over, "ended": "replay", "ended_at": counter.occasion.now}
    )  # fmt: skip
    return _loan(loan_id, terms)._replace(checked_in_at=over, ended="replay", ended_at=counter.occasion.now)


def _serve_queue(counter: Counter, patron: Borrower, item: catalogue.Item, loan: Loan) -> None:
    """The patron's hold is fulfilled; whoever the item was set aside for waits again."""
    queue = counter.queue_of(item)
    mine, aside = queueing.own(queue, item.id, patron.id), queueing.set_aside(queue, item.id)
    if aside is not None and aside.patron_id != patron.id:
        holds.take_back(counter.session, item.id)
    if mine is not None:
        holds.fulfil(counter.session, mine, loan.id, counter.occasion.now)
    if mine is not None or aside is not None:
        counter.queues.pop(item.record_id)


def _checkout(counter: Counter, patron: Borrower | None, ref: ItemRef, request: CheckoutRequest) -> ItemResult:
    overrides = overrides_of(request.overrides, counter.occasion)
    item = counter.items.get(ref.barcode)
    decision = policy.decide_checkout(counter.case(patron, item, parts=ref.parts, overrides=overrides))
    if _may_take_back_first(decision, request, counter.occasion) and item is not None:
        other = counter.loans.pop(item.id)
        decision = policy.decide_checkout(counter.case(patron, item, parts=ref.parts, overrides=overrides))
        counter.loans[item.id] = other
        if isinstance(decision, policy.Allowed):
            returns.close_implicitly(counter, item)
    if isinstance(decision, policy.Refused):
        return _refused(counter, patron, ref.barcode, decision)
    assert item is not None
    assert patron is not None
    assert decision.due is not None
    loan = lend(counter, patron, item, decision.due)
    if loan is None:
        return _refused(counter, patron, ref.barcode, policy.Refused("on_loan"))
    tell(counter, "loan.checkout", loan, overridden=decision.overridden, reason=request.reason)
    return ItemResult(
        barcode=ref.barcode, status="ok", title=item.title, due=loan.due_at, security="on_loan", loan=loan.id,
        overridden=tuple(one.code for one in decision.overridden),
    )  # fmt: skip


def _may_take_back_first(decision: policy.Decision, request: CheckoutRequest, occasion: Occasion) -> bool:
    elsewhere = isinstance(decision, policy.Refused) and decision.code == "on_loan"
    return elsewhere and request.implicit_return and occasion.channel is Channel.DESK


def _renew(
    counter: Counter, patron: Borrower | None, barcode: str, request: RenewalRequest | RenewAllRequest
) -> ItemResult:
    item = counter.items.get(barcode)
    case = counter.case(patron, item, overrides=overrides_of(request.overrides, counter.occasion))
    decision = policy.decide_renewal(case)
    if isinstance(decision, policy.Refused):
        return _refused(counter, patron, barcode, decision)
    loan = counter.loan_of(item)
    assert item is not None
    assert loan is not None
    assert decision.due is not None
    fee = extend(counter, loan, decision.due, case.rule)
    tell(counter, "loan.renew", loan, overridden=decision.overridden, reason=request.reason)
    return ItemResult(
        barcode=barcode, status="ok", title=item.title, due=decision.due, security="on_loan", loan=loan.id,
        fee=fee if fee > 0 else None, overridden=tuple(one.code for one in decision.overridden),
    )  # fmt: skip


def extend(counter: Counter, loan: Loan, due: datetime, rule: Rule | None) -> Decimal:
    """A renewal promises anew, by the rule of the day; what was late until then is charged as if it had come back."""
    fee = charge_lateness(counter, loan, counter.occasion.now)
    terms = _fee_terms(counter, rule) if rule else {}
    repository.change(counter.session, loan.id, due_at=due, renewals=loan.renewals + 1, **terms)
    repository.add_renewal(counter.session, loan, counter.occasion.now)
    counter.loans[loan.item_id] = loan._replace(due_at=due, renewals=loan.renewals + 1, **terms)
    return fee


def overrides_of(codes: frozenset[str], occasion: Occasion) -> frozenset[str]:
    """Only people at the desk decide against the rules."""
    return codes if occasion.channel is Channel.DESK else frozenset()


def _fee_terms(counter: Counter, rule: Rule | None) -> dict[str, Any]:
    rule = rule or Rule()
    return {
        "fee_per_open_day": minor(rule.fee_per_open_day),
        "grace_open_days": rule.grace_open_days,
        "grace_deducted": counter.lending.policy.fee_grace_deducted,
        "fee_cap": None if rule.cap is None else minor(rule.cap),
    }


def _terms(counter: Counter, patron: Borrower, item: catalogue.Item, due: datetime) -> dict[str, Any]:
    """A new loan's columns: what is promised is kept with it."""
    occasion = counter.occasion
    return {
        "item_id": item.id, "patron_id": patron.id, "checked_out_at": occasion.now, "due_at": due, "renewals": 0,
        "branch": occasion.branch, "patron_class": patron.patron_class, "item_type": item.type,
        "channel": occasion.channel.value, **_fee_terms(counter, counter.rule_for(patron, item, occasion.branch)),
    }  # fmt: skip


def _loan(loan_id: int, columns: dict[str, Any]) -> Loan:
    return Loan(id=loan_id, checked_in_at=None, ended=None, ended_at=None, lost_at=None, **columns)


def _view(counter: Counter, patron: Borrower, item: catalogue.Item, loan: Loan) -> LoanView:
    case = counter.case(patron, item)
    decision = policy.decide_renewal(case)
    limit = case.rule.renewals if case.rule else 0
    refusal = decision.code if isinstance(decision, policy.Refused) else None
    left = max(0, limit - loan.renewals)
    return LoanView(loan.id, item, loan.checked_out_at, loan.due_at, loan.renewals, left, refusal)


def _refused(counter: Counter, patron: Borrower | None, barcode: str, why: policy.Refused) -> ItemResult:
    """A refusal tells the due date of the patron's own loan only."""
    item = counter.items.get(barcode)
    loan = counter.loan_of(item)
    own = loan is not None and patron is not None and loan.patron_id == patron.id
    return refused(barcode, why, title=item.title if item else None, due=loan.due_at if loan and own else None)
