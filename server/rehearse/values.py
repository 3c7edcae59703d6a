"""What a rehearsal's file may say for an amount, a day, an instant or a list; mistakes are one sentence. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from carrel.clock import end_of_day

NUMBER = re.compile(r"[0-9A-Za-z.*:/_-]{1,32}")
CENT = Decimal("0.01")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST_RANGE_DAYS = 366
LONGEST_DAY = len("2026-01-05")
YEARS = range(1970, 2200)
SHOWN = 60
"""Characters of a wrong value in a message."""


REMARKS = {"note", "comment", "why", "expect"}
"""Keys of an action or row that are for people."""
KEYS = {"patron_class": "class", "item_type": "type", "overrides": "override"}
"""What the file calls some fields of the program."""
ALLOWED = {
    "missing": "is missing",
    "string_type": "write a text",
    "string_too_short": "write a text",
    "string_too_long": "write at most {max_length} characters",
    "int_type": "write a whole number",
    "int_parsing": "write a whole number",
    "int_from_float": "write a whole number",
    "finite_number": "write a whole number",
    "greater_than_equal": "write {ge} or more",
    "less_than_equal": "write {le} or less",
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "decimal_type": "write an amount such as 3.50",
    "decimal_parsing": "write an amount such as 3.50",
    "decimal_max_places": "write an amount with at most 2 places, such as 3.50",
    "decimal_max_digits": "write an amount below 1000000",
    "decimal_whole_digits": "write an amount below 1000000",
    "literal_error": "write {expected}",
    "too_long": "write at most {max_length}",
    "too_short": "write at least one",
    "model_type": "write an object",
    "dict_type": "write an object",
    "list_type": "write a list",
    "tuple_type": "write a list",
    "set_type": "write a list",
    "frozen_set_type": "write a list",
}
"""What to write, by the kind of mistake."""
PATTERNS = {
    "currency": "write three capital letters such as CNY",
    "overrides": "write codes of refusals such as loan_limit",
    "request_id": "write at most 64 letters, digits and . : _ -",
    "payment_id": "write at most 64 letters, digits and . : _ -",
    "barcode": "write up to 32 letters, digits and . : / _ - *",
    "card": "write up to 32 letters, digits and . : / _ - *",
}
"""What to write for a text of the wrong form, by its key."""
A_NAME = "write letters, digits, - and _, beginning with a letter or digit, at most 40 (63 for a branch)"


class RehearsalError(ValueError):
    """One sentence for whoever wrote the file: where, what is wrong, what to write."""


def told(error: ValidationError) -> str:
    """The first mistake as key, what is written there, and what to write."""
    first = error.errors()[0]
    key = ".".join(str(KEYS.get(str(part), part)) for part in first["loc"] if part != "[key]")
    if first["type"] == "value_error":
        what = first["msg"].removeprefix("Value error, ")
    elif first["type"] == "missing":
        what = ALLOWED["missing"]
    else:
        what = f"{short(first['input'])}: {allowed(error)}"
    return f"{key}: {what}" if key else what


def mistake(where: str, error: ValidationError) -> RehearsalError:
    """The same as a sentence about a place in the file."""
    what = told(error)
    return RehearsalError(f"{where}{'.' if error.errors()[0]['loc'] else ': '}{what}")


def allowed(error: ValidationError) -> str:
    """What to write in the place of the first mistake."""
    first = error.errors()[0]
    if first["type"] == "string_pattern_mismatch":
        return next((PATTERNS[part] for part in map(str, first["loc"]) if part in PATTERNS), A_NAME)
    return ALLOWED.get(first["type"], "this is not possible here").format(**first.get("ctx", {}))


def text(value: Any) -> str:
    """A name or number as text; raises ValueError."""
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ValueError(f"{short(value)} is not a name: write a text")


def texts(value: Any) -> list[str]:
    """One name or a list of names; raises ValueError."""
    return [text(one) for one in value] if isinstance(value, list | tuple) else [text(value)]


def one_of(value: Any, known: Sequence[str]) -> str:
    """One of these names; raises ValueError."""
    if value not in known:
        raise ValueError(f"{short(value)} is not known: write {' or '.join(known)}")
    return str(value)


def flag(value: Any) -> bool:
    """true or false; raises ValueError."""
    if not isinstance(value, bool):
        raise ValueError(f"{short(value)}: write true or false")
    return value


def number(value: Any) -> int:
    """A whole number, not negative; raises ValueError."""
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        raise ValueError(f"{short(value)}: write a whole number, 0 or more")
    return value


def money(value: Any) -> Decimal:
    """An amount as a number or a text, at most 2 places; raises ValueError."""
    amount = typed_money(value)
    if amount.as_tuple().exponent < -2 and amount != amount.quantize(CENT):  # type: ignore[operator]  # finite
        raise ValueError(f"{short(value)} has more than 2 places: write an amount such as 3.50")
    return amount.quantize(CENT)


def positive_money(value: Any) -> Decimal:
    """An amount that is not less than 0; raises ValueError."""
    amount = money(value)
    if amount < 0:
        raise ValueError(f"{short(value)} is less than 0: write an amount such as 3.50")
    return amount


def number_on_it(value: Any) -> str:
    """A card's number or a barcode; raises ValueError."""
    number_ = text(value)
    if not NUMBER.fullmatch(number_):
        raise ValueError(
            f"{short(value)} cannot stand on a card or label: write up to 32 letters, digits and . : / _ - *"
        )
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
        raise ValueError(f"{short(value)} is not an amount: write one such as 3.50")
    return amount


def day(value: Any) -> date:
    """A calendar day; raises ValueError."""
    try:
        return date.fromisoformat(value if len(value) != 19 else value[:10])
    except (TypeError, ValueError):
        raise ValueError(f"{short(value)} is not a day: write one such as 2026-01-05") from None


def days(value: Any) -> list[date]:
    """Days, and spans written 2026-02-16/2026-02-22 with both ends in; raises ValueError."""
    found: list[date] = []
    for one in value if isinstance(value, list | tuple) else [value]:
        first, _, last = str(one).partition("/")
        start, end = day(first), day(last or first)
        if not 0 <= (end - start).days <= LONGEST_RANGE_DAYS:
            raise ValueError(f"{short(one)}: write the first day before the last, a year apart at most")
        found += [start + timedelta(days=n) for n in range((end - start).days + 1)]
    return found


def weekday(value: Any) -> str:
    """mon ... sun; raises ValueError."""
    named = value.strip().lower()[:3] if isinstance(value, str) else ""
    if named not in WEEKDAYS:
        raise ValueError(f"{short(value)} is not a weekday: write one of {', '.join(WEEKDAYS)}")
    return named


def instant(value: Any, zone: ZoneInfo) -> datetime:
    """A point in time, in UTC; without an offset it is the library's local time. Raises ValueError."""
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"{short(value)} is not a time: write 2026-01-05T10:00 or 2026-01-05T10:00+08:00") from None
    if at.year not in YEARS:
        raise ValueError(f"{short(value)} is too far away: write a year from {YEARS[0]} to {YEARS[-1]}")
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def end(value: Any, zone: ZoneInfo) -> datetime:
    """The same, for something that ends then: a day alone is meant to its end."""
    at = instant(value, zone)
    return at if len(value) > LONGEST_DAY else end_of_day(at.astimezone(zone).date(), zone).astimezone(UTC)


def short(value: Any) -> str:
    """A wrong value in a message."""
    shown = repr(value)
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]} ..."


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
