"""Refusals of the holds domain."""

from __future__ import annotations

from server.errors import DomainError


class UnknownHoldError(DomainError):
    """No such open hold, or somebody else's."""

    code = "unknown_hold"
    status = 404
    title = "There is no such hold."


class HoldOverError(DomainError):
    """A hold cannot be paused until a day in the past."""

    code = "hold_over"
    status = 409
    title = "This day is over. Choose a later one, or none."


class HoldReadyError(DomainError):
    """A hold for which something is set aside cannot be paused."""

    code = "hold_ready"
    status = 409
    title = "Something is set aside for this hold already. Fetch it or cancel the hold."
