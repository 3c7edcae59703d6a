"""What the forms of the lending settings say: texts to show and to send, and the values read from them. Pure.

What cannot be read is named by a code per field; `words.ERRORS` has the sentences.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter, ValidationError

from server.lending.policy import ANY, WEEKDAYS, Calendar, LibraryPolicy, Rule

Texts = Mapping[str, str]
Fields = Sequence[tuple[str, Any]]

LONGEST_DAYS = 366
"""Of a span in the calendar, so that a slip of the pen does not close the library for centuries."""
RULE_NUMBERS = ("days", "hours", "renewals", "max", "fee_per_open_day", "grace_open_days", "cap")
SCOPE = ("patron_class", "item_type", "branch")
ZERO_WHEN_EMPTY = frozenset({"renewals", "fee_per_open_day", "grace_open_days"})
SWITCHES = tuple(one.name for one in fields(LibraryPolicy) if one.type == "bool")
NAMES = ("branch_names", "item_type_names")
"""Lists of a code and what people call it, a line each."""

_RULE: TypeAdapter[Rule] = TypeAdapter(Rule)
_POLICY: TypeAdapter[LibraryPolicy] = TypeAdapter(LibraryPolicy)
_CALENDAR: TypeAdapter[Calendar] = TypeAdapter(Calendar)
_NAME = re.compile(r"([0-9A-Za-z_-]{1,63})\s*\|\s*([^|]{1,80}?)\s*(?:\|\s*([^|]{0,80}))?")
_SPAN = re.compile(r"(\d{4}-\d\d-\d\d)(?:\s*(?:\.\.|–|~|至|to)\s*(\d{4}-\d\d-\d\d))?")


@dataclass(frozen=True, slots=True)
class Draft:
    """A form as it is shown: its texts, and what is wrong with which; `lines` names the wrong line of a list.

    `seen` is the mark of what is stored while it is shown.
    """

    texts: Texts
    errors: Texts = field(default_factory=dict)
    lines: Texts = field(default_factory=dict)
    seen: str = ""

    def get(self, name: str) -> str:
        """A field's text."""
        return self.texts.get(name, "")


def key_of(rule: Rule) -> str:
    """What a rule is for, in one word; none of its parts has a slash."""
    return "/".join(rule.key)


def rule_texts(rule: Rule | None) -> dict[str, str]:
    """A rule as its form shows it; None for a new one."""
    if rule is None:
        return dict.fromkeys(SCOPE, ANY) | {"days": "30", "renewals": "1", "allowed": "on"}
    values = {name: _text(getattr(rule, name)) for name in (*SCOPE, *RULE_NUMBERS)}
    return values | {"allowed": "on" if rule.allowed else ""}


def read_rule(sent: Fields) -> tuple[Draft, Rule | None]:
    """The rule that a form tells, unless something is wrong with it."""
    told = dict(sent)
    texts = {name: str(told.get(name, "")).strip() for name in (*SCOPE, *RULE_NUMBERS)}
    texts["allowed"] = "on" if told.get("allowed") == "on" else ""
    values: dict[str, Any] = {name: texts[name] or ANY for name in SCOPE}
    values |= {name: texts[name] or _empty(name) for name in RULE_NUMBERS}
    try:
        return Draft(texts), _RULE.validate_python(values | {"allowed": bool(texts["allowed"])})
    except ValidationError as error:
        return Draft(texts, _codes(error, "bad_word")), None


def policy_texts(policy: LibraryPolicy) -> dict[str, str]:
    """The policy as its form shows it."""
    values = {one.name: getattr(policy, one.name) for one in fields(LibraryPolicy)}
    return {name: ("on" if value else "") if name in SWITCHES else _text(value) for name, value in values.items()}


def read_policy(sent: Fields) -> tuple[Draft, LibraryPolicy | None]:
    """The policy that a form tells, unless something is wrong with it."""
    told = dict(sent)
    texts = {one.name: str(told.get(one.name, "")).strip() for one in fields(LibraryPolicy)}
    values: dict[str, Any] = {name: text or None for name, text in texts.items()}
    values |= {name: texts[name] == "on" for name in SWITCHES}
    values["branches"] = tuple(texts["branches"].replace(",", " ").replace("，", " ").split())
    lines: dict[str, str] = {}
    for name in NAMES:
        values[name], wrong = read_names(texts[name])
        if wrong:
            lines[name] = wrong
    if lines:
        return Draft(texts, dict.fromkeys(lines, "bad_names"), lines), None
    try:
        return Draft(texts), _POLICY.validate_python(values)
    except ValidationError as error:
        return Draft(texts, _codes(error, "bad_word")), None


def read_names(text: str) -> tuple[dict[str, dict[str, str]], str]:
    """What each code is called by a list, and its first line that cannot be read or names a code again."""
    found: dict[str, dict[str, str]] = {}
    for line in filter(None, map(str.strip, text.replace("｜", "|").splitlines())):
        told = _NAME.fullmatch(line)
        if told is None or told[1] in found:
            return {}, line[:60]
        found[told[1]] = {"en": told[2], "zh": told[3] or ""}
    return found, ""


def calendar_texts(calendar: Calendar, branches: Iterable[str]) -> dict[str, str]:
    """The closed days as their form shows them: ticks and lists of dates, of all branches and of each."""
    texts = {"days": " ".join(calendar.closed_weekdays), "dates": spans(calendar.closed_dates)}
    for branch in branches:
        texts[f"days:{branch}"] = " ".join(calendar.closed_weekdays_by_branch.get(branch, ()))
        texts[f"dates:{branch}"] = spans(calendar.closed_dates_by_branch.get(branch, ()))
    return texts


def read_calendar(sent: Fields, branches: Sequence[str]) -> tuple[Draft, Calendar | None]:
    """The calendar that a form tells, unless something is wrong with it."""
    errors: dict[str, str] = {}
    lines: dict[str, str] = {}
    texts: dict[str, str] = {}
    days: dict[str, tuple[str, ...]] = {}
    dates: dict[str, frozenset[date]] = {}
    for branch in ("", *branches):
        ticks, listed = (f"days:{branch}", f"dates:{branch}") if branch else ("days", "dates")
        days[branch] = tuple(day for day in WEEKDAYS if (ticks, day) in sent)
        texts[ticks] = " ".join(days[branch])
        texts[listed] = next((str(value) for name, value in sent if name == listed), "")
        if len(days[branch]) == len(WEEKDAYS):
            errors[ticks] = "never_open"
        found, wrong = read_dates(texts[listed])
        dates[branch] = found
        if wrong:
            errors[listed], lines[listed] = "bad_dates", wrong
    if errors:
        return Draft(texts, errors, lines), None
    calendar = {
        "closed_weekdays": days.pop(""), "closed_dates": dates.pop(""),
        "closed_weekdays_by_branch": {branch: told for branch, told in days.items() if told},
        "closed_dates_by_branch": {branch: told for branch, told in dates.items() if told},
    }  # fmt: skip
    return Draft(texts), _CALENDAR.validate_python(calendar)


def spans(days: Iterable[date]) -> str:
    """Dates a line each; days that follow each other as `2026-10-01 .. 2026-10-07`."""
    found: list[list[date]] = []
    for day in sorted(days):
        if found and day - found[-1][-1] == timedelta(days=1):
            found[-1][1:] = [day]
        else:
            found.append([day])
    return "\n".join(" .. ".join(end.isoformat() for end in span) for span in found)


def sent_again(texts: Texts) -> list[tuple[str, str]]:
    """The calendar's fields as a browser sends them: one of the name for each tick."""
    ticks = [(name, day) for name, text in texts.items() if name.startswith("days") for day in text.split()]
    return ticks + [(name, text) for name, text in texts.items() if not name.startswith("days")]


def read_dates(text: str) -> tuple[frozenset[date], str]:
    """The days that a list names, and its first line that cannot be read."""
    found: set[date] = set()
    for line in filter(None, map(str.strip, text.splitlines())):
        span = _span(line)
        if span is None:
            return frozenset(), line[:60]
        first, last = span
        found.update(first + timedelta(days=more) for more in range((last - first).days + 1))
    return frozenset(found), ""


def _span(line: str) -> tuple[date, date] | None:
    matched = _SPAN.fullmatch(line)
    if matched is None:
        return None
    try:
        first = date.fromisoformat(matched[1])
        last = date.fromisoformat(matched[2] or matched[1])
    except ValueError:
        return None
    return (first, last) if timedelta() <= last - first < timedelta(days=LONGEST_DAYS) else None


def _empty(name: str) -> int | None:
    return 0 if name in ZERO_WHEN_EMPTY else None


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    if isinstance(value, dict):
        return "\n".join(" | ".join(filter(None, (code, name.en, name.zh))) for code, name in value.items())
    return f"{value:.2f}" if isinstance(value, Decimal) else str(value)


def _codes(error: ValidationError, otherwise: str) -> dict[str, str]:
    """What is wrong with each field, as a code of ours."""
    codes = {
        "greater_than_equal": "too_small", "less_than_equal": "too_large", "decimal_max_places": "places",
        "decimal_max_digits": "too_large", "decimal_whole_digits": "too_large", "string_pattern_mismatch": otherwise,
        "int_type": "needed", "decimal_type": "needed", "string_type": "needed",
    }  # fmt: skip
    return {str(one["loc"][0]): codes.get(one["type"], "no_number") for one in error.errors()}
