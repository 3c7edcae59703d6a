"""What a rehearsal's file may say for an amount, a day, an instant or a list; mistakes are one sentence. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

NUMBER = re.compile(r"[0-9A-Za-z.*:/_-]{1,32}")
CENT = Decimal("0.01")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST_RANGE_DAYS = 366
YEARS = range(1970, 2200)


class RehearsalError(ValueError):
    """One sentence for whoever wrote the file: where, what is wrong, what to write."""


def text(value: Any) -> str:
    """A name or number as text; raises ValueError."""
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ValueError(f"{value!r} is not a name: write a text")


def texts(value: Any) -> list[str]:
    """One name or a list of names; raises ValueError."""
    return [text(one) for one in value] if isinstance(value, list | tuple) else [text(value)]


def flag(value: Any) -> bool:
    """true or false; raises ValueError."""
    if not isinstance(value, bool):
        raise ValueError(f"{value!r}: write true or false")
    return value


def number(value: Any) -> int:
    """A whole number, not negative; raises ValueError."""
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        raise ValueError(f"{value!r}: write a whole number, 0 or more")
    return value


def money(value: Any) -> Decimal:
    """An amount as a number or a text, at most 2 places; raises ValueError."""
    amount = typed_money(value)
    if amount.as_tuple().exponent < -2 and amount != amount.quantize(CENT):  # type: ignore[operator]  # finite
        raise ValueError(f"{value!r} has more than 2 places: write an amount such as 3.50")
    return amount.quantize(CENT)


def positive_money(value: Any) -> Decimal:
    """An amount that is not less than 0; raises ValueError."""
    amount = money(value)
    if amount < 0:
        raise ValueError(f"{value!r} is less than 0: write an amount such as 3.50")
    return amount


def number_on_it(value: Any) -> str:
    """A card's number or a barcode; raises ValueError."""
    number_ = text(value)
    if not NUMBER.fullmatch(number_):
        raise ValueError(f"{value!r} cannot stand on a card or label: write up to 32 letters, digits and . : / _ - *")
    return number_


def typed_money(value: Any) -> Decimal:
    """An amount just as it was typed, to be judged by the policy; raises ValueError for what is no number at all."""
    try:
        amount = (
            Decimal(str(value))
            if isinstance(value, int | float | str | Decimal) and not isinstance(value, bool)
            else None
        )
    except InvalidOperation:
        amount = None
    if amount is None or not amount.is_finite() or abs(amount) >= 10**7:
        raise ValueError(f"{value!r} is not an amount: write one such as 3.50")
    return amount


def day(value: Any) -> date:
    """A calendar day; raises ValueError."""
    try:
        return date.fromisoformat(value if len(value) != 19 else value[:10])
    except (TypeError, ValueError):
        raise ValueError(f"{value!r} is not a day: write one such as 2026-01-05") from None


def days(value: Any) -> list[date]:
    """Days, and spans written 2026-02-16/2026-02-22 with both ends in; raises ValueError."""
    found: list[date] = []
    for one in value if isinstance(value, list | tuple) else [value]:
        first, _, last = str(one).partition("/")
        start, end = day(first), day(last or first)
        if not 0 <= (end - start).days <= LONGEST_RANGE_DAYS:
            raise ValueError(f"{one!r}: write the first day before the last, a year apart at most")
        found += [start + timedelta(days=n) for n in range((end - start).days + 1)]
    return found


def weekday(value: Any) -> str:
    """mon ... sun; raises ValueError."""
    short = value.strip().lower()[:3] if isinstance(value, str) else ""
    if short not in WEEKDAYS:
        raise ValueError(f"{value!r} is not a weekday: write one of {', '.join(WEEKDAYS)}")
    return short


def instant(value: Any, zone: ZoneInfo) -> datetime:
    """A point in time, in UTC; without an offset it is the library's local time. Raises ValueError."""
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"{value!r} is not a time: write local time such as 2026-01-05T10:00") from None
    if at.year not in YEARS:
        raise ValueError(f"{value!r} is too far away: write a year from {YEARS[0]} to {YEARS[-1]}")
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """A table with another laid over it, key by key, and entries field by field."""
    both = dict(base)
    for key, value in over.items():
        below = both.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            both[key] = {**below, **value}
        else:
            both[key] = value
    return both
