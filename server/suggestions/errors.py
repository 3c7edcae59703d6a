"""Refusals of the suggestions domain."""

from __future__ import annotations

from server.errors import DomainError


class UnknownSuggestionError(DomainError):
    """No suggestion has this key."""

    code = "unknown_suggestion"
    status = 404
    title = "There is no such suggestion."


class InCatalogueError(DomainError):
    """The library has it: `record` says where. A hold serves the reader better than a purchase."""

    code = "title_in_catalogue"
    title = "The library has this title already. Place a hold if all copies are on loan."


class SuggestionLimitError(DomainError):
    """So many a month."""

    code = "suggestion_limit"
    title = "This patron has made as many suggestions as one may in a month. Votes are still welcome."


class SuggestionStateError(DomainError):
    """What has happened to the suggestion does not allow this."""

    code = "suggestion_state"
    title = "This cannot be done with a suggestion in its present state."


class ReasonRequiredError(DomainError):
    """No without a why is no answer."""

    code = "reason_required"
    status = 422
    title = "Say why the title is not bought."
