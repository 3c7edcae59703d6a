"""Instants as whole microseconds since 1970, without the rounding of floats."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(at: datetime) -> int:
    """Of an aware instant."""
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def instant(at_us: int) -> datetime:
    """The instant in UTC; OverflowError beyond the years 1 to 9999."""
    return EPOCH + timedelta(microseconds=at_us)
