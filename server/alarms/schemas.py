"""Bodies of the alarms' endpoints."""

from __future__ import annotations

from pydantic import BaseModel

from carrel.contracts.alarms import AlarmState


class AlarmsResponse(BaseModel):
    """Open alarms come most urgent first, all alarms newest first."""

    alarms: list[AlarmState]
