"""`/api/v1/reports/lending`: each report as JSON and as CSV."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from carrel.contracts.ids import BranchId
from server.deps import DESK, STAFF, Core, CoreDep, Day, Principal, ReadSession, Role, require
from server.lending_reports import service
from server.lending_reports.policy import By, Name, Report
from server.lending_reports.schemas import LendingReportResponse, response_of
from server.lending_reports.service import Asked, Desk
from server.lending_reports.table import to_csv

router = APIRouter(prefix="/api/v1/reports/lending", tags=["reports"])

Looker = Annotated[Principal, require(*STAFF, Role.INTEGRATION)]
Colleague = Annotated[Principal, require(*STAFF)]
BOM = "\ufeff"
"""By which a spreadsheet program knows UTF-8."""
MOST_ROWS = 20_000
CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {}}}}


def asked(
    *,
    first: Annotated[Day | None, Query(alias="from", description="First day, in the library's zone.")] = None,
    last: Annotated[Day | None, Query(alias="to", description="Last day; today if left out.")] = None,
    by: Annotated[By, Query(description="What circulation is grouped by.")] = "day",
    months: Annotated[int, Query(ge=1, le=600, description="Dead stock: not lent for so many months.")] = 24,
    branch: Annotated[BranchId | None, Query(description="Overdue and dead stock: of one branch.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS, description="How many rows of a list.")] = 100,
    offset: Annotated[int, Query(ge=0, le=10_000_000, description="After how many rows of a list.")] = 0,
) -> Asked:
    """What is asked for; each report takes of it what concerns it."""
    return Asked(first, last, by, months, branch=branch, limit=limit, offset=offset)


AskedQuery = Annotated[Asked, Depends(asked)]
ExcelQuery = Annotated[bool, Query(description="Mark the file as UTF-8 for spreadsheet programs.")]


def desk_of(core: Core, session: ReadSession) -> Desk:
    """Here and now."""
    return Desk(session, core.clock.now(), core.settings.common.library.zone)


@router.get("/overdue")
def overdue(core: CoreDep, session: ReadSession, caller: Colleague, asked: AskedQuery) -> LendingReportResponse:
    """Loans that are late, the latest first; with card number and contact for those who work at the desk."""
    report = service.overdue(desk_of(core, session), asked, contacts=caller.has(*DESK))
    return response_of(report, core.settings.common.library.timezone)


@router.get("/overdue.csv", response_class=Response, responses=CSV)
def overdue_csv(
    core: CoreDep, session: ReadSession, caller: Colleague, asked: AskedQuery, *, excel: ExcelQuery = False
) -> Response:
    """The same as a table."""
    return _file(service.overdue(desk_of(core, session), asked, contacts=caller.has(*DESK)), excel=excel)


@router.get("/{name}.csv", response_class=Response, responses=CSV)
def report_csv(
    core: CoreDep, session: ReadSession, _caller: Looker, name: Name, asked: AskedQuery, *, excel: ExcelQuery = False
) -> Response:
    """The same as a table."""
    return _file(service.report(name, desk_of(core, session), asked), excel=excel)


@router.get("/{name}")
def report(
    core: CoreDep, session: ReadSession, _caller: Looker, name: Name, asked: AskedQuery
) -> LendingReportResponse:
    """One of the reports that name no person, over whole days in the library's zone and beside the year before."""
    return response_of(service.report(name, desk_of(core, session), asked), core.settings.common.library.timezone)


def _file(report: Report, *, excel: bool) -> Response:
    days = f"-{report.span.first}-{report.span.last}" if report.span else ""
    return Response(
        (BOM if excel else "") + to_csv(report),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="lending-{report.name}{days}.csv"',
            "Cache-Control": "no-store",
            "X-Total-Count": str(report.total),
        },
    )
