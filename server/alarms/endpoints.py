"""`/api/v1/alarms`."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from fastapi.requests import HTTPConnection

from carrel.contracts.alarms import AlarmState
from server.alarms.book import AlarmBook
from server.alarms.control import Action, AlarmControl
from server.alarms.schemas import AlarmsResponse
from server.deps import STAFF, Principal, ReadSession, public, require

router = APIRouter(prefix="/api/v1/alarms", tags=["alarms"])

Anyone = Annotated[Principal | None, public()]
Staff = Annotated[Principal, require(*STAFF)]


def control_of(connection: HTTPConnection) -> AlarmControl:
    """The way to the panels; put there by `server.live.part`."""
    control = connection.app.state.alarm_control
    assert isinstance(control, AlarmControl)
    return control


def book_of(connection: HTTPConnection) -> AlarmBook:
    """What is known of alarms; put there by `server.live.part`."""
    book = connection.app.state.alarm_book
    assert isinstance(book, AlarmBook)
    return book


BookDep = Annotated[AlarmBook, Depends(book_of)]
ControlDep = Annotated[AlarmControl, Depends(control_of)]


@router.get("")
def alarms(
    session: ReadSession,
    book: BookDep,
    _caller: Anyone,
    *,
    state: Literal["open", "all"] = "open",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> AlarmsResponse:
    """Alarms that are not over, or the newest of all."""
    told = book.open_alarms(session) if state == "open" else book.newest(session, limit)
    alarms = told.alarms[:limit]
    return AlarmsResponse(alarms=alarms, unrecorded=[alarm.id for alarm in alarms if alarm.id in told.unrecorded])


@router.post("/{alarm}/{action}", responses={202: {"model": AlarmState, "description": "On its way; no answer yet."}})
def perform(alarm: str, action: Action, response: Response, *, control: ControlDep, principal: Staff) -> AlarmState:
    """Acknowledge, silence or reset; the panel decides. Answers with the alarm as it is now."""
    outcome = control.perform(alarm, action, by=principal)
    if not outcome.done:
        response.status_code = 202
    return outcome.alarm
