"""`/api/v1/rooms` and `/api/v1/overrides`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import repeat
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from fastapi.requests import HTTPConnection
from pydantic import AwareDatetime, BaseModel

from carrel.contracts.ids import DeviceId, RequestId
from carrel.contracts.telemetry import UNITS, Quantity
from server.deps import STAFF, CoreDep, Principal, public, require
from server.rooms.control import RoomControl
from server.rooms.history import MOST_BUCKETS, Course, Metric, unit_of
from server.rooms.policy import RoomValue
from server.rooms.schemas import (
    ActuatorResponse,
    DeviceHistoryResponse,
    HistoryResponse,
    LastValueResponse,
    OverrideRequest,
    OverrideResponse,
    RoomResponse,
    RoomsResponse,
    ValueResponse,
)
from server.rooms.service import Rooms, RoomView
from server.telemetry.windows import to_ms

router = APIRouter(prefix="/api/v1", tags=["rooms"])

Anyone = Annotated[Principal | None, public()]
Staff = Annotated[Principal, require(*STAFF)]

A_DAY = timedelta(days=1)
DECIMALS = 3

FromQuery = Annotated[AwareDatetime | None, Query(alias="from", description="Default: 24 h before `to`.")]
ToQuery = Annotated[AwareDatetime | None, Query(alias="to", description="Default: now.")]
BucketsQuery = Annotated[
    int,
    Query(ge=1, le=MOST_BUCKETS, description="At most this many, and one more where `from` lies within a bucket."),
]


async def rooms_of(connection: HTTPConnection) -> Rooms:
    """The rooms of this process; put there by `server.live.part`."""
    rooms = connection.app.state.rooms
    assert isinstance(rooms, Rooms)
    return rooms


async def control_of(connection: HTTPConnection) -> RoomControl:
    """Manual control; put there by `server.live.part`."""
    control = connection.app.state.room_control
    assert isinstance(control, RoomControl)
    return control


RoomsDep = Annotated[Rooms, Depends(rooms_of)]
ControlDep = Annotated[RoomControl, Depends(control_of)]


@router.get("/rooms")
def rooms(rooms: RoomsDep, core: CoreDep, _caller: Anyone) -> RoomsResponse:
    """Every room with its present values, devices and actuators."""
    now = core.clock.now()
    return RoomsResponse(rooms=[_room(view, now, simulated=rooms.plan.simulated) for view in rooms.all()])


@router.get("/rooms/{room}/history", response_model=HistoryResponse)
def history(
    room: str,
    *,
    rooms: RoomsDep,
    core: CoreDep,
    _caller: Anyone,
    metric: Metric,
    start: FromQuery = None,
    end: ToQuery = None,
    buckets: BucketsQuery = 288,
) -> Response:
    """What was measured, as columns: least, mean and greatest value of each bucket."""
    until = end or core.clock.now()
    course = rooms.past.room(room, metric, start=start or _day_before(until), end=until, buckets=buckets)
    return _json(HistoryResponse(metric=metric, unit=unit_of(metric), **_columns(course)))


@router.get("/devices/{device}/history", response_model=DeviceHistoryResponse)
def device_history(
    device: DeviceId,
    *,
    rooms: RoomsDep,
    core: CoreDep,
    _caller: Anyone,
    quantity: Quantity,
    start: FromQuery = None,
    end: ToQuery = None,
    buckets: BucketsQuery = 288,
) -> Response:
    """What one device reported, such as what an actuator did: on, level, position, setpoint."""
    until = end or core.clock.now()
    course = rooms.past.device(device, quantity, start=start or _day_before(until), end=until, buckets=buckets)
    last = course.before
    before = LastValueResponse(t=to_ms(last.at), value=round(last.value, DECIMALS)) if last else None
    return _json(
        DeviceHistoryResponse(device=device, quantity=quantity, unit=UNITS[quantity], before=before, **_columns(course))
    )


@router.post(
    "/rooms/{room}/overrides",
    status_code=201,
    responses={202: {"model": OverrideResponse, "description": "On its way; no answer yet."}},
)
def take_control(
    room: str, body: OverrideRequest, response: Response, *, control: ControlDep, principal: Staff
) -> OverrideResponse:
    """Set an actuator by hand for a time; afterwards the rules decide again."""
    held = control.take(room, body.actuator, value=body.value, duration_s=body.duration_s, by=principal)
    sent = held.state == "sent"
    response.status_code = 202 if sent else 201
    return OverrideResponse(
        id=held.id, actuator=held.actuator, value=held.value, until=held.until, status="sent" if sent else "done"
    )


@router.delete("/overrides/{override}", status_code=204, responses={202: {"description": "On its way; no answer yet."}})
def give_back(override: RequestId, control: ControlDep, principal: Staff) -> Response:
    """Give an actuator back to the rules before the time."""
    return Response(status_code=204 if control.give_back(override, by=principal) else 202)


def _columns(course: Course) -> dict[str, Any]:
    starts, lows, means, highs, counts = zip(*course.buckets, strict=True) if course.buckets else ((),) * 5
    return {
        "bucket_s": course.window.bucket_s,
        "t": starts,
        "min": _rounded(lows),
        "mean": _rounded(means),
        "max": _rounded(highs),
        "n": counts,
    }


def _rounded(values: Iterable[float]) -> list[float]:
    return list(map(round, values, repeat(DECIMALS)))


def _json(answer: BaseModel) -> Response:
    """Written straight from the model, which is checked already: a chart has thousands of numbers."""
    return Response(answer.model_dump_json(), media_type="application/json")


def _day_before(end: datetime) -> datetime:
    """A day earlier, or the beginning of time."""
    earliest = datetime.min.replace(tzinfo=end.tzinfo)
    return end - A_DAY if end - earliest > A_DAY else earliest


def _room(view: RoomView, now: datetime, *, simulated: bool) -> RoomResponse:
    config = view.config
    return RoomResponse(
        id=config.id,
        name=config.name,
        name_zh=config.name_zh,
        outdoor=config.outdoor,
        bands=dict(view.bands),
        values={quantity: _value(quantity, value, now) for quantity, value in view.values.items()},
        devices=list(view.devices),
        actuators=[ActuatorResponse(**dict(state), simulated=simulated) for state in view.actuators],
        simulated=simulated,
    )


def _value(quantity: Quantity, value: RoomValue, now: datetime) -> ValueResponse:
    return ValueResponse(
        value=None if value.value is None else round(value.value, DECIMALS),
        unit=UNITS[quantity],
        at=value.at,
        age_s=None if value.at is None else max(0.0, round((now - value.at).total_seconds(), 3)),
    )
