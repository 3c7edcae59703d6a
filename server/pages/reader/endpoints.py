"""Readers' loans and how they sign in. Everything works without scripts; htmx only saves reloading."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from carrel.clock import local_date
from carrel.contracts.circulation import BatchResult, ItemRef, RenewAllRequest, RenewalRequest
from carrel.contracts.ids import CardNumber, ItemBarcode, RequestId
from carrel.web.words import refusal
from server.auth import service as auth
from server.auth.endpoints import set_cookie
from server.catalogue import service as catalogue
from server.circulation import service as circulation
from server.circulation.errors import NotYourCardError
from server.deps import COOKIE, Core, CoreDep, ReadSession, WriteSession, public, token_of
from server.errors import DomainError
from server.lending import service as lending
from server.lending.occasion import Occasion
from server.lending.place import occasion_of
from server.pages.reader import views
from server.pages.reader.views import Reader
from server.pages.shell import Next, Visit, VisitDep, safe_next
from server.patrons import service as patrons
from server.prose import number

router = APIRouter(include_in_schema=False, dependencies=[public()])

Card = Annotated[CardNumber | None, Query()]
FormCard = Annotated[CardNumber | None, Form()]

SHOWN = 100
"""Past loans on one page."""


@router.get("/my/loans")
def my_loans(visit: VisitDep, session: ReadSession, core: CoreDep, card: Card = None) -> Response:
    """The reader's own loans, or with `card` a child's, due soonest first."""
    reader = views.reader_of(visit)
    return reader if isinstance(reader, Response) else _loans(visit, session, core, reader=reader, card=card)


@router.get("/my/history")
def my_history(visit: VisitDep, session: ReadSession) -> Response:
    """What the reader has given back, as far as they let the library remember it."""
    reader = views.reader_of(visit)
    if isinstance(reader, Response):
        return reader
    patron = patrons.find_by_id(session, reader.patron_id)
    kept = patron is not None and patron.keeps_history
    past = [loan for loan in circulation.about_patron(session, reader.patron_id) if loan["checked_in_at"]]
    return visit.page("reader/history.html", kept=kept, past=past[:SHOWN] if kept else [], cover=views.cover)


@router.post("/my/renewals")
def renew(
    visit: VisitDep,
    session: WriteSession,
    core: CoreDep,
    *,
    item: Annotated[list[ItemBarcode], Form(min_length=1, max_length=50)],
    request_id: Annotated[RequestId, Form()],
    card: FormCard = None,
) -> Response:
    """Renew some loans of the reader or a child and say what became of each."""
    reader = views.reader_of(visit)
    if isinstance(reader, Response):
        return reader
    occasion = occasion_of(core, reader.principal)
    items = tuple(ItemRef(barcode=barcode) for barcode in item)
    wanted = RenewalRequest(request_id=request_id, card=_family_card(session, reader, card, occasion), items=items)
    result = circulation.renew_many(session, wanted, occasion)
    return _loans(visit, session, core, reader=reader, card=card, result=result)


@router.post("/my/renewals/all")
def renew_all(
    visit: VisitDep,
    session: WriteSession,
    core: CoreDep,
    *,
    request_id: Annotated[RequestId, Form()],
    card: FormCard = None,
) -> Response:
    """Renew whatever the reader or a child has; each that is not renewed gets its reason."""
    reader = views.reader_of(visit)
    if isinstance(reader, Response):
        return reader
    occasion = occasion_of(core, reader.principal)
    wanted = RenewAllRequest(request_id=request_id, card=_family_card(session, reader, card, occasion))
    result = circulation.renew_all(session, wanted, occasion)
    return _loans(visit, session, core, reader=reader, card=card, result=result)


@router.get("/sign-in")
def sign_in_page(
    visit: VisitDep,
    next: Annotated[Next, Query()] = "/",
    undone: Annotated[str, Query(max_length=1)] = "",
    anew: Annotated[str, Query(max_length=1)] = "",
) -> Response:
    """The form; `undone` when something was sent that was not done, since nobody was signed in; `anew` when a new
    password or PIN has ended the session."""
    return visit.page("reader/sign_in.html", next=safe_next(next), user="", error="", undone=undone, anew=anew)


@router.post("/sign-in")
def sign_in(
    request: Request,
    visit: VisitDep,
    core: CoreDep,
    *,
    user: Annotated[str, Form(max_length=64)] = "",
    password: Annotated[str, Form(max_length=256)] = "",
    next: Annotated[Next, Form()] = "/",
    undone: Annotated[str, Form(max_length=1)] = "",
    anew: Annotated[str, Form(max_length=1)] = "",
) -> Response:
    """Open a session and go on to where the visitor wanted to be."""
    hours = core.settings.server.session_hours
    agent = request.headers.get("user-agent", "")
    outcome = auth.sign_in(core.database, number(user), password, now=core.clock.now(), hours=hours, agent=agent)
    if isinstance(outcome, DomainError):
        error = refusal(visit.words, outcome.code, outcome.params)
        return visit.page(
            "reader/sign_in.html", status=outcome.status, next=safe_next(next), user=user, error=error, undone=undone,
            anew=anew,
        )  # fmt: skip
    target = safe_next(next)
    if target == "/" and outcome.principal.card is not None:
        target = "/my/loans"
    answer = RedirectResponse(target, 303)
    set_cookie(answer, outcome, secure=request.url.scheme == "https")
    return answer


@router.post("/sign-out")
def sign_out(request: Request, core: CoreDep, session: WriteSession) -> Response:
    """End the session."""
    if token := token_of(request):
        auth.sign_out(session, token, core.clock.now())
    answer = RedirectResponse("/", 303, {"Clear-Site-Data": '"cache"'})
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return answer


def _family_card(session: Session, reader: Reader, named: str | None, occasion: Occasion) -> str:
    """The card whose loans are meant: the reader's own or an under-age child's; raises NotYourCardError."""
    if named is None or named == reader.card:
        return reader.card
    if not patrons.may_act_for(session, reader.patron_id, named, local_date(occasion.now, occasion.zone)):
        raise NotYourCardError
    return named


def _loans(
    visit: Visit, session: Session, core: Core, *,
    reader: Reader, card: str | None, result: BatchResult | None = None,
) -> Response:  # fmt: skip
    occasion = occasion_of(core, reader.principal)
    shown = _family_card(session, reader, card, occasion)
    children = patrons.wards_of(session, reader.patron_id, local_date(occasion.now, occasion.zone))
    family = [(reader.card, visit.words.gettext("Myself")), *((child.card, child.name) for child in children)]
    token = uuid.uuid4().hex[:16]
    loans = circulation.loans_of(session, shown, occasion)
    records = {record.id: record for record in catalogue.records_of(session, [loan.item.record_id for loan in loans])}
    lines = views.loan_lines(loans, visit.words, now=occasion.now, zone=occasion.zone, request_id=token)
    return visit.page(
        "reader/loans.html",
        loans=lines,
        outcomes=views.outcomes(result, visit.words, lending.current(session).policy.currency) if result else [],
        renewable=any(not line.refusal for line in lines),
        request_id=token,
        card="" if shown == reader.card else shown,
        family=[views.Person(number, name, number == shown) for number, name in family] if children else [],
        quota_left=circulation.quota_left(session, shown, occasion),
        cover=views.covers_of(visit, records),
        linked=views.linked(visit, records.values()),
    )
