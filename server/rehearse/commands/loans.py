"""Lending: checkout, checkin, renewal and what undoes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy.orm import Session

from carrel.contracts.circulation import (
    BatchResult,
    CheckinRequest,
    CheckoutRequest,
    ItemRef,
    LossRequest,
    RenewAllRequest,
    RenewalRequest,
    UndoRequest,
)
from carrel.web.words import REFUSALS
from server.catalogue import service as catalogue
from server.circulation import returns
from server.circulation import service as circulation
from server.circulation.policy import OVERRIDABLE
from server.lending.occasion import Channel
from server.patrons import service as patrons
from server.rehearse import values
from server.rehearse.act import Act
from server.rehearse.answers import Answer, of_batch, refused
from server.rehearse.commands.people import wrong_pin
from server.rehearse.fields import ITEMS

T = TypeVar("T", bound=BaseModel)
OVERRIDES = ("override", "overrides")
REASON = ("reason", "override_reason")


def checkout(act: Act) -> Answer:
    """Lend items; one refusal does not hinder the rest."""
    with act.database.reading() as session:
        card = act.card(session)
    if wrong := wrong_pin(act, card):
        return wrong
    if code := unfounded(act):
        return refused(code)
    request = made(
        act,
        CheckoutRequest,
        card=card,
        items=items(act),
        implicit_return=act.fields.flag("implicit_return", "implicit"),
        **overriding(act),
    )
    return _batch(act, lambda session: circulation.checkout_many(session, request, act.occasion))


def checkin(act: Act) -> Answer:
    """Take items back. Items that arrive at the desk or a terminal need not have been on loan, see `_arriving`."""
    refs = items(act)
    request = made(
        act,
        CheckinRequest,
        items=refs,
        returned_at=act.fields.instant("returned_at", "return_date", "returned"),
        accept_not_on_loan=act.fields.flag(
            "accept_not_on_loan", default=act.meant("arriving", now=_arriving(act, refs))
        ),
        accept_incomplete=act.fields.flag("accept_incomplete"),
    )
    return _batch(act, lambda session: returns.checkin_many(session, request, act.occasion))


def renew(act: Act) -> Answer:
    """Move the due dates of loans."""
    refs = items(act)
    with act.database.reading() as session:
        stands = act.door.channel is not Channel.DESK or act.has_patron()
        card = act.card(session) if stands else act.meant("borrower", now=_borrower(session, refs[0].barcode))
        known = catalogue.items_by_barcode(session, [refs[0].barcode])
    if card is None:
        return refused("not_on_loan" if known else "unknown_item")
    if wrong := wrong_pin(act, card):
        return wrong
    if code := unfounded(act):
        return refused(code)
    request = made(act, RenewalRequest, card=card, items=refs, **overriding(act))
    return _batch(act, lambda session: circulation.renew_many(session, request, act.occasion))


def renew_all(act: Act) -> Answer:
    """Move the due dates of all of a patron's loans."""
    with act.database.reading() as session:
        card = act.card(session)
    if wrong := wrong_pin(act, card):
        return wrong
    if code := unfounded(act):
        return refused(code)
    request = made(act, RenewAllRequest, card=card, **overriding(act))
    return _batch(act, lambda session: circulation.renew_all(session, request, act.occasion), listed=True)


def checkout_cancel(act: Act) -> Answer:
    """Undo a loan as if it had not been, as terminals ask that could not switch a tag: no history, no fee."""
    request = _undoing(act)
    return _batch(act, lambda session: returns.cancel_checkout(session, request, act.occasion))


def undo(act: Act) -> Answer:
    """Undo the last step with an item, a checkout, renewal or checkin, if it was a moment ago."""
    request = _undoing(act)
    return _batch(act, lambda session: returns.undo(session, request, act.occasion))


def declare_lost(act: Act) -> Answer:
    """End loans of items that will not come back; the patron is charged. Whose loans they are may be said."""
    refs = items(act)
    with act.database.reading() as session:
        named = act.card(session) if act.has_patron() else None
        if named and any(_borrower(session, ref.barcode) not in (None, named) for ref in refs):
            return refused("not_your_loan")
    request = made(act, LossRequest, items=refs, reason=act.fields.words("reason"))
    return _batch(act, lambda session: returns.declare_lost(session, request, act.occasion))


def items(act: Act) -> list[ItemRef]:
    """The items an action names, with the parts that were seen of each."""
    parts = act.fields.number("parts", "tags_seen", default=None)
    written = act.fields.raw(*ITEMS)
    if written == []:
        raise act.fields.mistake("items: [] holds nothing: write at least one barcode")
    refs = []
    for one in written if isinstance(written, list) else [written]:
        facts: dict[str, Any] = one if isinstance(one, dict) else {"barcode": one}
        try:
            barcode = values.text(facts.get("barcode", facts.get("item")))
            seen = facts.get("parts", parts)
            refs.append(ItemRef(barcode=barcode, parts=None if seen is None else values.number(seen)))
        except ValidationError as error:
            raise act.fields.mistake(f"item {values.short(one)}: {values.allowed(error)}") from None
        except ValueError as error:
            raise act.fields.mistake(f'"item" is missing or wrong: {error}') from None
    return refs


def _borrower(session: Session, barcode: str) -> str | None:
    """The card of who has the item: the desk renews what lies before it."""
    item = catalogue.items_by_barcode(session, [barcode]).get(barcode)
    loan = circulation.open_loan(session, item.id) if item else None
    patron = patrons.find_by_id(session, loan.patron_id) if loan and loan.patron_id else None
    return patron.card if patron else None


def _arriving(act: Act, refs: Sequence[ItemRef]) -> bool:
    """SIP2 takes whatever comes; the desk what was on its way or given up. Elsewhere `not_on_loan` is a refusal."""
    if act.door.channel is not Channel.DESK:
        return act.door.channel is Channel.SIP2
    with act.database.reading() as session:
        known = catalogue.items_by_barcode(session, [ref.barcode for ref in refs])
    return any(item.status in ("in_transit", "lost", "missing") for item in known.values())


def unfounded(act: Act) -> str | None:
    """Why an override counts for nothing: only the desk may, and says why."""
    if not act.fields.raw(*OVERRIDES):
        return None
    if act.door.channel is not Channel.DESK:
        return "not_permitted"
    return None if act.fields.words(*REASON).strip() else "reason_required"


def overriding(act: Act, known: frozenset[str] = OVERRIDABLE) -> dict[str, Any]:
    """What staff decide against: codes, or true for all that can be."""
    written = act.fields.raw(*OVERRIDES)
    if not written:
        return {}
    codes = sorted(known) if written is True else act.fields.texts(*OVERRIDES)
    for code in codes:
        if code not in known | set(REFUSALS):
            what = f"override: '{code}' is no reason of a refusal; there are {', '.join(sorted(known))}"
            raise act.fields.mistake(what)
        if code not in known:
            act.fields.remark(f"override: nobody can decide against '{code}'")
    return {"overrides": frozenset(codes), "reason": act.fields.words(*REASON)}


def made(act: Act, kind: type[T], **fields: Any) -> T:
    """A request as it comes over the wire; raises RehearsalError for what no wire would carry."""
    try:
        return kind(request_id=act.request_id, **fields)
    except ValidationError as error:
        raise act.fields.mistake(values.told(error)) from None


def _undoing(act: Act) -> UndoRequest:
    card = None
    if act.has_patron():
        with act.database.reading() as session:
            card = act.card(session)
    return made(act, UndoRequest, card=card, items=items(act))


def _batch(act: Act, work: Callable[[Session], BatchResult], *, listed: bool | None = None) -> Answer:
    with act.database.writing() as session:
        results: Sequence[Any] = work(session).results
    several = isinstance(act.fields.raw(*ITEMS), list) if listed is None else listed
    return of_batch(results, act.zone, listed=several)
