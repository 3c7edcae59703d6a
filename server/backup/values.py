"""A database's values as JSON and back, the same for SQLite and PostgreSQL."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Date, DateTime, Float, LargeBinary, Numeric
from sqlalchemy.types import TypeEngine

Reader = Callable[[Any], Any]


def plain(value: Any) -> str:
    """What JSON has no form for: instants in UTC, dates, exact decimals, bytes. A naive instant is SQLite's UTC."""
    if isinstance(value, datetime):
        return (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    raise TypeError(f"a backup has no form for {type(value).__name__}")


def reader_of(kind: TypeEngine[Any], *, zoned: bool) -> Reader | None:
    """Makes a column's value of its JSON form; None when they are the same. `zoned` databases keep the zone."""
    if isinstance(kind, DateTime):
        return _instant if zoned else _naive
    if isinstance(kind, Date):
        return date.fromisoformat
    if isinstance(kind, LargeBinary):
        return base64.b64decode
    if isinstance(kind, Numeric) and not isinstance(kind, Float):
        return Decimal
    return None


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _naive(text: str) -> datetime:
    return _instant(text).astimezone(UTC).replace(tzinfo=None)
