"""Readers' accounts, for librarians and administrators. Every form works without scripts."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.encoders import jsonable_encoder
from pydantic import BaseModel, TypeAdapter
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, RedirectResponse, Response

from carrel.clock import end_of_day, local_date
from carrel.web.i18n import N_
from server.auth import accounts as auth
from server.deps import Day, public
from server.errors import DomainError
from server.fees import desk as fees_desk
from server.fees.desk import Charge, Waiver
from server.fees.errors import PaymentAmountError
from server.fees.policy import KINDS, amount_of
from server.lending.occasion import Occasion
from server.pages import seen, sent
from server.pages.patrons.forms import Draft, Posted, changes, merged, new_patron
from server.pages.patrons.work import FIRST_CLASS, Accounts, Told, stored_draft
from server.patrons import desk, privacy, service
from server.patrons.endpoints import holders_of
from server.patrons.errors import DuplicatePatronError, GuardianError, UnknownPatronError
from server.patrons.schemas import BlockRequest, CardEnd, CardRequest, Key, PatronId, RegisterRequest
from server.prose import number

router = APIRouter(include_in_schema=False, dependencies=[public()])

AccountsDep = Annotated[Accounts, Depends()]
DAY: TypeAdapter[Day | None] = TypeAdapter(Day | None)
REGISTERED = N_("The reader is registered. Next, make a PIN below for the reader's own pages and the kiosk.")
CONFIRM = N_("Type the card's number to confirm. Nothing was changed.")


class UnconfirmedError(Exception):
    """The card's number is not the reader's."""


class Made(BaseModel):
    """The key of who was registered."""

    id: int


@router.get("/patrons")
def readers(
    pages: AccountsDep,
    q: Annotated[str, Query(max_length=200)] = "",
    after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
) -> Response:
    """Search by part of a name, or the beginning of a card number, telephone number or e-mail address."""
    return pages.list(q, after=after)


@router.get("/patrons/new")
def new(pages: AccountsDep, card: Annotated[str, Query(max_length=32)] = "") -> Response:
    """The form of a new reader."""
    if pages.visit.librarian() is None:
        return pages.visit.to_sign_in()
    return pages.form(Draft({"patron_class": FIRST_CLASS, "card": card}))


@router.post("/patrons/new")
def register(pages: AccountsDep, draft: Posted) -> Response:
    """Register a reader. One who may be known already is shown first."""
    caller = pages.visit.librarian()
    if caller is None:
        return pages.visit.to_sign_in()
    occasion = pages.occasion(caller)
    try:
        with pages.core.database.reading() as session:
            asked = new_patron(draft, _guardian(session, draft))
    except GuardianError as error:
        return pages.form(draft, refused=pages.say(error))
    if isinstance(asked, Draft):
        return pages.form(asked)
    wanted = _new(asked, occasion)
    try:
        with pages.core.database.writing() as session:
            made = pages.once(
                session, occasion, draft, answer=Made,
                work=lambda: _registered(session, wanted, occasion, sure=asked.confirmed_new),
            )  # fmt: skip
    except DuplicatePatronError as error:
        with pages.core.database.reading() as session:
            alike = desk.duplicates(session, wanted)
        return pages.form(draft, alike=alike, refused=pages.say(error))
    except DomainError as error:
        return pages.form(draft, refused=pages.say(error))
    return RedirectResponse(f"/patrons/{made.id}?done=registered", 303)


@router.get("/patrons/{patron_id}")
def account(patron_id: PatronId, pages: AccountsDep, done: Literal["", "registered"] = "") -> Response:
    """One reader."""
    caller = pages.visit.librarian()
    said = pages.words.gettext(REGISTERED) if done else ""
    return pages.visit.to_sign_in() if caller is None else pages.account(caller, patron_id, Told(said=said))


@router.post("/patrons/{patron_id}/edit")
def edit(patron_id: PatronId, pages: AccountsDep, draft: Posted) -> Response:
    """Change the data that the form has changed."""
    caller = pages.visit.librarian()
    if caller is None:
        return pages.visit.to_sign_in()
    occasion = pages.occasion(caller)
    try:
        with pages.core.database.writing() as session:
            stored = stored_draft(session, _patron(session, patron_id))
            draft = merged(draft, stored)
            if draft.errors:
                refused = pages.words.gettext(seen.REFUSED)
                return pages.account(caller, patron_id, Told(draft=draft, refused=refused))
            asked = changes(draft, stored, _guardian(session, draft))
            if isinstance(asked, Draft):
                return pages.account(caller, patron_id, Told(draft=asked, refused=pages.words.gettext(FORM_WRONG)))
            told = asked.model_dump(exclude_unset=True)
            desk.edit(session, patron_id, told, actor=occasion.actor, at=occasion.now, today=_today(occasion))
    except DomainError as error:
        return pages.account(caller, patron_id, Told(draft=draft, refused=pages.say(error)))
    return pages.account(caller, patron_id, Told(said=pages.words.gettext("The changes are saved.")))


FORM_WRONG = N_("Nothing was saved: a field does not have the right form.")


@router.post("/patrons/{patron_id}/renewal")
def renewal(patron_id: PatronId, pages: AccountsDep, draft: Posted) -> Response:
    """Prolong the membership."""

    def work(session: Session, occasion: Occasion) -> str:
        desk.renew(session, patron_id, actor=occasion.actor, at=occasion.now, today=_today(occasion))
        return pages.words.gettext("The membership is prolonged.")

    return pages.act(patron_id, draft, work)


@router.post("/patrons/{patron_id}/cards")
def replace_card(patron_id: PatronId, pages: AccountsDep, draft: Posted) -> Response:
    """Hand out a new card."""

    def work(session: Session, occasion: Occasion) -> str:
        card = CardRequest(number=number(draft.get("number"))).number
        desk.replace_card(session, patron_id, card, actor=occasion.actor, at=occasion.now)
        return pages.words.gettext("Card %(card)s is handed out.", card=card)

    return pages.act(patron_id, draft, work)


@router.post("/patrons/{patron_id}/cards/end")
def end_card(patron_id: PatronId, pages: AccountsDep, draft: Posted) -> Response:
    """The card is lost or withdrawn."""

    def work(session: Session, occasion: Occasion) -> str:
        reason = CardEnd.model_validate({"reason": draft.get("reason")}).reason
        desk.end_card(session, patron_id, reason, actor=occasion.actor, at=occasion.now)
        return pages.words.gettext("The card is no longer valid.")

    return pages.act(patron_id, draft, work)


@router.post("/patrons/{patron_id}/blocks")
def block(patron_id: PatronId, pages: AccountsDep, draft: Posted) -> Response:
    """Let the reader borrow nothing, to the end of a day or until the block is lifted."""

    def work(session: Session, occasion: Occasion) -> str:
        until = DAY.validate_python(draft.get("until").strip() or None)
        asked = BlockRequest.model_validate({"reason": draft.get("reason"), "note": draft.get("note")})
        ends = end_of_day(until, occasion.zone) + timedelta(seconds=1) if until else None
        new = desk.NewBlock(asked.reason, asked.note, ends)
        desk.block(session, patron_id, new, actor=occasion.actor, at=occasion.now)
        return pages.words.gettext("The account is blocked.")

    return pages.act(patron_id, draft, work)


@router.post("/patrons/{patron_id}/blocks/{block_id}/lift")
def lift(patron_id: PatronId, block_id: Key, pages: AccountsDep, draft: Posted) -> Response:
    """End a block."""

    def work(session: Session, occasion: Occasion) -> str:
        desk.lift(session, patron_id, block_id, actor=occasion.actor, at=occasion.now)
        return pages.words.gettext("The block is lifted.")

    return pages.act(patron_id, draft, work)


@router.post("/patrons/{patron_id}/pin")
def reset_pin(patron_id: PatronId, pages: AccountsDep, draft: Posted) -> Response:
    """Give a new PIN of six digits; it is shown once."""
    if pages.visit.librarian() is None:
        return pages.visit.to_sign_in()
    with pages.core.database.reading() as session:
        patron = service.find_by_id(session, patron_id)
    card = patron.card if patron else ""
    pin = auth.random_pin(card)
    hashed = auth.hash_pin(pin, card)

    def work(session: Session, occasion: Occasion) -> Told:
        auth.set_pin(session, patron_id, hashed, actor=occasion.actor, at=occasion.now)
        return Told(pin=pin)

    return pages.act(patron_id, draft, work)


@router.post("/patrons/{patron_id}/fees")
def charge(patron_id: PatronId, pages: AccountsDep, draft: Posted) -> Response:
    """Charge a fee by hand."""

    def work(session: Session, occasion: Occasion) -> str:
        amount = amount_of(number(draft.get("amount")))
        kind = next((one for one in KINDS if one == draft.get("kind")), "admin")
        if amount is None:
            raise PaymentAmountError
        asked = Charge(
            patron_id=patron_id, kind=kind, amount=amount, reason=draft.get("reason").strip()[:200],  # type: ignore[arg-type]  # one of KINDS
        )  # fmt: skip
        fees_desk.charge(session, asked, actor=occasion.actor, at=occasion.now)
        return pages.words.gettext("The fee is charged.")

    return pages.act(patron_id, draft, work)


@router.post("/patrons/{patron_id}/fees/{fee_id}/waive")
def waive(patron_id: PatronId, fee_id: Key, pages: AccountsDep, draft: Posted) -> Response:
    """Forgive what is owed of a fee, and say why."""

    def work(session: Session, occasion: Occasion) -> str:
        asked = Waiver(patron_id=patron_id, fee_id=fee_id, reason=draft.get("reason").strip()[:200])
        fees_desk.waive(session, asked, actor=occasion.actor, at=occasion.now)
        return pages.words.gettext("The fee is waived.")

    return pages.act(patron_id, draft, work)


@router.post("/patrons/{patron_id}/export")
def export(patron_id: PatronId, request: Request, pages: AccountsDep) -> Response:
    """A file with everything that is held about the reader, for the reader."""
    caller = pages.visit.librarian()
    if caller is None:
        return pages.visit.to_sign_in()
    occasion = pages.occasion(caller)
    with pages.core.database.writing() as session:
        held = privacy.export(session, patron_id, holders_of(request), actor=occasion.actor, at=occasion.now)
    name = f'attachment; filename="reader-{patron_id}.json"'
    return JSONResponse(jsonable_encoder(held), headers={"Content-Disposition": name, "Cache-Control": "no-store"})


@router.post("/patrons/{patron_id}/anonymise")
def anonymise(patron_id: PatronId, request: Request, pages: AccountsDep, *, draft: Posted) -> Response:
    """Forget the reader for good, whose card's number was typed once more. Nothing of the form is noted but its own."""
    caller = pages.visit.librarian()
    if caller is None:
        return pages.visit.to_sign_in()
    occasion = pages.occasion(caller)

    def forget() -> sent.Done:
        if number(draft.get("card")) != _patron(session, patron_id).card:
            raise UnconfirmedError
        privacy.anonymise(session, patron_id, holders_of(request), actor=occasion.actor, at=occasion.now)
        return sent.Done()

    try:
        with pages.core.database.writing() as session:
            form = Draft({sent.FIELD: draft.get(sent.FIELD)})
            pages.once(session, occasion, form, answer=sent.Done, work=forget)
    except UnconfirmedError:
        return pages.account(caller, patron_id, pages.refused(draft, pages.words.gettext(CONFIRM)))
    except DomainError as error:
        return pages.account(caller, patron_id, pages.refused(draft, pages.say(error)))
    return pages.list("", told=pages.words.gettext("The reader is forgotten. Numbers for statistics stay."))


def _patron(session: Session, patron_id: int) -> service.Patron:
    patron = service.find_by_id(session, patron_id)
    if patron is None or patron.anonymised_at is not None:
        raise UnknownPatronError
    return patron


def _guardian(session: Session, draft: Draft) -> int | None:
    """Named by card; raises GuardianError for a card that nobody has."""
    card = number(draft.get("guardian"))
    if not card:
        return None
    patron = service.find(session, card)
    if patron is None:
        raise GuardianError
    return patron.id


def _registered(session: Session, new: service.NewPatron, occasion: Occasion, *, sure: bool) -> Made:
    patron = desk.register(session, new, actor=occasion.actor, at=occasion.now, today=_today(occasion), sure=sure)
    return Made(id=patron.id)


def _new(asked: RegisterRequest, occasion: Occasion) -> service.NewPatron:
    own = {"branch": asked.branch or occasion.branch}
    return service.NewPatron(**asked.model_dump(exclude={"confirmed_new"}) | own)


def _today(occasion: Occasion) -> date:
    return local_date(occasion.now, occasion.zone)
