"""`/api/v1/circulation/...`, and what the patrons' paths say about loans."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from sqlalchemy.orm import Session

from carrel.clock import local_date
from carrel.contracts.circulation import (
    BatchResult,
    CheckinRequest,
    CheckoutRequest,
    LossRequest,
    PatronStanding,
    PreviewRequest,
    RenewAllRequest,
    RenewalRequest,
    ReplayRequest,
    ReplayResult,
    UndoRequest,
)
from carrel.contracts.ids import CardNumber
from server.circulation import replay as replaying
from server.circulation import returns, service
from server.circulation.errors import CardRequiredError, NotYourCardError
from server.circulation.schemas import LoanResponse, LoansResponse
from server.deps import DESK, MACHINES, CoreDep, Principal, ReadSession, Role, WriteSession, require
from server.lending.occasion import Occasion
from server.lending.place import occasion_of
from server.patrons import service as patrons

router = APIRouter(prefix="/api/v1", tags=["circulation"])

Desk = Annotated[Principal, require(*DESK)]
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
    """Take items back: one result each, which says where the item goes."""
    return returns.checkin_many(session, body, occasion_of(core, principal))


@router.post("/circulation/renewals")
def renewals(body: RenewalRequest, session: WriteSession, core: CoreDep, principal: CounterOrReader) -> BatchResult:
    """Renew loans: one result each. Readers renew their own and their under-age children's; others name the card."""
    occasion = occasion_of(core, principal)
    request = body.model_copy(update={"card": _family_card(session, body.card, principal, occasion)})
    return service.renew_many(session, request, occasion)


@router.post("/circulation/renewals/all")
def renewals_of_all(
    body: RenewAllRequest, session: WriteSession, core: CoreDep, principal: CounterOrReader
) -> BatchResult:
    """Renew whatever a patron has: one result each. For whom is as with renewals."""
    occasion = occasion_of(core, principal)
    request = body.model_copy(update={"card": _family_card(session, body.card, principal, occasion)})
    return service.renew_all(session, request, occasion)


@router.post("/circulation/cancellations")
def cancellations(body: UndoRequest, session: WriteSession, core: CoreDep, principal: Counter) -> BatchResult:
    """A checkout could not be finished, since a tag could not be written: make it undone, without history or fee."""
    return returns.cancel_checkout(session, body, occasion_of(core, principal))


@router.post("/circulation/undo")
def undo(body: UndoRequest, session: WriteSession, core: CoreDep, principal: Desk) -> BatchResult:
    """Make what was done last with each item undone (checkout, renewal or checkin), within the library's `undo_s`."""
    return returns.undo(session, body, occasion_of(core, principal))


@router.post("/circulation/losses")
def losses(body: LossRequest, session: WriteSession, core: CoreDep, principal: Desk) -> BatchResult:
    """End loans of items that will not come back; their patrons are charged."""
    return returns.declare_lost(session, body, occasion_of(core, principal))


@router.post("/circulation/replay")
def replay(body: ReplayRequest, session: WriteSession, core: CoreDep, principal: Counter) -> ReplayResult:
    """Record what happened while the server was away. Nothing is refused; conflicts go to the staff's list."""
    return replaying.replay(session, body, occasion_of(core, principal))


@router.post("/circulation/preview")
def preview(body: PreviewRequest, session: ReadSession, core: CoreDep, principal: Counter) -> BatchResult:
    """What a checkout (with a card) or a checkin (without) would answer. Changes nothing."""
    return service.preview(session, body, occasion_of(core, principal))


@router.get("/patrons/by-card/{card}/standing")
def standing(card: CardNumber, session: ReadSession, core: CoreDep, principal: Counter) -> PatronStanding:
    """As much of a patron as a kiosk may show."""
    return service.standing(session, card, occasion_of(core, principal))


@router.get("/patrons/by-card/{card}/loans")
def loans_of(card: CardNumber, session: ReadSession, core: CoreDep, principal: Desk) -> LoansResponse:
    """A patron's loans, due soonest first."""
    occasion = occasion_of(core, principal)
    views = service.loans_of(session, card, occasion)
    return LoansResponse(
        loans=[_loan(view, occasion) for view in views], quota_left=service.quota_left(session, card, occasion)
    )


@router.get("/patrons/me/loans")
def my_loans(
    session: ReadSession, core: CoreDep, principal: Reader, *, card: CardNumber | None = None
) -> LoansResponse:
    """The reader's loans, due soonest first; with `card` those of a child under age whose guardian the reader is."""
    occasion = occasion_of(core, principal)
    card = _family_card(session, card, principal, occasion)
    views = service.loans_of(session, card, occasion)
    return LoansResponse(
        loans=[_loan(view, occasion) for view in views], quota_left=service.quota_left(session, card, occasion)
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


def _family_card(session: Session, named: str | None, principal: Principal, occasion: Occasion) -> str:
    """As `_card`; a guardian may name an under-age child's."""
    guardian, today = principal.patron_id, local_date(occasion.now, occasion.zone)
    if guardian and named and patrons.may_act_for(session, guardian, named, today):
        return named
    return _card(named, principal)


def _loan(view: service.LoanView, occasion: Occasion) -> LoanResponse:
    return LoanResponse(
        barcode=view.item.barcode,
        title=view.item.title,
        author=view.item.author,
        call_number=view.item.call_number,
        checked_out=view.checked_out,
        due=view.due,
        overdue=view.due < occasion.now,
        renewals=view.renewals,
        renewals_left=view.renewals_left,
        renewable=view.refusal is None,
        code=view.refusal,
    )
