"""The catalogue for readers: searching it and looking at a title, without signing in and without scripts."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import FileResponse, Response

from carrel.clock import local_date
from server.catalogue import service as catalogue
from server.catalogue.errors import UnknownRecordError
from server.catalogue.service import Item, Record, Wanted
from server.circulation import service as circulation
from server.deps import CoreDep, ReadSession, public
from server.holds import service as holds
from server.holds.expecting import expected_days, newcomer
from server.lending import service as lending
from server.lending.names import Names
from server.pages.reader import hold_views, search_views, views
from server.pages.reader.hold_views import Telling
from server.pages.reader.search_views import Asked, Hits
from server.pages.shell import Visit, VisitDep

router = APIRouter(include_in_schema=False, dependencies=[public()])

HITS_PER_PAGE = 20
MAX_PAGE = 500
COVERS_KEPT = "public, max-age=86400"
FILTERS = ("kind", "language", "class", "decade", "branch", "available")


@router.get("/search")
def search(
    visit: VisitDep,
    session: ReadSession,
    q: Annotated[str, Query(max_length=200)] = "",
    page: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 1,
) -> Response:
    """The catalogue; filters stand in the address."""
    told = visit.request.query_params
    filters = tuple((name, value[:40]) for name in FILTERS if (value := told.get(name, "").strip()))
    asked = Asked(q.strip(), filters, page)
    wanted = Wanted(asked.query, HITS_PER_PAGE, (page - 1) * HITS_PER_PAGE, asked.limits(), facets=True)
    found = catalogue.search(session, wanted)
    pages = max(1, -(-found.total // HITS_PER_PAGE))
    names = Names(lending.current(session).policy, visit.language)
    hits = Hits(asked, found, min(pages, MAX_PAGE), search_views.groups(asked, found.facets, visit.words, names))
    return visit.page("reader/search.html", hits=hits, cover=views.covers(visit), availability=views.availability)


@router.get("/titles/{record_id}")
def title(
    visit: VisitDep,
    session: ReadSession,
    core: CoreDep,
    record_id: Annotated[int, Path(ge=1, le=2**31 - 1)],
    *,
    done: Annotated[str, Query(max_length=20)] = "",
    refused: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """One title: what it is, where its items are, and how to reserve it."""
    record, items = shown_title(visit, session, record_id)
    rules, words, caller = lending.current(session).policy, visit.words, visit.caller
    here, now = core.settings.common.library, core.clock.now()
    waiting = holds.lines(session, [record_id], local_date(now, here.zone))[record_id]
    joined = [*waiting, newcomer(record_id, pickup=here.branch, now=now)]
    queue = hold_views.Queue(waiting, expected_days(session, {record_id: joined}, now=now, zone=here.zone))
    names = Names(rules, visit.language)
    reserve = hold_views.reserve(
        record, items, queue, Telling(words, names, local_date(now, here.zone)),
        patron_id=caller.patron_id if caller else None, branches=rules.branches or (here.branch,),
        refused=hold_views.refusal(words, refused, rules), request_id=uuid.uuid4().hex[:16],
    )  # fmt: skip
    return visit.page(
        "reader/title.html",
        record=record,
        lines=[(item, *search_views.item_state(words, item), _due(session, item)) for item in items],
        place=lambda id_: search_views.place(core.settings.common, id_, visit.language),
        maps=search_views.maps(core.settings.common, items, visit.language),
        branches=rules.branches,
        names=names,
        kind=words.gettext(search_views.KINDS.get(record.kind, record.kind)),
        reserve=reserve,
        done=words.gettext(hold_views.PLACED) if done == "placed" and reserve.own else "",
        cover=views.covers(visit),
        availability=views.availability,
    )


@router.get("/covers/{name}")
def cover(name: str, request: Request) -> Response:
    """The picture of a title."""
    found = request.app.state.covers.file(name)
    if found is None:
        raise HTTPException(404)
    path, media_type = found
    return FileResponse(path, media_type=media_type, headers={"Cache-Control": COVERS_KEPT})


def shown_title(visit: Visit, session: Session, record_id: int) -> tuple[Record, tuple[Item, ...]]:
    """A title that this visitor may see, with its items; answers 404 for others."""
    try:
        record, items = catalogue.get_record(session, record_id)
    except UnknownRecordError:
        raise HTTPException(404) from None
    if not views.shows(visit, record):
        raise HTTPException(404)
    return record, items


def _due(session: Session, item: Item) -> datetime | None:
    """When an item on loan is to come back."""
    loan = circulation.open_loan(session, item.id) if item.status == "on_loan" else None
    return loan.due_at if loan else None
