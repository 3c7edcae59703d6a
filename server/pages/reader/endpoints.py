"""Readers' pages. Everything works without scripts; htmx only saves reloading."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from carrel.contracts.circulation import ItemRef, RenewalRequest
from carrel.contracts.ids import ItemBarcode, RequestId
from carrel.web.words import refusal
from server.auth import service as auth
from server.auth.endpoints import set_cookie
from server.catalogue import service as catalogue
from server.circulation import policy
from server.circulation import service as circulation
from server.circulation.endpoints import occasion_of
from server.deps import COOKIE, Core, CoreDep, ReadSession, WriteSession, public, token_of
from server.errors import DomainError
from server.pages.reader import views
from server.pages.shell import Visit, VisitDep, safe_next

router = APIRouter(include_in_schema=False, dependencies=[public()])

HITS_PER_PAGE = 20
MAX_PAGE = 500


@router.get("/search")
def search(
    visit: VisitDep,
    session: ReadSession,
    q: Annotated[str, Query(max_length=200)] = "",
    page: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 1,
) -> Response:
    """The catalogue, open to everybody."""
    query = q.strip()
    found = catalogue.search(session, query, limit=HITS_PER_PAGE, offset=(page - 1) * HITS_PER_PAGE)
    pages = max(1, -(-found.total // HITS_PER_PAGE))
    hits = views.Hits(query, found, page, min(pages, MAX_PAGE))
    return visit.page("reader/search.html", hits=hits, cover=views.cover, availability=views.availability)


@router.get("/my/loans")
def my_loans(visit: VisitDep, session: ReadSession, core: CoreDep) -> Response:
    """The reader's own loans, due soonest first."""
    return visit.to_sign_in() if visit.caller is None else _loans(visit, session, core)


@router.post("/my/renewals")
def renew(
    visit: VisitDep,
    session: WriteSession,
    core: CoreDep,
    *,
    item: Annotated[list[ItemBarcode], Form(min_length=1, max_length=50)],
    request_id: Annotated[RequestId, Form()],
) -> Response:
    """Renew some of the reader's loans and say what became of each."""
    caller = visit.caller
    if caller is None or caller.card is None:
        return visit.to_sign_in()
    wanted = RenewalRequest(
        request_id=request_id, card=caller.card, items=tuple(ItemRef(barcode=barcode) for barcode in item)
    )
    result = circulation.renew_many(session, wanted, occasion_of(core, caller))
    return _loans(visit, session, core, outcomes=views.outcomes(result, visit.words))


@router.get("/sign-in")
def sign_in_page(visit: VisitDep, next: Annotated[str, Query(max_length=500)] = "/") -> Response:
    """The form."""
    return visit.page("reader/sign_in.html", next=safe_next(next), user="", error="")


@router.post("/sign-in")
def sign_in(
    request: Request,
    visit: VisitDep,
    core: CoreDep,
    *,
    user: Annotated[str, Form(max_length=64)] = "",
    password: Annotated[str, Form(max_length=256)] = "",
    next: Annotated[str, Form(max_length=500)] = "/",
) -> Response:
    """Open a session and go on to where the visitor wanted to be."""
    hours = core.settings.server.session_hours
    outcome = auth.sign_in(core.database, user.strip(), password, now=core.clock.now(), hours=hours)
    if isinstance(outcome, DomainError):
        error = refusal(visit.words, outcome.code, outcome.params)
        return visit.page("reader/sign_in.html", status=outcome.status, next=safe_next(next), user=user, error=error)
    target = safe_next(next)
    if target == "/" and outcome.principal.card is not None:
        target = "/my/loans"
    answer = RedirectResponse(target, 303)
    set_cookie(answer, outcome, secure=request.url.scheme == "https")
    return answer


@router.post("/sign-out")
def sign_out(request: Request, session: WriteSession) -> Response:
    """End the session."""
    if token := token_of(request):
        auth.sign_out(session, token)
    answer = RedirectResponse("/", 303, {"Clear-Site-Data": '"cache"'})
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return answer


def _loans(visit: Visit, session: Session, core: Core, outcomes: list[views.Outcome] | None = None) -> Response:
    caller = visit.caller
    assert caller is not None
    if caller.card is None:
        return visit.page("reader/not_a_reader.html")
    occasion = occasion_of(core, caller)
    loans = circulation.loans_of(session, caller.card, occasion)
    token = uuid.uuid4().hex[:16]
    lines = views.loan_lines(loans, visit.words, now=occasion.now, zone=occasion.zone, request_id=token)
    return visit.page(
        "reader/loans.html",
        loans=lines,
        outcomes=outcomes or [],
        renewable=[line.barcode for line in lines if not line.refusal],
        request_id=token,
        quota_left=policy.quota_left(len(lines), occasion.rules),
        cover=views.cover,
    )
