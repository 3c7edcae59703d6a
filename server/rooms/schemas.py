"""Bodies of the rooms' endpoints."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, Field

from carrel.contracts.actuation import ActuatorState
from carrel.contracts.ids import ActuatorId
from carrel.contracts.telemetry import DeviceInfo, Quantity


class ValueResponse(BaseModel):
    """A room's value; `value` is null when no sensor has reported lately, `at` when none ever did."""

    value: float | None
    unit: str
    at: AwareDatetime | None
    age_s: float | None


class ActuatorResponse(ActuatorState):
    """What an actuator does and why."""

    simulated: bool


class RoomResponse(BaseModel):
    """A room now; `bands` are the target bands [low, high]."""

    id: str
    name: str
    name_zh: str
    outdoor: bool
    bands: dict[Quantity, tuple[float, float]]
    values: dict[Quantity, ValueResponse]
    devices: list[DeviceInfo]
    actuators: list[ActuatorResponse]
    simulated: bool


class RoomsResponse(BaseModel):
    """All rooms in the order of config.toml."""

    rooms: list[RoomResponse]


class HistoryResponse(BaseModel):
    """Columns of equal length, oldest first; `t` is each bucket's beginning in ms since 1970 UTC.

    Buckets in which nothing was measured are left out.
    """

    metric: Quantity
    unit: str
    bucket_s: int
    t: list[int]
    min: list[float]
    mean: list[float]
    max: list[float]


class OverrideRequest(BaseModel):
    """A wish that ends by itself: 0/1 for a switch, per cent for a level (a curtain: per cent closed)."""

    actuator: ActuatorId
    value: float = Field(ge=0, le=100, allow_inf_nan=False)
    duration_s: int = Field(default=7200, gt=0, le=43_200)


class OverrideResponse(BaseModel):
    """`done`: the gateway has taken it; `sent`: it has not answered yet."""

    id: str
    actuator: str
    value: float
    until: AwareDatetime
    status: str
