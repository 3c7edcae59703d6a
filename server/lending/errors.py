"""Refusals of whole requests about lending."""

from __future__ import annotations

from server.errors import DomainError


class RequestIdReusedError(DomainError):
    """The same `request_id` came before with something else in it."""

    code = "request_id_reused"
    status = 409
    title = "This request_id was used for a different request."


class RuleTwiceError(DomainError):
    """Two rules are for the same class, type and branch."""

    code = "rule_twice"
    status = 409
    title = "Two rules are for the same class, type and branch."


class RuleWithoutTimeError(DomainError):
    """A rule that lends must say for how long: days or hours, not both."""

    code = "rule_without_time"
    status = 409
    title = "A rule that lends says for how long: either days or hours."


class UnknownBranchError(DomainError):
    """The library has no such branch."""

    code = "unknown_branch"
    status = 422
    title = "There is no such branch."
