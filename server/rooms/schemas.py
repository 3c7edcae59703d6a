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
    """Columns of equal length, oldest first; `t` is each bucket's beginning in ms since 1970 UTC, `n` its values.

    Buckets in which nothing was measured are left out; the last one holds what came before `to`. Under 5 minutes
    buckets begin at `from`, else at the 5 minutes or hour before. dew_point and abs_humidity are computed from the
    bucket's mean temperature and mean humidity: `min` and `max` repeat the one value.
    """

    metric: str
    unit: str
    bucket_s: int
    t: list[int]
    min: list[float]
    mean: list[float]
    max: list[float]
    n: list[int]


class LastValueResponse(BaseModel):
    """A value and when it was reported, in ms since 1970 UTC."""

    t: int
    value: float


class DeviceHistoryResponse(BaseModel):
    """As HistoryResponse, of one device: on is 0/1, level per cent of full output, position per cent closed.

    A bucket's mean is that of the reports in it, which need not be spaced evenly. `before` is the last report ahead of
    the first bucket: what the device was doing when the window begins; null when there was none.
    """

    device: str
    quantity: Quantity
    unit: str
    bucket_s: int
    before: LastValueResponse | None
    t: list[int]
    min: list[float]
    mean: list[float]
    max: list[float]
    n: list[int]


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
