"""Refusals of the tasks domain."""

from __future__ import annotations

from server.errors import DomainError


class UnknownTaskError(DomainError):
    """No such task that is still open."""

    code = "unknown_task"
    status = 404
    title = "There is no such open task."
