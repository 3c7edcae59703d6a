"""A rule into its form and back."""

from __future__ import annotations

import math
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from environment.config import EnvironmentConfig
from environment.rulebook.book import BookRule
from server.pages.rules.forms import Draft, draft_of, read, rule_of
from tests.support.tree import ROOT

FULL: dict[str, Any] = {
    "id": "reading-purge",
    "zone": "reading-room",
    "enabled": False,
    "priority": 40,
    "when": {"metric": "rh", "above": 62.0, "hysteresis": 6.0},
    "for_s": 30,
    "release_for_s": 10,
    "guard": [
        {"metric": "dew_point", "minus": "out.dew_point", "above": 1.0, "hysteresis": 0.5},
        {"metric": "flag", "equals": 1},
    ],
    "schedule": [{"from": "06:00", "to": "22:00", "days": ["mon", "sun"]}, {"from": "00:00", "to": "24:00"}],
    "shift": [{"from": "22:00", "to": "06:00", "add": -2.5}],
    "actuators": ["reading-vent", "stacks-vent"],
    "set": 60,
    "on_unknown": "failsafe",
}


def browser_sends(draft: Draft) -> list[tuple[str, str]]:
    """The fields of a form that nobody touched."""
    lists = [(name, value) for name, values in draft.lists.items() for value in values]
    return [*draft.values.items(), *lists]


def there_and_back(rule: BookRule) -> BookRule | None:
    draft = read(browser_sends(draft_of(rule, original=rule.id)))
    found, errors = rule_of(draft)
    assert errors == {}
    return found


def test_a_rule_comes_back_as_it_was() -> None:
    rule = BookRule.model_validate(FULL)
    assert there_and_back(rule) == rule


def test_every_rule_of_the_shipped_library_comes_back_as_it_was() -> None:
    data = tomllib.loads((ROOT / "config.toml").read_text(encoding="utf-8"))["environment"]
    for config in EnvironmentConfig.model_validate(data).rule:
        rule = BookRule.model_validate(config.model_dump(by_alias=True))
        assert there_and_back(rule) == rule


@given(st.floats(-1000, 1000).map(lambda x: float(f"{x:g}")), st.floats(0, 100).map(lambda x: float(f"{x:g}")))
def test_numbers_come_back_as_they_were(limit: float, hysteresis: float) -> None:
    rule = BookRule.model_validate(FULL | {"when": {"metric": "temp", "below": limit, "hysteresis": hysteresis}})
    assert there_and_back(rule) == rule


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"id": "Not A Name"}, "id", "bad_name"),
        ({"id": ""}, "id", "bad_name"),
        ({"when-limit": ""}, "when-limit", "no_number"),
        ({"when-limit": "warm"}, "when-limit", "no_number"),
        ({"when-limit": "inf"}, "when-limit", "no_number"),
        ({"when-hysteresis": "-1"}, "when-limit", "out_of_range"),
        ({"when-metric": "noise"}, "when-limit", "out_of_range"),
        ({"set": "1.5"}, "set", "no_whole_number"),
        ({"set": "101"}, "set", "out_of_range"),
        ({"for_s": "-1"}, "for_s", "out_of_range"),
        ({"on_unknown": "panic"}, "on_unknown", "out_of_range"),
        ({"guard-0-limit": "x"}, "guard-0-limit", "no_number"),
        ({"guard-1-minus": "out"}, "guard-1-limit", "out_of_range"),
        ({"hours-0-from": "6"}, "hours-0-from", "no_time"),
        ({"hours-0-to": "06:00"}, "hours-0-to", "same_time"),
        ({"hours-1-from": "24:00", "hours-1-to": "08:00"}, "hours-1-from", "no_time"),
        ({"shift-0-add": ""}, "shift-0-add", "no_number"),
    ],
)
def test_what_is_wrong_is_told_of_its_field(change: dict[str, str], field: str, code: str) -> None:
    draft = draft_of(BookRule.model_validate(FULL), original="x")
    rule, errors = rule_of(Draft({**draft.values, **change}, draft.lists))
    assert (rule, errors) == (None, {field: code})


def test_devices_must_be_chosen_and_emptied_rows_are_gone() -> None:
    draft = draft_of(BookRule.model_validate(FULL), original="x")
    assert rule_of(Draft(draft.values, {}))[1] == {"actuators": "nothing_chosen"}
    gone = {"guard-0-metric": "", "hours-0-from": "", "hours-1-from": "", "shift-0-from": ""}
    rule, _ = rule_of(Draft({**draft.values, **gone}, draft.lists))
    assert rule is not None
    assert ([guard.metric for guard in rule.guard], rule.schedule, rule.shift) == (["flag"], (), ())


def test_an_empty_row_waits_behind_those_that_are_filled() -> None:
    draft = draft_of(BookRule.model_validate(FULL), original="x")
    assert [len(draft.rows(kind)) for kind in ("guard", "hours", "shift")] == [3, 3, 2]
    assert [len(Draft({}, {}).rows(kind)) for kind in ("guard", "hours", "shift")] == [1, 1, 1]


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=20))
def test_whatever_is_sent_is_read_without_a_fault(fields: dict[str, str]) -> None:
    rule, errors = rule_of(read([*fields.items(), ("upload", object())]))
    assert rule is None
    assert errors


def test_a_comma_is_a_point() -> None:
    draft = draft_of(BookRule.model_validate(FULL), original="x")
    rule, _ = rule_of(Draft({**draft.values, "when-limit": "62,5"}, draft.lists))
    assert rule is not None
    assert rule.when.above is not None
    assert math.isclose(rule.when.above, 62.5)
