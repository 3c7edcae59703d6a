"""Refusals of the reports."""

from __future__ import annotations

from server.errors import DomainError


class UnknownMonthError(DomainError):
    """Not a month, or one that has not begun; `newest` is the latest there is."""

    code = "unknown_month"
    status = 422
    title = "There is no report for that: write a month that has begun as YYYY-MM, such as 2026-11."
