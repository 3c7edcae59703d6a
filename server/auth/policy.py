"""When a name or card is locked after wrong passwords or PINs, and which passwords will do. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

WRONG_LIMIT = 5
WINDOW = timedelta(minutes=15)
LOCK = timedelta(minutes=15)
MEMORY = WINDOW + LOCK
"""Older wrong answers decide nothing and may be forgotten."""

PASSWORD_LENGTH = 8
"""NIST SP 800-63B asks for eight characters at least and for no rules about their kinds."""


def locked_until(wrong: Sequence[datetime], now: datetime) -> datetime | None:
    """The end of the lock that the wrong answers (oldest first) have earned; None when there is none."""
    if len(wrong) < WRONG_LIMIT:
        return None
    last = wrong[-1]
    if last - wrong[-WRONG_LIMIT] > WINDOW or last + LOCK <= now:
        return None
    return last + LOCK


def password_fault(password: str, user: str) -> str | None:
    """Why somebody may not choose this password, as a code; None when it will do."""
    if len(password) < PASSWORD_LENGTH:
        return "password_too_short"
    plain = password.casefold()
    if len(set(plain)) < 3 or plain == user.casefold() * (len(plain) // max(len(user), 1)):
        return "password_too_simple"
    return None
