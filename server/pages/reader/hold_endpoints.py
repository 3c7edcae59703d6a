"""Reservations on readers' pages: make one from a title's page, look at them, pause, resume and cancel."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Form, HTTPException, Path, Query
from starlette.responses import RedirectResponse, Response

from carrel.clock import local_date
from carrel.contracts.ids import BranchId, ItemBarcode, RequestId
from server.catalogue import service as catalogue
from server.deps import CoreDep, ReadSession, WriteSession, public
from server.errors import DomainError
from server.holds import service as holds
from server.holds.expecting import expected_days
from server.holds.reserving import place_hold
from server.holds.schemas import HoldRequest
from server.lending import service as lending
from server.lending.names import Names
from server.lending.place import occasion_of
from server.pages.reader import hold_views, views
from server.pages.reader.hold_views import Telling
from server.pages.reader.search_endpoints import shown_title
from server.pages.shell import VisitDep

router = APIRouter(include_in_schema=False, dependencies=[public()])

Key = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("/my/holds")
def my_holds(
    visit: VisitDep,
    session: ReadSession,
    core: CoreDep,
    *,
    done: Annotated[str, Query(max_length=20)] = "",
    refused: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """What is ready above what is waited for, and what has ended lately."""
    reader = views.reader_of(visit)
    if isinstance(reader, Response):
        return reader
    now, zone = core.clock.now(), core.settings.common.library.zone
    today, policy = local_date(now, zone), lending.current(session).policy
    since = now - holds.SHOWN_AFTER_END
    found = holds.of_patron(session, reader.patron_id, now=now, zone=zone, ended_since=since)
    queues = holds.lines(session, {hold.record_id for hold in found if hold.open}, today)
    records = {key: catalogue.get_record(session, key)[0] for key in {hold.record_id for hold in found}}
    expected = expected_days(session, queues, now=now, zone=zone)
    to = Telling(visit.words, Names(policy, visit.language), today)
    lines = hold_views.lines(found, queues, records, to, expected=expected)
    return visit.page(
        "reader/holds.html",
        ready=[line for line in lines if line.open and line.ready],
        waiting=[line for line in lines if line.open and not line.ready],
        ended=[line for line in lines if not line.open],
        terms=hold_views.terms(visit.words, policy),
        done=visit.words.gettext(hold_views.DONE[done]) if done in hold_views.DONE else "",
        refused=views.told(visit.words, refused),
        today=today,
        cover=views.covers_of(visit, records),
        linked=views.linked(visit, records.values()),
    )


@router.post("/my/holds/{hold_id}/{action}")
def change(
    hold_id: Key,
    action: Literal["pause", "resume", "cancel"],
    visit: VisitDep,
    session: WriteSession,
    *,
    core: CoreDep,
    until: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Pause (up to a day, if one is named), resume or cancel one of the reader's own."""
    reader = views.reader_of(visit)
    if isinstance(reader, Response):
        return reader
    occasion = occasion_of(core, reader.principal)
    try:
        if action == "pause":
            holds.pause(session, hold_id, occasion, until=_day(until), patron_id=reader.patron_id)
        elif action == "resume":
            holds.resume(session, hold_id, occasion, patron_id=reader.patron_id)
        else:
            holds.cancel(session, hold_id, occasion, patron_id=reader.patron_id)
    except DomainError as error:
        return RedirectResponse(f"/my/holds?{urlencode({'refused': error.code})}", 303)
    return RedirectResponse(f"/my/holds?{urlencode({'done': action})}", 303)


@router.post("/titles/{record_id}/holds")
def place(
    record_id: Key,
    visit: VisitDep,
    session: WriteSession,
    core: CoreDep,
    *,
    request_id: Annotated[RequestId, Form()],
    pickup: Annotated[BranchId | None, Form()] = None,
    barcode: Annotated[ItemBarcode | None, Form()] = None,
) -> Response:
    """Reserve a title, or one copy of it; the title's page then says the place in the queue, or why not."""
    reader = views.reader_of(visit)
    if isinstance(reader, Response):
        return reader
    _, items = shown_title(visit, session, record_id)
    if barcode is not None and barcode not in {item.barcode for item in items}:
        raise HTTPException(404)
    wish = HoldRequest(
        request_id=request_id,
        card=reader.card,
        record=None if barcode else record_id,
        barcode=barcode,
        only_this=barcode is not None,
        pickup=pickup,
    )
    result = place_hold(session, wish, occasion_of(core, reader.principal))
    told = {"refused": result.code} if result.code else {"done": "placed"}
    return RedirectResponse(f"/titles/{record_id}?{urlencode(told)}#reserve", 303)


def _day(typed: str) -> date | None:
    """A day as a date field sends it; None for none, and for what is none."""
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return None
