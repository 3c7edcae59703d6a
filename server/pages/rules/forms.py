"""A rule as a form holds it, there and back. Pure; every field is a text, as browsers send them.

Rows of guards, hours and shifts are `guard-0-limit`, `hours-0-from`, `shift-0-add`; an empty row counts for nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from environment.config import ConditionConfig, WindowConfig
from environment.rulebook.book import BookRule
from environment.schedule import DAYS

LISTS: Final = re.compile(r"actuators|(hours|shift)-\d+-days")
ROWS_MOST: Final = 12
CLOCK: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")
NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")

Errors = dict[str, str]
"""Field -> code; `""` is the whole form."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the form. `original` is the id of the rule that is edited, empty for a new one."""

    values: Mapping[str, str]
    lists: Mapping[str, tuple[str, ...]]
    original: str = ""

    def get(self, name: str, default: str = "") -> str:
        """A field's text."""
        return self.values.get(name, default)

    def all(self, name: str) -> tuple[str, ...]:
        """What is ticked."""
        return self.lists.get(name, ())

    def rows(self, kind: str) -> range:
        """The rows to show: those that are filled and an empty one."""
        last = max((number for number in range(ROWS_MOST) if self._filled(kind, number)), default=-1)
        return range(min(last + 2, ROWS_MOST))

    def _filled(self, kind: str, number: int) -> bool:
        leading = "metric" if kind == "guard" else "from"
        return bool(self.get(f"{kind}-{number}-{leading}"))


def read(fields: Iterable[tuple[str, Any]], original: str = "") -> Draft:
    """What a browser sent."""
    values: dict[str, str] = {}
    lists: dict[str, tuple[str, ...]] = {}
    for name, value in fields:
        if not isinstance(value, str):
            continue
        if LISTS.fullmatch(name):
            lists[name] = (*lists.get(name, ()), value)
        else:
            values[name] = value.strip()
    return Draft(values, lists, original)


def draft_of(rule: BookRule, *, original: str) -> Draft:
    """A rule as it is to be edited."""
    values = {
        "id": rule.id,
        "zone": rule.zone,
        "priority": str(rule.priority),
        "for_s": _number(rule.for_s),
        "release_for_s": _number(rule.release_for_s),
        "set": str(rule.set_value),
        "on_unknown": rule.on_unknown,
        **_condition_out("when", rule.when),
    }
    lists: dict[str, tuple[str, ...]] = {"actuators": rule.actuators}
    if rule.enabled:
        values["enabled"] = "on"
    for number, guard in enumerate(rule.guard):
        values |= _condition_out(f"guard-{number}", guard)
    for kind, windows in (("hours", rule.schedule), ("shift", rule.shift)):
        for number, window in enumerate(windows):
            values |= {f"{kind}-{number}-from": window.start, f"{kind}-{number}-to": window.end}
            lists[f"{kind}-{number}-days"] = window.days
    values |= {f"shift-{number}-add": _number(shift.add) for number, shift in enumerate(rule.shift)}
    return Draft(values, lists, original)


def rule_of(draft: Draft) -> tuple[BookRule | None, Errors]:
    """The rule, or what is wrong with which field."""
    reader = _Reader(draft)
    data = {
        "id": reader.name("id"),
        "zone": draft.get("zone"),
        "enabled": draft.get("enabled") == "on",
        "priority": reader.whole("priority"),
        "when": reader.condition("when"),
        "for_s": reader.number("for_s"),
        "release_for_s": reader.number("release_for_s"),
        "guard": [reader.condition(f"guard-{n}") for n in reader.rows("guard")],
        "schedule": [reader.window("hours", n) for n in reader.rows("hours")],
        "shift": [reader.window("shift", n) | {"add": reader.number(f"shift-{n}-add")} for n in reader.rows("shift")],
        "actuators": list(draft.all("actuators")),
        "set": reader.whole("set"),
        "on_unknown": draft.get("on_unknown", "release"),
    }
    if not data["actuators"]:
        reader.errors["actuators"] = "nothing_chosen"
    if reader.errors:
        return None, reader.errors
    try:
        return BookRule.model_validate(data), {}
    except ValidationError as error:
        return None, {_field(found["loc"]): "out_of_range" for found in error.errors()}


class _Reader:
    """Reads fields and notes what cannot be read."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self.errors: Errors = {}

    def name(self, field: str) -> str:
        text = self._draft.get(field)
        if not NAME.fullmatch(text):
            self.errors[field] = "bad_name"
        return text

    def number(self, field: str) -> float:
        try:
            value = float(self._draft.get(field).replace(",", "."))
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            self.errors[field] = "no_number"
        return value

    def whole(self, field: str) -> int:
        value = self.number(field)
        if field not in self.errors and value != int(value):
            self.errors[field] = "no_whole_number"
        return 0 if field in self.errors else int(value)

    def condition(self, prefix: str) -> dict[str, Any]:
        draft, side = self._draft, self._draft.get(f"{prefix}-side", "above")
        found: dict[str, Any] = {"metric": draft.get(f"{prefix}-metric"), side: self.number(f"{prefix}-limit")}
        if draft.get(f"{prefix}-minus"):
            found["minus"] = draft.get(f"{prefix}-minus")
        if side != "equals":
            found["hysteresis"] = self.number(f"{prefix}-hysteresis") if draft.get(f"{prefix}-hysteresis") else 0.0
        return found

    def window(self, kind: str, number: int) -> dict[str, Any]:
        start, end = self._clock(f"{kind}-{number}-from"), self._clock(f"{kind}-{number}-to")
        if start == end:
            self.errors.setdefault(f"{kind}-{number}-to", "same_time")
        if start == "24:00":
            self.errors[f"{kind}-{number}-from"] = "no_time"
        return {"from": start, "to": end, "days": list(self._draft.all(f"{kind}-{number}-days") or DAYS)}

    def rows(self, kind: str) -> Iterator[int]:
        leading = "metric" if kind == "guard" else "from"
        return (n for n in range(ROWS_MOST) if self._draft.get(f"{kind}-{n}-{leading}"))

    def _clock(self, field: str) -> str:
        text = self._draft.get(field)
        if not CLOCK.fullmatch(text):
            self.errors[field] = "no_time"
        return text


def _condition_out(prefix: str, condition: ConditionConfig) -> dict[str, str]:
    side, limit = side_of(condition)
    return {
        f"{prefix}-metric": condition.metric,
        f"{prefix}-minus": condition.minus or "",
        f"{prefix}-side": side,
        f"{prefix}-limit": _number(limit),
        f"{prefix}-hysteresis": _number(condition.hysteresis),
    }


def side_of(condition: ConditionConfig) -> tuple[str, float]:
    """Which limit a condition has."""
    for side in ("above", "below", "equals"):
        limit = getattr(condition, side)
        if limit is not None:
            return side, float(limit)
    raise AssertionError("the configuration has exactly one limit")


def week(window: WindowConfig) -> Sequence[str]:
    """The days of a window; none when it is every day."""
    return () if set(window.days) == set(DAYS) else window.days


def _number(value: float) -> str:
    return f"{value:g}"


def _field(place: tuple[int | str, ...]) -> str:
    """The form's field at a place of the rule."""
    key = str(place[0]) if place else ""
    if key == "guard" and len(place) > 1:
        return f"guard-{place[1]}-limit"
    if key in ("schedule", "shift") and len(place) > 1:
        return f"{'hours' if key == 'schedule' else key}-{place[1]}-from"
    return {"when": "when-limit", "": ""}.get(key, key)
