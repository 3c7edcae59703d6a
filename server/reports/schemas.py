"""Bodies of the reports' endpoints."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, Field

from server.reports.service import Basis


class FigureResponse(BaseModel):
    """A figure; `value` is null when nothing is known, `coverage` the share (0..1) of the time that it rests on."""

    value: float | None
    unit: str
    coverage: float


class PeriodResponse(BaseModel):
    """The whole hours of a month that are over; `complete` when the month is."""

    month: str
    start: AwareDatetime = Field(serialization_alias="from")
    end: AwareDatetime = Field(serialization_alias="to")
    hours: int
    complete: bool


class ActuatorReportResponse(BaseModel):
    """`running` is in hours at full output; `switches_per_day` counts at least so many.

    `energy_basis` of the month, `previous_energy_basis` of the one before: `metered` by the device itself, `estimated`
    from `power_w`, the power at full output that config.toml tells, or empty when energy is unknown.
    """

    actuator: str
    type: str
    power_w: float | None
    energy_basis: Basis
    previous_energy_basis: Basis
    figures: dict[str, FigureResponse]
    previous: dict[str, FigureResponse]


class RoomReportResponse(BaseModel):
    """A room's month and the one before; `bands` are the target bands [low, high] that the shares are of.

    Figures ending in `_open` count opening hours only, the others all hours. `energy_basis` is `both` where some of the
    room's actuators are metered and others estimated.
    """

    id: str
    name: str
    name_zh: str
    bands: dict[str, tuple[float, float] | None]
    energy_basis: Basis
    previous_energy_basis: Basis
    figures: dict[str, FigureResponse]
    previous: dict[str, FigureResponse]
    actuators: list[ActuatorReportResponse]


class ReportResponse(BaseModel):
    """All rooms asked for; `opening_hours_known` is false when config.toml tells none."""

    period: PeriodResponse
    previous: PeriodResponse
    timezone: str
    opening_hours_known: bool
    rooms: list[RoomReportResponse]
