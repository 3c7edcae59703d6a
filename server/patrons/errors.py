"""Refusals of the patrons domain."""

from __future__ import annotations

from server.errors import DomainError


class UnknownCardError(DomainError):
    """No patron has this card."""

    code = "unknown_card"
    status = 404
    title = "No patron has this card."
