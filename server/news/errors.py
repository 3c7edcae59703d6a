"""Refusals of the news domain."""

from __future__ import annotations

from server.errors import DomainError


class UnknownNewsError(DomainError):
    """No news has this key."""

    code = "unknown_news"
    status = 404
    title = "There is no such news."


class NewsDatesError(DomainError):
    """News that ends before it begins is never seen."""

    code = "news_dates"
    status = 422
    title = "The last day is before the first."
