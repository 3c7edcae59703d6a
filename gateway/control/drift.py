"""Finds actuators that are not where the order in force wants them: a hand on the device, a power cut. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

AFTER = timedelta(seconds=60)
"""A curtain needs so long to arrive."""
LONGEST = timedelta(minutes=15)
TOLERANCE = 5.0
"""Per cent: a position settles beside the wish. A switch is off by 0 or 100."""


@dataclass(frozen=True, slots=True)
class _Seen:
    wanted: float
    due: datetime
    wait: timedelta


class Drift:
    """One entry for each actuator that is elsewhere than wanted."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def due(self, actuator: str, *, off_by: float | None, wanted: float, now: datetime) -> bool:
        """Whether its order should be sent again now; ever more rarely while that does not help.

        `off_by`: how far what it reports lies from `wanted`; None when it never reported.
        """
        if off_by is None or off_by <= TOLERANCE:
            self._seen.pop(actuator, None)
            return False
        seen = self._seen.get(actuator)
        if seen is None or seen.wanted != wanted or seen.due - now > seen.wait:
            self._seen[actuator] = _Seen(wanted, now + AFTER, AFTER)
            return False
        if now < seen.due:
            return False
        wait = min(seen.wait * 2, LONGEST)
        self._seen[actuator] = _Seen(wanted, now + wait, wait)
        return True
