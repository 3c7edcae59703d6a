"""The rule book: laid over the wiring, checked, switched off rule by rule, written and read again."""

from __future__ import annotations

from typing import Any

import pytest

from environment.config import EnvironmentConfig
from environment.rulebook.book import BookError, RuleBook, book_of, checked, from_text, laid_over, to_text

COOL: dict[str, Any] = {
    "id": "cool",
    "zone": "r",
    "when": {"metric": "temp", "above": 26, "hysteresis": 1},
    "schedule": [{"from": "08:00", "to": "18:00", "days": ["mon"]}],
    "shift": [{"from": "12:00", "to": "13:00", "add": 1.5}],
    "actuators": ["ac"],
    "set": 1,
}
LIBRARY = EnvironmentConfig.model_validate(
    {
        "tick_s": 7,
        "sensor": [{"id": "t", "zone": "r", "metric": "temp", "device": "th"}],
        "actuator": [
            {"id": "ac", "type": "switch", "zone": "r", "device": "ac", "min_on_s": 300},
            {"id": "vent", "type": "level", "zone": "r", "device": "vent"},
        ],
        "rule": [COOL],
        "interlock": [{"zone": "r", "when": {"metric": "temp", "above": 40}, "force": {"vent": 100}}],
        "exclusive": {"groups": [["ac", "vent"]]},
    }
)


def book(*rules: dict[str, Any], **parts: Any) -> RuleBook:
    return RuleBook.model_validate({"rule": list(rules), **parts})


def test_the_book_of_a_configuration_laid_over_it_changes_nothing() -> None:
    assert checked(LIBRARY, book_of(LIBRARY)) == (LIBRARY, [])


def test_wiring_stays_and_rules_are_the_books() -> None:
    config, _ = checked(LIBRARY, book(COOL | {"id": "other", "when": {"metric": "temp", "above": 24, "hysteresis": 1}}))
    assert (config.tick_s, config.actuator, config.sensor) == (7, LIBRARY.actuator, LIBRARY.sensor)
    assert [rule.id for rule in config.rule] == ["other"]
    assert (config.interlock, config.exclusive.groups) == ((), ())


def test_a_rule_that_is_switched_off_is_kept_and_does_not_count_even_where_it_does_not_fit() -> None:
    kept = book(COOL, COOL | {"id": "attic", "zone": "attic", "actuators": ["lift"], "enabled": False})
    assert [rule.id for rule in checked(LIBRARY, kept)[0].rule] == ["cool"]
    assert [rule.id for rule in from_text(to_text(kept)).rule] == ["cool", "attic"]


def test_a_book_is_read_as_it_was_written() -> None:
    whole = book_of(LIBRARY)
    assert from_text(to_text(whole)) == whole
    assert to_text(from_text(to_text(whole))) == to_text(whole)


@pytest.mark.parametrize(
    ("rule", "code", "sentence"),
    [
        (COOL | {"zone": "attic"}, "does_not_fit", "no sensor in zone 'attic'"),
        (COOL | {"actuators": ["lift"]}, "does_not_fit", "unknown actuator 'lift'"),
        (COOL | {"set": 50}, "does_not_fit", "ac is a switch and takes 0 or 1"),
        (COOL | {"when": {"metric": "temp", "above": 99, "hysteresis": 1}}, "rules_contradict", "can never be true"),
    ],
)
def test_rules_that_cannot_be_in_force_are_refused_by_name(rule: dict[str, Any], code: str, sentence: str) -> None:
    with pytest.raises(BookError, match=sentence) as refused:
        checked(LIBRARY, book(rule))
    assert refused.value.code == code
    assert bool(refused.value.findings) == (code == "rules_contradict")


def test_hints_are_told_and_refuse_nothing() -> None:
    config, findings = checked(LIBRARY, book(COOL | {"when": {"metric": "temp", "above": 26}}))
    assert [finding.code for finding in findings] == ["no_hysteresis"]
    assert laid_over(LIBRARY, book(COOL)).rule[0].id == config.rule[0].id


@pytest.mark.parametrize("text", ["", "{", "[]", '{"rule": 7}', '{"rule": [{"id": "x"}]}', '{"lift": []}'])
def test_a_text_that_is_no_book_is_one_sentence(text: str) -> None:
    with pytest.raises(BookError) as refused:
        from_text(text)
    assert refused.value.code == "malformed"
    assert "\n" not in refused.value.detail


def test_two_rules_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="'cool' is used twice"):
        book(COOL, COOL)
