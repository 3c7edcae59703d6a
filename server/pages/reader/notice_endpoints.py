"""What the library has written to the reader."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from carrel.web.i18n import N_
from server.deps import ReadSession, public
from server.notices import service as notices
from server.pages.reader import views
from server.pages.shell import VisitDep

router = APIRouter(include_in_schema=False, dependencies=[public()])

KINDS = {
    "due_soon": N_("Due soon"),
    "overdue": N_("Overdue"),
    "hold_ready": N_("Ready to fetch"),
    "hold_expiring": N_("To be fetched soon"),
    "fee": N_("Open fees"),
}
STATES = {
    "waiting": ("info", N_("Will be sent soon")),
    "sending": ("info", N_("Will be sent soon")),
    "sent": ("ok", N_("Sent")),
    "failed": ("warn", N_("Could not be sent")),
}


@router.get("/my/notices")
def my_notices(visit: VisitDep, session: ReadSession) -> Response:
    """The newest first; texts as long as they are kept."""
    reader = views.reader_of(visit)
    if isinstance(reader, Response):
        return reader
    found = notices.of_patron(session, reader.patron_id)
    return visit.page("reader/notices.html", notices=found, kinds=KINDS, states=STATES)
