"""Alarms as the panel has them."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime

from carrel.contracts.base import Contract
from carrel.contracts.ids import AlarmId, Count, Person, Slug


class Severity(StrEnum):
    """From least to most urgent."""

    INFO = "info"
    WARN = "warn"
    ALARM = "alarm"
    CRITICAL = "critical"


class AlarmCause(Contract):
    """A detector that takes part in an alarm."""

    zone: Slug
    kind: Literal["smoke", "flame", "call_point"]
    active: bool


class AlarmState(Contract):
    """The present state of one alarm; a higher `version` replaces a lower one.

    `verify` and `alarm` are stages of a fire alarm, `fault` and `tamper` a detector's trouble; `reset` ends either.
    """

    id: AlarmId
    version: Count
    kind: Literal["fire", "fault"]
    severity: Severity
    place: Slug
    state: Literal["verify", "alarm", "fault", "tamper", "reset"]
    raised_at: AwareDatetime
    causes: tuple[AlarmCause, ...]
    silenced: bool = False
    acknowledged_at: AwareDatetime | None = None
    acknowledged_by: Person | None = None
    reset_at: AwareDatetime | None = None
    reset_by: Person | None = None


class EdgeEvent(Contract):
    """A fact the server must get: kept by the gateway until the server has stored it."""

    session: Count
    seq: Count
    ts: AwareDatetime
    alarm: AlarmState
