"""Refusals of the rules' endpoints."""

from __future__ import annotations

from server.errors import DomainError


class BadCaseError(DomainError):
    """What was sent cannot be run or read; `detail` names the key and the mend."""

    code = "bad_case"
    status = 422
    title = "These rules cannot be read."


class TooLongError(DomainError):
    """`most` instants are run at once."""

    code = "too_long"
    status = 422
    title = "This dry run is too long: end it sooner, or let it tick more rarely."
