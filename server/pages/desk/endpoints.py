"""The desk's page, for librarians and administrators. Every form works without scripts."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, HTTPException, Path
from sqlalchemy.orm import Session
from starlette.responses import Response

from carrel.contracts.circulation import (
    BatchResult,
    CheckinRequest,
    CheckoutRequest,
    ItemRef,
    RenewAllRequest,
    RenewalRequest,
    UndoRequest,
)
from carrel.contracts.ids import CardNumber
from carrel.web.i18n import N_
from server.catalogue import service as catalogue
from server.circulation import returns
from server.circulation import service as circulation
from server.circulation.policy import OVERRIDABLE
from server.deps import public
from server.fees import service as fees
from server.fees.errors import PaymentAmountError, error_of
from server.fees.policy import Refused, amount_of
from server.fees.undoing import PaymentUndo, undo_payment
from server.holds import policy as queueing
from server.holds import service as holds
from server.holds.reserving import place_hold
from server.holds.schemas import HoldRequest
from server.lending import service as lending
from server.lending.occasion import Occasion
from server.pages.desk import results
from server.pages.desk.forms import (
    SCANNED,
    AtTheDesk,
    HoldForm,
    InsistForm,
    ItemForm,
    PayForm,
    ReturnForm,
    ScanForm,
    UnpayForm,
)
from server.pages.desk.work import Desk, Outcome
from server.pages.reader.search_views import place as place_name
from server.patrons import service as patrons
from server.patrons.errors import UnknownCardError
from server.patrons.service import Patron

router = APIRouter(include_in_schema=False, dependencies=[public()])

DeskDep = Annotated[Desk, Depends()]
HoldId = Annotated[int, Path(ge=1, le=2**31 - 1)]
BOTH = N_("This is the number of a card and of an item. Here is the reader; scan it once more for the item.")
NOTHING = N_("Nothing was scanned.")
UNREADABLE = N_("This is neither a card nor a barcode. Scan it again.")


@router.get("/desk")
def desk_page(desk: DeskDep, card: CardNumber | None = None) -> Response:
    """The field, and the reader of a card if one is named."""
    return desk.look(card or "")


@router.post("/desk/scan")
def scan(desk: DeskDep, form: Annotated[ScanForm, Form()]) -> Response:
    """A card opens its reader; an item is lent to the open reader, or returned."""
    return desk.act(form, lambda session, occasion: _scanned(desk, session, occasion, form=form))


@router.post("/desk/lend")
def lend(desk: DeskDep, form: Annotated[InsistForm, Form()]) -> Response:
    """Lend against a rule, or take an item back first that another reader still has."""
    return desk.act(form, lambda session, occasion: _lent(desk, session, occasion, form=form))


@router.post("/desk/return")
def give_back(desk: DeskDep, form: Annotated[ReturnForm, Form()]) -> Response:
    """Return an item while a reader is open, or tell how many parts of a set are there."""
    parts = None if form.parts == "" else form.parts
    return desk.act(
        form, lambda session, occasion: _returned(desk, session, occasion, form=form, barcode=form.item, parts=parts)
    )


@router.post("/desk/renew")
def renew(desk: DeskDep, form: Annotated[InsistForm, Form()]) -> Response:
    """Renew some loans, or all."""
    return desk.act(form, lambda session, occasion: _renewed(desk, session, occasion, form=form))


@router.post("/desk/undo")
def undo(desk: DeskDep, form: Annotated[ItemForm, Form()]) -> Response:
    """Make the last loan, renewal or return of an item undone, a moment after."""

    def work(session: Session, occasion: Occasion) -> Outcome:
        request = UndoRequest(request_id=form.id, items=_refs([form.item]))
        batch = returns.undo(session, request, occasion)
        return Outcome(form.card, [results.undone(desk.words, one) for one in batch.results])

    return desk.act(form, work)


@router.post("/desk/pay")
def pay(desk: DeskDep, form: Annotated[PayForm, Form()]) -> Response:
    """Book a payment of the open reader."""
    return desk.act(form, lambda session, occasion: _paid(desk, session, occasion, form=form))


@router.post("/desk/pay/undo")
def unpay(desk: DeskDep, form: Annotated[UnpayForm, Form()]) -> Response:
    """Make a payment of the open reader undone, a moment after."""
    return desk.act(form, lambda session, occasion: _unpaid(desk, session, occasion, form=form))


@router.post("/desk/hold")
def hold(desk: DeskDep, form: Annotated[HoldForm, Form()]) -> Response:
    """The open reader joins the queue for the title of an item, against a rule if staff say why."""

    def work(session: Session, occasion: Occasion) -> Outcome:
        _refs([form.item])
        overrides = form.against(queueing.OVERRIDABLE)
        wish = HoldRequest(
            request_id=form.id, card=_known_card(form), barcode=form.item, overrides=frozenset(overrides),
            reason=form.reasons,
        )  # fmt: skip
        result = place_hold(session, wish, occasion)
        if result.status != "ok":
            return Outcome(form.card, [results.not_reserved(desk.words, result, form.item, overridden=overrides)])
        return Outcome(form.card, told=desk.words.gettext("%(title)s is reserved.", title=result.title or ""))

    return desk.act(form, work)


@router.post("/desk/holds/{hold_id}/cancel")
def cancel(hold_id: HoldId, desk: DeskDep, form: Annotated[AtTheDesk, Form()]) -> Response:
    """The open reader leaves a queue."""

    def work(session: Session, occasion: Occasion) -> Outcome:
        holds.cancel(session, hold_id, occasion, patron_id=_patron(session, form).id)
        return Outcome(form.card, told=desk.words.gettext("The hold is cancelled."))

    return desk.act(form, work)


@router.get("/desk/slips/{hold_id}")
def slip(hold_id: HoldId, desk: DeskDep) -> Response:
    """What is printed and laid into an item on the hold shelf."""
    if desk.visit.librarian() is None:
        return desk.visit.to_sign_in()
    with desk.core.database.reading() as session:
        found = holds.get(session, hold_id)
        item_id = found.filled_item_id if found is not None and found.open else None
        item = catalogue.items_by_id(session, [item_id]).get(item_id) if item_id is not None else None
        paper = results.slip_of(session, desk.words, item, now=desk.core.clock.now()) if item else None
    if item is None or paper is None:
        raise HTTPException(404)
    return desk.visit.page("desk/slip.html", item=item, slip=paper)


def _scanned(desk: Desk, session: Session, occasion: Occasion, *, form: ScanForm) -> Outcome:
    """A number that is both a card's and an item's, from before that was refused, is the item's for an open reader."""
    code = form.code
    if not SCANNED.fullmatch(code):
        told = NOTHING if not code else UNREADABLE
        return Outcome(form.card, refused=desk.words.gettext(told))
    if patrons.find(session, code) is not None:
        if not catalogue.items_by_barcode(session, [code]):
            return Outcome(code)
        if not form.card:
            return Outcome(code, told=desk.words.gettext(BOTH))
    if form.card:
        insisting = InsistForm(card=form.card, request_id=form.request_id, item=[code])
        return _lent(desk, session, occasion, form=insisting)
    return _returned(desk, session, occasion, form=form, barcode=code)


def _lent(desk: Desk, session: Session, occasion: Occasion, *, form: InsistForm) -> Outcome:
    overrides = form.against(OVERRIDABLE)
    request = CheckoutRequest(
        request_id=form.id, card=_known_card(form), items=_refs(form.item), overrides=frozenset(overrides),
        reason=form.reasons, implicit_return=form.implicit_return,
    )  # fmt: skip
    batch = circulation.checkout_many(session, request, occasion)
    return Outcome(form.card, [results.lent(desk.words, one, overridden=overrides) for one in batch.results])


def _returned(
    desk: Desk, session: Session, occasion: Occasion, *, form: AtTheDesk, barcode: str, parts: int | None = None
) -> Outcome:
    """A set that lacks parts is here all the same, and staff are to look for them."""
    items = _refs([barcode], parts)
    request = CheckinRequest(request_id=form.id, items=items, accept_not_on_loan=True, accept_incomplete=True)
    batch = returns.checkin_many(session, request, occasion)
    place = partial(place_name, desk.core.settings.common, language=desk.words.language)
    return Outcome(form.card, results.returned(session, desk.words, batch, now=occasion.now, place=place))


def _renewed(desk: Desk, session: Session, occasion: Occasion, *, form: InsistForm) -> Outcome:
    overrides = form.against(OVERRIDABLE)
    more: dict[str, Any] = {"card": _known_card(form), "overrides": frozenset(overrides), "reason": form.reasons}
    batch: BatchResult
    if form.item:
        one = RenewalRequest(request_id=form.id, items=_refs(form.item), **more)
        batch = circulation.renew_many(session, one, occasion)
    else:
        batch = circulation.renew_all(session, RenewAllRequest(request_id=form.id, **more), occasion)
    currency = lending.current(session).policy.currency
    told = [results.renewed(desk.words, one, currency=currency, overridden=overrides) for one in batch.results]
    return Outcome(form.card, told)


def _paid(desk: Desk, session: Session, occasion: Occasion, *, form: PayForm) -> Outcome:
    patron, amount, number = _patron(session, form), amount_of(form.amount), form.id
    if amount is None:
        raise PaymentAmountError
    paid = fees.pay(
        session, patron.id, amount, payment_id=number, means=form.means, actor=occasion.actor, at=occasion.now,
        fee_id=form.fee or None,
    )  # fmt: skip
    if isinstance(paid, Refused):
        raise error_of(paid)
    currency = lending.current(session).policy.currency
    told = desk.words.gettext(
        "Paid: %(amount)s. Still owed: %(left)s.",
        amount=desk.words.money(paid.amount, currency),
        left=desk.words.money(paid.balance, currency),
    )
    return Outcome(form.card, told=told, payment=number)


def _unpaid(desk: Desk, session: Session, occasion: Occasion, *, form: UnpayForm) -> Outcome:
    request = PaymentUndo(request_id=form.id, patron_id=_patron(session, form).id, payment_id=form.payment)
    undone = undo_payment(session, request, actor=occasion.actor, at=occasion.now)
    currency = lending.current(session).policy.currency
    told = desk.words.gettext(
        "Undone: the payment of %(amount)s. Owed: %(left)s.",
        amount=desk.words.money(undone.amount, currency),
        left=desk.words.money(undone.balance, currency),
    )
    return Outcome(form.card, told=told)


def _patron(session: Session, form: AtTheDesk) -> Patron:
    """The open reader."""
    patron = patrons.find(session, _known_card(form))
    if patron is None:
        raise UnknownCardError
    return patron


def _known_card(form: AtTheDesk) -> str:
    if not form.card:
        raise HTTPException(400)
    return form.card


def _refs(barcodes: list[str], parts: int | None = None) -> tuple[ItemRef, ...]:
    if not barcodes or not all(barcodes):
        raise HTTPException(400)
    return tuple(ItemRef(barcode=barcode, parts=parts) for barcode in barcodes)
