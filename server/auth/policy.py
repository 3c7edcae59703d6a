"""When a name or card is locked after wrong passwords or PINs. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

WRONG_LIMIT = 5
WINDOW = timedelta(minutes=15)
LOCK = timedelta(minutes=15)
MEMORY = WINDOW + LOCK
"""Older wrong answers decide nothing and may be forgotten."""


def locked_until(wrong: Sequence[datetime], now: datetime) -> datetime | None:
    """The end of the lock that the wrong answers (oldest first) have earned; None when there is none."""
    if len(wrong) < WRONG_LIMIT:
        return None
    last = wrong[-1]
    if last - wrong[-WRONG_LIMIT] > WINDOW or last + LOCK <= now:
        return None
    return last + LOCK
