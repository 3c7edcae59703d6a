"""The states of a feedback case."""

from __future__ import annotations

from typing import Literal

State = Literal["open", "answered", "closed", "reopened"]

WAITING: tuple[State, ...] = ("open", "reopened")
"""States in which the library owes an answer."""
