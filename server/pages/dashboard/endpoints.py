"""The librarians' pages. Everybody may look; staff may act."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from starlette.responses import Response

from carrel.contracts.ids import Slug
from carrel.web.words import refusal
from server.deps import CoreDep, ReadSession, public
from server.pages.dashboard import words as building_words
from server.pages.dashboard.today import Today, today
from server.pages.dashboard.views import AlarmAction, Building, Choice, Refusal
from server.pages.shell import Visit, VisitDep

router = APIRouter(include_in_schema=False, dependencies=[public()])

ALARM_LOG_LENGTH = 100
CHOICE = Choice()


def building_of(request: Request) -> Building:
    """The building as the composition root provides it in `app.state.building`."""
    building: Building = request.app.state.building
    return building


BuildingDep = Annotated[Building, Depends(building_of)]


@router.get("/")
def overview(visit: VisitDep, building: BuildingDep, session: ReadSession, core: CoreDep) -> Response:
    """Rooms, alarms, gateways: live. Staff see besides how the day goes."""
    here = core.settings.common.library
    return _overview(visit, building, day=today(session, core.clock.now(), here.zone) if visit.is_staff else None)


@router.get("/alarms")
def alarms(visit: VisitDep, building: BuildingDep) -> Response:
    """Alarms that are not over, and the newest of the past."""
    return _with_log(visit, building, "dashboard/alarms.html")


@router.get("/fragments/alarms")
def alarms_fragment(visit: VisitDep, building: BuildingDep) -> Response:
    """The alarm strip."""
    return _page(visit, "dashboard/_alarms.html", alarms=building.alarms(visit.language))


@router.get("/fragments/alarms/bar")
def alarm_bar_fragment(visit: VisitDep, building: BuildingDep) -> Response:
    """What staff must know on whatever page they are."""
    return _page(visit, "dashboard/_alarm_bar.html", alarms=building.alarms(visit.language))


@router.get("/fragments/alarms/log")
def alarm_log_fragment(visit: VisitDep, building: BuildingDep) -> Response:
    """The newest alarms, over or not."""
    return _with_log(visit, building, "dashboard/_alarm_log.html")


@router.get("/fragments/floors")
def floors_fragment(visit: VisitDep, building: BuildingDep) -> Response:
    """The plans of the floors."""
    shown = building.overview(visit.language)
    return _page(visit, "dashboard/_floors.html", floors=shown.floors, off_plan=shown.off_plan, alarms=shown.alarms)


@router.get("/fragments/health")
def health_fragment(visit: VisitDep, building: BuildingDep) -> Response:
    """Gateways and links."""
    return _page(visit, "dashboard/_health.html", health=building.health())


@router.get("/fragments/rooms/{room}/actuators")
def actuators_fragment(room: str, visit: VisitDep, building: BuildingDep) -> Response:
    """What the actuators of a room do, and why."""
    return actuators(visit, building, room)


@router.post("/alarms/{alarm}/{action}")
def answer_alarm(alarm: str, action: AlarmAction, visit: VisitDep, building: BuildingDep) -> Response:
    """Acknowledge, silence or reset an alarm."""
    if (caller := visit.staff()) is None:
        return visit.to_sign_in()
    refused = building.answer_alarm(alarm, action, by=caller)
    if not visit.by_htmx:
        return plain(visit, building, refused)
    strip = building.alarms(visit.language)
    return _page(visit, "dashboard/_alarms.html", alarms=strip, refused=_worded(visit, refused))


@router.post("/gateways/{gateway}/retire")
def retire_gateway(gateway: Slug, visit: VisitDep, building: BuildingDep) -> Response:
    """Forget a gateway that will not come back."""
    if (caller := visit.administrator()) is None:
        return visit.to_sign_in()
    refused = _worded(visit, building.retire_gateway(gateway, by=caller))
    if visit.by_htmx:
        return _page(visit, "dashboard/_health.html", health=building.health(), not_retired=refused)
    return _overview(visit, building, not_retired=refused) if refused else visit.back("/")


def actuators(visit: Visit, building: Building, room: str, refused: Refusal | None = None) -> Response:
    """A tile's actuators, with what was refused to the visitor; raises 404."""
    tile = building.room(room, visit.language)
    if tile is None:
        raise HTTPException(404)
    return _page(visit, "dashboard/_actuators.html", room=tile, refused=_worded(visit, refused))


def plain(visit: Visit, building: Building, refused: Refusal | None) -> Response:
    """The answer to a form that was sent without scripts."""
    return _overview(visit, building, refused) if refused else visit.back("/")


def _with_log(visit: Visit, building: Building, template: str) -> Response:
    log = building.alarm_log(visit.language, ALARM_LOG_LENGTH)
    return _page(visit, template, alarms=building.alarms(visit.language), log=log)


def _page(visit: Visit, template: str, *, status: int = 200, **context: Any) -> Response:
    context = {"refused": "", "not_retired": ""} | context
    return visit.page(template, status=status, bw=building_words, choice=CHOICE, refusal=refusal, **context)


def _overview(
    visit: Visit, building: Building, refused: Refusal | None = None, *, not_retired: str = "", day: Today | None = None
) -> Response:
    shown = building.overview(visit.language)
    return _page(
        visit,
        "dashboard/overview.html",
        status=409 if refused or not_retired else 200,
        rooms=shown.rooms,
        floors=shown.floors,
        off_plan=shown.off_plan,
        day=day,
        alarms=shown.alarms,
        health=shown.health,
        refused=_worded(visit, refused),
        not_retired=not_retired,
    )


def _worded(visit: Visit, refused: Refusal | None) -> str:
    return refusal(visit.words, refused.code, refused.params) if refused else ""
