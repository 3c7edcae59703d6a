"""Refusals of whole circulation requests; refusals of single items are results, not errors."""

from __future__ import annotations

from server.errors import DomainError


class CardRequiredError(DomainError):
    """A machine or librarian must say for whom."""

    code = "card_required"
    status = 422
    title = "Say whose card this is for."


class NotYourCardError(DomainError):
    """A reader acts for themselves only."""

    code = "not_your_card"
    status = 403
    title = "You can do this for your own card only."
