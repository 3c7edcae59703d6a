"""A clock that stands still until it is turned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class ManualClock:
    """Satisfies `carrel.clock.Clock`."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def now(self) -> datetime:
        """The instant it was turned to."""
        return self.at

    def advance(self, seconds: float) -> datetime:
        """Turn it on, or with a negative number back; the new instant."""
        self.at += timedelta(seconds=seconds)
        return self.at
