"""Refusals of the rules' endpoints."""

from __future__ import annotations

from environment.rulebook.book import BookError
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


class BookChangedError(DomainError):
    """Somebody saved `version` since these rules were read."""

    code = "book_changed"
    status = 409
    title = "Somebody else has changed the rules meanwhile. Read them again and repeat the change."


class BadBookError(DomainError):
    """These rules must not be in force; `detail` says why."""

    code = "bad_rules"
    status = 422
    title = "These rules do not fit this library."

    def __init__(self, cause: BookError) -> None:
        super().__init__(detail=cause.detail)
        self.findings = cause.findings


class ContradictionError(BadBookError):
    """Rules that cannot do what they say; `detail` is the first of `findings`."""

    code = "rules_contradict"
    title = "These rules contradict themselves or each other."


class UnknownVersionError(DomainError):
    """There never was such a version."""

    code = "unknown_version"
    status = 404
    title = "There is no such version of the rules."
