"""Finding titles and copies, for librarians and administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from server.catalogue import service as catalogue
from server.catalogue.service import Wanted
from server.deps import public
from server.pages.catalogue.desk import HERE, DeskDep
from server.pages.desk.forms import SCANNED
from server.pages.reader import search_views
from server.pages.reader.search_endpoints import FILTERS
from server.pages.reader.search_views import Asked, Hits

router = APIRouter(include_in_schema=False, dependencies=[public()])

HITS_PER_PAGE = 50
MAX_PAGE = 200


@router.get(HERE)
def search(
    desk: DeskDep,
    q: Annotated[str, Query(max_length=200)] = "",
    page: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 1,
) -> Response:
    """Titles, with filters in the address; a copy's barcode leads to its title."""
    if desk.visit.librarian() is None:
        return desk.visit.to_sign_in()
    told = desk.visit.request.query_params
    filters = tuple((name, value[:40]) for name in FILTERS if (value := told.get(name, "").strip()))
    asked = Asked(q.strip(), filters, page, HERE)
    wanted = Wanted(asked.query, HITS_PER_PAGE, (page - 1) * HITS_PER_PAGE, asked.limits(), facets=True)
    with desk.core.database.reading() as session:
        code = asked.query
        item = catalogue.items_by_barcode(session, [code]).get(code) if SCANNED.fullmatch(code) else None
        if item is not None:
            return RedirectResponse(f"{HERE}/records/{item.record_id}#copies", 303)
        found = catalogue.search(session, wanted)
        number_hidden = catalogue.count_hidden(session)
        names = desk.names(session)
    pages = min(max(1, -(-found.total // HITS_PER_PAGE)), MAX_PAGE)
    hits = Hits(asked, found, pages, search_views.groups(asked, found.facets, desk.words, names))
    return desk.page("search.html", hits=hits, number_hidden=number_hidden)


@router.get(HERE + "/hidden")
def hidden(desk: DeskDep, page: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 1) -> Response:
    """Titles that readers do not find, which a search does not find either."""
    if desk.visit.librarian() is None:
        return desk.visit.to_sign_in()
    with desk.core.database.reading() as session:
        total = catalogue.count_hidden(session)
        pages = min(max(1, -(-total // HITS_PER_PAGE)), MAX_PAGE)
        at = min(page, pages)
        records = catalogue.hidden(session, limit=HITS_PER_PAGE, offset=(at - 1) * HITS_PER_PAGE)
    return desk.page("hidden.html", total=total, records=records, at=at, pages=pages)
