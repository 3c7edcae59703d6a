"""The patron who stands at a terminal: which PIN was right, and the language they are spoken to in."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

REMEMBERED = timedelta(minutes=10)
"""How long a right PIN counts when a terminal forgets to end the session."""

_KEY = secrets.token_bytes(32)
"""Of this process: nothing about a PIN outlives it."""


class Visit:
    """Of one connection; begins anew with another patron and at the session's end."""

    def __init__(self, language: str) -> None:
        self._own_language = language
        self.language = language
        self._card: str | None = None
        self._right: bytes | None = None
        self._wrong: bytes | None = None
        self._at: datetime | None = None

    def end(self) -> None:
        """The patron goes: their PIN and language are forgotten."""
        self.language = self._own_language
        self._card = self._right = self._wrong = self._at = None

    def told(self, card: str, pin: str, *, right: bool, now: datetime) -> None:
        """Remember how a PIN was judged."""
        if card != self._card:
            self._card, self._right = card, None
        self._wrong = None
        if right:
            self._right, self._at = _digest(card, pin), now
        else:
            self._wrong = _digest(card, pin)

    def knows(self, card: str, pin: str, now: datetime) -> bool | None:
        """Whether this PIN was right or wrong a moment ago; an empty one stands for the right one. None: ask."""
        if card != self._card:
            return None
        fresh = self._right is not None and self._at is not None and now - self._at < REMEMBERED
        if fresh and (not pin or _same(self._right, card, pin)):
            return True
        return False if pin and _same(self._wrong, card, pin) else None


def _same(known: bytes | None, card: str, pin: str) -> bool:
    return known is not None and hmac.compare_digest(known, _digest(card, pin))


def _digest(card: str, pin: str) -> bytes:
    return hmac.digest(_KEY, f"{card}\n{pin}".encode(), hashlib.sha256)
