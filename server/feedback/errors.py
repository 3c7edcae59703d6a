"""Refusals of the feedback domain."""

from __future__ import annotations

from server.errors import DomainError


class UnknownCaseError(DomainError):
    """No case has this number, or it is somebody else's."""

    code = "unknown_case"
    status = 404
    title = "There is no such feedback case."


class CaseStateError(DomainError):
    """The case's life does not allow this now."""

    code = "case_state"
    title = "This cannot be done with a case in its present state."


class FeedbackLimitError(DomainError):
    """A flood is stopped before it buries what others have to say."""

    code = "feedback_limit"
    status = 429
    title = "Too much feedback came in a short time. Nothing was kept. Try again later."


class ReasonRequiredError(DomainError):
    """A case is not closed unanswered without a word."""

    code = "reason_required"
    status = 422
    title = "Say why the case is closed without an answer."


class UnfitOwnerError(DomainError):
    """Only a colleague whose account works can own a case."""

    code = "unknown_account"
    status = 404
    title = "There is no working account of this name."
