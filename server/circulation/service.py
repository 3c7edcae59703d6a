"""Lending: checkout, checkin, renewal, and what a patron may still borrow.

Locks are always taken in one order (request, patron, items by barcode), so that requests wait and never deadlock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from carrel.contracts.circulation import (
    BatchResult,
    CheckinRequest,
    CheckoutRequest,
    ItemRef,
    ItemResult,
    PatronStanding,
    PreviewRequest,
    RenewalRequest,
)
from server.catalogue import service as catalogue
from server.circulation import journal, policy, repository
from server.circulation.models import LoanRow
from server.patrons import service as patrons
from server.patrons.errors import UnknownCardError
from server.patrons.policy import shown_name

T = TypeVar("T")

PREVIEW_ID = "preview"
"""A preview is not journalled; its answer carries this in place of a request_id."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Who asks (a principal's subject), when, and by which rules."""

    actor: str
    now: datetime
    zone: ZoneInfo
    rules: policy.Rules


@dataclass(frozen=True, slots=True)
class LoanView:
    """A loan as its reader sees it."""

    item: catalogue.Item
    checked_out: datetime
    due: datetime
    renewals: int
    refusal: str | None


@dataclass(frozen=True, slots=True)
class _Asked:
    """One item of a request with what the library knows about it."""

    barcode: str
    case: policy.Case
    item: catalogue.Item | None
    loan: LoanRow | None
    patron: patrons.Patron | None


def checkout_many(session: Session, request: CheckoutRequest, occasion: Occasion) -> BatchResult:
    """Lend each item to the patron with the card; one refusal does not hinder the rest."""

    def one(asked: _Asked) -> ItemResult:
        decision = policy.decide_checkout(asked.case)
        if isinstance(decision, policy.Refused):
            return _refused(asked, decision)
        item, patron, due = _known(asked.item), _known(asked.patron), _known(decision.due)
        loan = LoanRow(item_id=item.id, patron_id=patron.id, checked_out_at=occasion.now, due_at=due)
        if not repository.add_loan(session, loan):
            return _refused(asked, policy.Refused("on_loan"))
        catalogue.set_status(session, item.id, "on_loan")
        return _done(asked, due, security="on_loan")

    return _each(session, request, occasion, card=request.card, one=one)


def renew_many(session: Session, request: RenewalRequest, occasion: Occasion) -> BatchResult:
    """Move the due date of each loan of the patron with the card."""

    def one(asked: _Asked) -> ItemResult:
        decision = policy.decide_renewal(asked.case)
        if isinstance(decision, policy.Refused):
            return _refused(asked, decision)
        loan, due = _known(asked.loan), _known(decision.due)
        loan.due_at = due
        loan.renewals += 1
        return _done(asked, due, security="on_loan")

    return _each(session, request, occasion, card=request.card, one=one)


def checkin_many(session: Session, request: CheckinRequest, occasion: Occasion) -> BatchResult:
    """End each item's loan, whoever has it."""

    def one(asked: _Asked) -> ItemResult:
        decision = policy.decide_checkin(asked.case)
        if isinstance(decision, policy.Refused):
            return _refused(asked, decision)
        _known(asked.loan).checked_in_at = occasion.now
        catalogue.set_status(session, _known(asked.item).id, "in_stock")
        return _done(asked, None, security="in_stock")

    return _each(session, request, occasion, card=None, one=one)


def preview(session: Session, request: PreviewRequest, occasion: Occasion) -> BatchResult:
    """What a checkout (with a card) or a checkin (without) would answer; nothing is changed."""
    patron = patrons.find(session, request.card) if request.card else None
    items = catalogue.items_by_barcode(session, [ref.barcode for ref in request.items])
    decide = policy.decide_checkout if request.card else policy.decide_checkin
    results: list[ItemResult] = []
    pretended = 0
    for ref in request.items:
        asked = _asked(session, ref, items.get(ref.barcode), patron=patron, occasion=occasion)
        if asked.case.patron:
            more = replace(asked.case.patron, open_loans=asked.case.patron.open_loans + pretended)
            asked = replace(asked, case=replace(asked.case, patron=more))
        decision = decide(asked.case)
        if isinstance(decision, policy.Refused):
            results.append(_refused(asked, decision))
        else:
            pretended += 1
            results.append(_done(asked, decision.due, security=None))
    return BatchResult(request_id=PREVIEW_ID, results=tuple(results))


def standing(session: Session, card: str, occasion: Occasion) -> PatronStanding:
    """As much of a patron as a kiosk may show; raises UnknownCardError."""
    patron = patrons.find(session, card)
    if patron is None:
        raise UnknownCardError
    facts = _patron_facts(session, patron)
    return PatronStanding(
        card=patron.card,
        shown_name=shown_name(patron.name),
        language=patron.language,
        loans=facts.open_loans,
        quota_left=policy.quota_left(facts.open_loans, occasion.rules),
        code=policy.standing_code(policy.Case(occasion.rules, occasion.now, occasion.zone, patron=facts)),
    )


def loans_of(session: Session, card: str, occasion: Occasion) -> list[LoanView]:
    """A patron's open loans, due soonest first; raises UnknownCardError."""
    patron = patrons.find(session, card)
    if patron is None:
        raise UnknownCardError
    rows = repository.open_loans_of(session, patron.id)
    items = catalogue.items_by_id(session, [row.item_id for row in rows])
    facts = _patron_facts(session, patron)
    views = []
    for row in rows:
        item = items[row.item_id]
        case = _case(occasion, patron=facts, item=item, loan=row)
        decision = policy.decide_renewal(case)
        refusal = decision.code if isinstance(decision, policy.Refused) else None
        views.append(LoanView(item, row.checked_out_at, row.due_at, row.renewals, refusal))
    return views


def _known(value: T | None) -> T:
    """What the policy allowed to go on with is there."""
    assert value is not None
    return value


def _each(
    session: Session, request: journal.Request, occasion: Occasion, *, card: str | None,
    one: Callable[[_Asked], ItemResult],
) -> BatchResult:  # fmt: skip
    """One result per item, in the order asked, each judged on what those before it have changed."""

    def work() -> list[ItemResult]:
        patron = patrons.find(session, card, lock=True) if card else None
        items = catalogue.items_by_barcode(session, [ref.barcode for ref in request.items], lock=True)
        return [
            one(_asked(session, ref, items.get(ref.barcode), patron=patron, occasion=occasion)) for ref in request.items
        ]

    return journal.once(session, occasion.actor, request, now=occasion.now, work=work)


def _asked(
    session: Session, ref: ItemRef, item: catalogue.Item | None, *, patron: patrons.Patron | None, occasion: Occasion
) -> _Asked:
    loan = repository.open_loan(session, item.id) if item else None
    facts = _patron_facts(session, patron) if patron else None
    return _Asked(ref.barcode, _case(occasion, patron=facts, item=item, loan=loan), item, loan, patron)


def _case(
    occasion: Occasion, *, patron: policy.PatronFacts | None, item: catalogue.Item | None, loan: LoanRow | None
) -> policy.Case:
    lendable = item is not None and item.for_loan and item.status not in ("missing", "withdrawn")
    return policy.Case(
        rules=occasion.rules,
        now=occasion.now,
        zone=occasion.zone,
        patron=patron,
        item=policy.ItemFacts(for_loan=lendable) if item else None,
        loan=policy.LoanFacts(loan.patron_id, loan.due_at, loan.renewals) if loan else None,
    )


def _patron_facts(session: Session, patron: patrons.Patron) -> policy.PatronFacts:
    return policy.PatronFacts(
        id=patron.id,
        open_loans=repository.count_open(session, patron.id),
        expires_on=patron.expires_on,
        blocked=patron.blocked,
    )


def _done(asked: _Asked, due: datetime | None, *, security: policy.Security | None) -> ItemResult:
    title = asked.item.title if asked.item else None
    return ItemResult(barcode=asked.barcode, status="ok", title=title, due=due, security=security)


def _refused(asked: _Asked, refused: policy.Refused) -> ItemResult:
    """A refusal tells the due date of the patron's own loan only, and the state the item's tag should be in."""
    own = asked.loan is not None and asked.patron is not None and asked.loan.patron_id == asked.patron.id
    return ItemResult(
        barcode=asked.barcode,
        status="refused",
        code=refused.code,
        params=refused.params,
        title=asked.item.title if asked.item else None,
        due=asked.loan.due_at if asked.loan and own else None,
        security=policy.tag_after_refusal(refused.code),
    )
