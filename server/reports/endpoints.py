"""`/api/v1/reports/rooms`, as JSON and as CSV."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from fastapi.requests import HTTPConnection

from environment.preservation.zone import Figure
from server.deps import STAFF, CoreDep, Principal, Role, require
from server.reports.policy import ACTUATOR_UNITS, ROOM_UNITS, Period
from server.reports.schemas import (
    ActuatorReportResponse,
    FigureResponse,
    PeriodResponse,
    ReportResponse,
    RoomReportResponse,
)
from server.reports.service import ActuatorReport, Reports, RoomReport
from server.reports.table import to_csv

router = APIRouter(prefix="/api/v1/reports", tags=["reports"])

Looker = Annotated[Principal, require(*STAFF, Role.INTEGRATION)]
MonthQuery = Annotated[str | None, Query(description="Such as 2026-11; the present month if left out.")]
RoomQuery = Annotated[str | None, Query(description="One room; all indoor rooms if left out.")]
DIGITS = 6
BOM = "\ufeff"
"""By which a spreadsheet program knows UTF-8."""


def reports_of(connection: HTTPConnection) -> Reports:
    """The reports of this process; put there by `server.live.part`."""
    reports = connection.app.state.reports
    assert isinstance(reports, Reports)
    return reports


ReportsDep = Annotated[Reports, Depends(reports_of)]


@router.get("/rooms")
def rooms(
    reports: ReportsDep, core: CoreDep, _caller: Looker, *, month: MonthQuery = None, room: RoomQuery = None
) -> ReportResponse:
    """Comfort, energy and preservation of rooms in a month, beside the month before."""
    report = reports.rooms(month, room)
    return ReportResponse(
        period=_period(report.now),
        previous=_period(report.before),
        timezone=core.settings.common.library.timezone,
        opening_hours_known=report.opening,
        rooms=[_room(one) for one in report.rooms],
    )


@router.get("/rooms.csv", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
def rooms_csv(
    reports: ReportsDep, _caller: Looker, *, month: MonthQuery = None, room: RoomQuery = None, excel: bool = False
) -> Response:
    """The same as a table: one figure a row. `excel` marks it as UTF-8 for spreadsheet programs."""
    report = reports.rooms(month, room)
    name = f"rooms-{report.now.month}.csv"
    return Response(
        (BOM if excel else "") + to_csv(report),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def _period(period: Period) -> PeriodResponse:
    return PeriodResponse(
        month=str(period.month), start=period.start, end=period.end, hours=period.hours, complete=period.complete
    )


def _room(room: RoomReport) -> RoomReportResponse:
    config = room.config
    return RoomReportResponse(
        id=config.id,
        name=config.name,
        name_zh=config.name_zh,
        bands={"temp": config.temp, "rh": config.rh},
        energy_basis=room.basis,
        previous_energy_basis=room.basis_before,
        figures=_figures(room.now, ROOM_UNITS),
        previous=_figures(room.before, ROOM_UNITS),
        actuators=[_actuator(actuator) for actuator in room.actuators],
    )


def _actuator(actuator: ActuatorReport) -> ActuatorReportResponse:
    config = actuator.config
    return ActuatorReportResponse(
        actuator=config.id,
        type=config.type,
        power_w=config.power_w,
        energy_basis=actuator.basis,
        previous_energy_basis=actuator.basis_before,
        figures=_figures(actuator.now, ACTUATOR_UNITS),
        previous=_figures(actuator.before, ACTUATOR_UNITS),
    )


def _figures(figures: Mapping[str, Figure], units: Mapping[str, str]) -> dict[str, FigureResponse]:
    return {name: _figure(figures[name], unit) for name, unit in units.items()}


def _figure(figure: Figure, unit: str) -> FigureResponse:
    value = None if figure.value is None else round(figure.value, DIGITS)
    return FigureResponse(value=value, unit=unit, coverage=round(figure.coverage, DIGITS))
