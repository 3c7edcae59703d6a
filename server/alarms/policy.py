"""Which alarms are shown, and in which order; pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from carrel.contracts.alarms import AlarmState, Severity

URGENCY = {severity: rank for rank, severity in enumerate(Severity)}


def overlaid(recorded: Sequence[AlarmState], held: Mapping[str, AlarmState]) -> list[AlarmState]:
    """What is held is newer than what is recorded of the same alarm."""
    return [*(alarm for alarm in recorded if alarm.id not in held), *held.values()]


def most_urgent_first(alarms: Iterable[AlarmState]) -> list[AlarmState]:
    """Those that are not over; equally urgent ones newest first."""
    return sorted(
        (alarm for alarm in alarms if alarm.state != "reset"),
        key=lambda alarm: (-URGENCY[alarm.severity], -alarm.raised_at.timestamp(), alarm.id),
    )


def newest_first(alarms: Iterable[AlarmState]) -> list[AlarmState]:
    """All of them."""
    return sorted(alarms, key=lambda alarm: (alarm.raised_at, alarm.id), reverse=True)


def digest(facts: object) -> str:
    """Differs when the facts do."""
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:12]
