"""Bodies of the alarms' endpoints."""

from __future__ import annotations

from pydantic import BaseModel

from carrel.contracts.alarms import AlarmState


class AlarmsResponse(BaseModel):
    """Open alarms come most urgent first, all alarms newest first.

    `unrecorded` names those of which the database has not taken the present state: they are shown as the gateways told
    them, and cannot be answered before they are recorded.
    """

    alarms: list[AlarmState]
    unrecorded: list[str]
