"""`/api/v1/circulation/...`, and what the patrons' paths say about loans."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from carrel.contracts.circulation import (
    BatchResult,
    CheckinRequest,
    CheckoutRequest,
    PatronStanding,
    PreviewRequest,
    RenewalRequest,
)
from carrel.contracts.ids import CardNumber
from server.circulation import policy, service
from server.circulation.errors import CardRequiredError, NotYourCardError
from server.circulation.schemas import LoanResponse, LoansResponse
from server.deps import DESK, MACHINES, Core, CoreDep, Principal, ReadSession, Role, WriteSession, require

router = APIRouter(prefix="/api/v1", tags=["circulation"])

Counter = Annotated[Principal, require(*DESK, *MACHINES)]
CounterOrReader = Annotated[Principal, require(*DESK, *MACHINES, Role.READER)]
Reader = Annotated[Principal, require(Role.READER)]


@router.post("/circulation/checkouts")
def checkouts(body: CheckoutRequest, session: WriteSession, core: CoreDep, principal: CounterOrReader) -> BatchResult:
    """Lend items: one result each. A reader lends to themselves; others name the card."""
    request = body.model_copy(update={"card": _card(body.card, principal)})
    return service.checkout_many(session, request, occasion_of(core, principal))


@router.post("/circulation/checkins")
def checkins(body: CheckinRequest, session: WriteSession, core: CoreDep, principal: Counter) -> BatchResult:
    """Take items back: one result each."""
    return service.checkin_many(session, body, occasion_of(core, principal))


@router.post("/circulation/renewals")
def renewals(body: RenewalRequest, session: WriteSession, core: CoreDep, principal: CounterOrReader) -> BatchResult:
    """Renew loans: one result each. Readers renew their own; others name the card."""
    request = body.model_copy(update={"card": _card(body.card, principal)})
    return service.renew_many(session, request, occasion_of(core, principal))


@router.post("/circulation/preview")
def preview(body: PreviewRequest, session: ReadSession, core: CoreDep, principal: Counter) -> BatchResult:
    """What a checkout (with a card) or a checkin (without) would answer. Changes nothing."""
    return service.preview(session, body, occasion_of(core, principal))


@router.get("/patrons/by-card/{card}/standing")
def standing(card: CardNumber, session: ReadSession, core: CoreDep, principal: Counter) -> PatronStanding:
    """As much of a patron as a kiosk may show."""
    return service.standing(session, card, occasion_of(core, principal))


@router.get("/patrons/me/loans")
def my_loans(session: ReadSession, core: CoreDep, principal: Reader) -> LoansResponse:
    """The reader's loans, due soonest first."""
    occasion = occasion_of(core, principal)
    views = service.loans_of(session, principal.card or "", occasion)
    return LoansResponse(
        loans=[_loan(view, occasion) for view in views], quota_left=policy.quota_left(len(views), occasion.rules)
    )


def occasion_of(core: Core, principal: Principal) -> service.Occasion:
    """This caller, now, under the library's rules; the pages ask the service with it too."""
    lent = core.settings.server.policy
    return service.Occasion(
        actor=principal.subject,
        now=core.clock.now(),
        zone=core.settings.common.library.zone,
        rules=policy.Rules(lent.loan_days, lent.max_loans, lent.max_renewals),
    )


def _card(named: str | None, principal: Principal) -> str:
    """Whose loans the request is about."""
    if principal.card is not None:
        if named not in (None, principal.card):
            raise NotYourCardError
        return principal.card
    if named is None:
        raise CardRequiredError
    return named


def _loan(view: service.LoanView, occasion: service.Occasion) -> LoanResponse:
    return LoanResponse(
        barcode=view.item.barcode,
        title=view.item.title,
        author=view.item.author,
        call_number=view.item.call_number,
        checked_out=view.checked_out,
        due=view.due,
        overdue=view.due < occasion.now,
        renewals=view.renewals,
        renewals_left=max(0, occasion.rules.max_renewals - view.renewals),
        renewable=view.refusal is None,
        code=view.refusal,
    )
