"""Counts what was dropped and says so at most once a minute, so that a broken sender cannot fill the log."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from carrel.clock import Clock

EVERY = timedelta(minutes=1)


class Complaints:
    """One kind of trouble."""

    def __init__(self, log: logging.Logger, what: str, clock: Clock) -> None:
        self._log = log
        self._what = what
        self._clock = clock
        self._since = 0
        self._told_at: datetime | None = None
        self.count = 0

    def add(self, where: str, reason: str) -> None:
        """One more; the first is told at once, those of the next minute together with the first after it."""
        self.count += 1
        self._since += 1
        now = self._clock.now()
        if self._told_at is not None and now - self._told_at < EVERY:
            return
        self._log.warning("%s (%d more): %s: %.300s", self._what, self._since - 1, where[:120], reason)
        self._told_at, self._since = now, 0
