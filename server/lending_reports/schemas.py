"""Reports on the wire."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import BaseModel

from server.lending_reports.policy import By, Kind, Report


class PeriodResponse(BaseModel):
    """Days in the library's zone, both among them."""

    first: date
    last: date


class LendingReportResponse(BaseModel):
    """A report: `columns` tells in which order and of which kind the fields of each row are.

    `total` counts all rows, of which `rows` may be a part. `group_least` is how many people a group needs to be told
    of. Money is text with 2 places in `currency`.
    """

    name: str
    period: PeriodResponse | None
    last_year: PeriodResponse | None
    by: By | None
    timezone: str
    currency: str | None
    group_least: int
    columns: dict[str, Kind]
    total: int
    rows: list[dict[str, str | int | Decimal | date | None]]


def response_of(report: Report, zone: str) -> LendingReportResponse:
    """As it is sent."""
    names = [column.name for column in report.columns]
    span = report.span
    before = span.year_before if span else None
    return LendingReportResponse(
        name=report.name,
        period=PeriodResponse(first=span.first, last=span.last) if span else None,
        last_year=PeriodResponse(first=before.first, last=before.last) if before else None,
        by=report.by,
        timezone=zone,
        currency=report.currency,
        group_least=report.group_least,
        columns={column.name: column.kind for column in report.columns},
        total=report.total,
        rows=[dict(zip(names, row, strict=True)) for row in report.rows],
    )
