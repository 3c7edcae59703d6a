"""Refusals of the circulation reports."""

from __future__ import annotations

from server.errors import DomainError
from server.lending_reports.policy import MOST_DAYS


class ReportPeriodError(DomainError):
    """The last day is before the first one, or there are too many days between; `most` is how many there may be."""

    code = "report_period"
    status = 422
    title = f"Name a first day and a last day that is not before it, at most {MOST_DAYS} days in all."
