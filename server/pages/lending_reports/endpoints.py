"""The circulation reports' page. What is shown is chosen by links and a form that work without scripts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from carrel.contracts.ids import BranchId
from carrel.web.i18n import Words
from carrel.web.words import refusal
from server.deps import DESK, CoreDep, Day, ReadSession, public
from server.errors import DomainError
from server.lending import service as lending_service
from server.lending.names import Names
from server.lending_reports import service
from server.lending_reports.endpoints import MOST_ROWS, desk_of
from server.lending_reports.policy import By, Name, Report
from server.lending_reports.service import Asked, Desk
from server.pages.lending_reports import views
from server.pages.lending_reports import words as report_words
from server.pages.shell import Visit, VisitDep
from server.patrons import desk as patrons

router = APIRouter(include_in_schema=False, dependencies=[public()])


class Choice(BaseModel):
    """What a visitor chose; an empty field is as none."""

    model_config = ConfigDict(populate_by_name=True)

    report: Name | Literal["overdue"] = "circulation"
    first: Annotated[Day | None, Field(alias="from")] = None
    last: Annotated[Day | None, Field(alias="to")] = None
    by: By = "day"
    months: Annotated[int, Field(ge=1, le=600)] = 24
    branch: BranchId | None = None

    def asked(self) -> Asked:
        """As the service is asked."""
        return Asked(self.first, self.last, self.by, self.months, branch=self.branch)


@router.get("/reports/lending")
def lending(visit: VisitDep, core: CoreDep, session: ReadSession, request: Request) -> Response:
    """One circulation report."""
    if visit.staff() is None:
        return visit.to_sign_in()
    desk = desk_of(core, session)
    own = core.settings.common.library.branch
    given = {name: value for name, value in request.query_params.items() if value}
    try:
        choice = Choice.model_validate(given)
        report = _made(desk, choice, visit)
    except ValidationError:
        name = given.get("report", "")
        choice = Choice.model_validate({"report": name} if name in report_words.REPORTS else {})
        refused = refusal(visit.words, "report_period")
        return _page(visit, desk, choice, own=own, refused=refused)
    except DomainError as error:
        return _page(visit, desk, choice, own=own, refused=refusal(visit.words, error.code, error.params))
    return _page(visit, desk, choice, own=own, report=report)


def _made(desk: Desk, choice: Choice, visit: Visit) -> Report:
    if choice.report == "overdue":
        return service.overdue(desk, choice.asked(), contacts=visit.caller is not None and visit.caller.has(*DESK))
    return service.report(choice.report, desk, choice.asked())


def _page(
    visit: Visit, desk: Desk, choice: Choice, *, own: str, report: Report | None = None, refused: str = ""
) -> Response:
    house = lending_service.current(desk.session)
    classes = patrons.class_names(desk.session, visit.language) if choice.by == "class" else {}
    names = Names(house.policy, visit.language, classes)
    return visit.page(
        "lending_reports/report.html",
        status=422 if refused else 200,
        choice=choice,
        report=report,
        refused=refused,
        sheet=_sheet(visit.words, report, names) if report else None,
        tabs={
            name: _address("/reports/lending", _said(choice, report) | {"report": name})
            for name in report_words.REPORTS
        },
        csv=_address(
            f"/api/v1/reports/lending/{choice.report}.csv",
            _said(choice, report) | {"limit": MOST_ROWS, "excel": "true"},
        ),
        most_rows=MOST_ROWS,
        branches={code: names.branch(code) for code in house.branches(own)},
        rw=report_words,
    )


def _sheet(words: Words, report: Report, names: Names) -> Mapping[str, object]:
    span = report.span
    return {
        "heads": views.heads(words, report),
        "rows": views.rows(words, report, names),
        "plot": views.plot(words, report),
        "empty": views.is_empty(report),
        "days": [views.moment_of(words, day) for day in (span.first, span.last)] if span else None,
    }


def _said(choice: Choice, report: Report | None) -> dict[str, object]:
    """The choice as an address tells it; days that were left out are those of the report."""
    span = report.span if report else None
    days: dict[str, date | None] = {
        "from": span.first if span else choice.first, "to": span.last if span else choice.last
    }  # fmt: skip
    more = {"by": choice.by, "months": choice.months, "branch": choice.branch}
    return {name: value for name, value in {**days, **more}.items() if value is not None}


def _address(path: str, query: Mapping[str, object]) -> str:
    return f"{path}?{urlencode(query)}"
