"""The reports' page. Months and rooms are chosen by a form that works without scripts."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.responses import Response

from carrel.web.i18n import in_language
from carrel.web.words import refusal
from server.deps import public
from server.errors import DomainError
from server.pages.reports import words as report_words
from server.pages.shell import Visit, VisitDep
from server.reports.endpoints import ReportsDep
from server.reports.service import Report, Reports
from server.rooms.endpoints import RoomsDep
from server.rooms.service import Rooms

router = APIRouter(include_in_schema=False, dependencies=[public()])


@router.get("/reports")
def reports(
    visit: VisitDep,
    reports: ReportsDep,
    rooms: RoomsDep,
    *,
    month: Annotated[str, Query()] = "",
    room: Annotated[str, Query()] = "",
) -> Response:
    """A month of the rooms, beside the month before."""
    if visit.staff() is None:
        return visit.to_sign_in()
    try:
        report = reports.rooms(month or None, room or None)
    except DomainError as error:
        refused = refusal(visit.words, error.code, error.params)
        return _page(visit, reports, rooms, refused=refused, status=error.status)
    return _page(visit, reports, rooms, report=report, room=room)


def _page(
    visit: Visit,
    reports: Reports,
    rooms: Rooms,
    *,
    report: Report | None = None,
    room: str = "",
    refused: str = "",
    status: int = 200,
) -> Response:
    configs = [plan.config for plan in rooms.plan.rooms.values()]
    newest = reports.newest()
    shown = report.now.month if report else newest

    def address(path: str, month: object) -> str:
        return f"{path}?{urlencode({'month': str(month)} | ({'room': room} if room else {}))}"

    return visit.page(
        "reports/reports.html",
        status=status,
        report=report,
        refused=refused,
        room=room,
        names={config.id: in_language(visit.language, (config.name, config.name_zh)) for config in configs},
        indoors=[config.id for config in configs if not config.outdoor],
        month=str(shown),
        newest=str(newest),
        earlier=address("/reports", shown.previous),
        later=address("/reports", shown.following) if shown < newest else None,
        csv=address("/api/v1/reports/rooms.csv", shown) + "&excel=true",
        rw=report_words,
    )
