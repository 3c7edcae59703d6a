"""Rules in words, in both languages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest

from carrel.contracts.config import ConfigRefusal
from carrel.web.i18n import Words, load
from environment.config import ConditionConfig, WindowConfig
from environment.rulebook.findings import OF_GUARDS, SENTENCES, Finding
from environment.rulebook.presets import PRESETS, find
from server.pages.rules import words as rule_words
from server.pages.rules.views import Output
from server.rules.book import Delivery, Stage

ZONE = ZoneInfo("Asia/Shanghai")
EN, ZH = (Words(language, ZONE, load(language)) for language in ("en", "zh-CN"))
ROOMS = {"out": "Outdoors"}
AT = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ({"metric": "rh", "above": 62, "hysteresis": 6}, "Humidity above 62 %, until it has fallen to 56 %"),
        ({"metric": "temp", "below": 18, "hysteresis": 1}, "Temperature below 18.0 °C, until it has risen to 19.0 °C"),
        ({"metric": "temp", "above": 26}, "Temperature above 26.0 °C"),
        ({"metric": "flag", "equals": 1}, "Contact is 1"),
        (
            {"metric": "dew_point", "minus": "out.dew_point", "above": 1},
            "Dew point minus Dew point (Outdoors) above 1.0 °C",
        ),
    ],
)
def test_a_condition_says_when_it_begins_and_ends(condition: dict[str, Any], said: str) -> None:
    assert rule_words.condition(EN, ConditionConfig.model_validate(condition), ROOMS) == said


def test_hours_name_their_days_unless_it_is_every_day() -> None:
    window = WindowConfig.model_validate({"from": "06:00", "to": "22:00"})
    assert rule_words.hours(EN, window) == "06:00–22:00"
    some = WindowConfig.model_validate({"from": "06:00", "to": "22:00", "days": ["mon", "tue"]})
    assert rule_words.hours(ZH, some) == "06:00–22:00, 周一, 周二"
    assert rule_words.shift(EN, window, -2.5, "temp") == "06:00–22:00: limit -2.5 °C"


def test_lengths_are_said_in_the_unit_that_fits() -> None:
    assert [rule_words.lasting(EN, s) for s in (7200, 600, 90)] == ["2 h", "10 min", "90 s"]


@pytest.mark.parametrize(("kind", "value", "said"), [("curtain", 100, "Closed"), ("vent", 60, "60 %")])
def test_a_deed_is_said_in_the_words_of_its_device(kind: Any, value: float, said: str) -> None:
    assert rule_words.deed(EN, Output("x", "X (x)", "r", kind, 100), "x", value) == f"X (x): {said}"


def test_a_switch_goes_on_and_off_and_an_unknown_device_has_its_number() -> None:
    assert rule_words.deed(EN, Output("x", "X", "r", "other", 1), "x", 1) == "X: On"
    assert rule_words.deed(EN, None, "x", 1) == "x: 1"


@pytest.mark.parametrize("code", [*SENTENCES, *(f"{code} of a guard" for code in OF_GUARDS)])
def test_every_finding_is_said_in_both_languages(code: str) -> None:
    name, guard = code.removesuffix(" of a guard"), int(code.endswith(" of a guard"))
    places = ("rule", "other", "metric", "actuator", "actuators", "first")
    numbers = ("noise", "hysteresis", "limit", "left", "back", "least", "low", "high", "second", "number", "value",
               "default", "deadband", "others_value", "priority")  # fmt: skip
    params: dict[str, str | float] = dict.fromkeys(places, "temp") | dict.fromkeys(numbers, 1.5)
    finding = Finding(name, ("temp",), params, guard)
    english, chinese = rule_words.finding(EN, finding), rule_words.finding(ZH, finding)
    assert "%(" not in english + chinese
    assert english != chinese
    assert finding.text


@pytest.mark.parametrize("stage", get_args(Stage))
@pytest.mark.parametrize("online", [True, False])
def test_every_stage_is_said_with_what_it_means(stage: Stage, online: bool) -> None:
    for code in get_args(ConfigRefusal.model_fields["code"].annotation):
        delivery = Delivery(stage, online, 3, AT, code, "the detail")
        for words in (EN, ZH):
            assert rule_words.told(words, delivery)
            assert len(rule_words.steps(words, delivery)) == (0 if stage == "shipped" else 3)


def test_without_an_answer_the_gateway_is_waited_for() -> None:
    assert "does not answer" in rule_words.told(EN, Delivery("saved", online=False))
    assert rule_words.running(EN, Delivery("refused", online=True, running=0)) == "The rules of config.toml go on."


def test_every_preset_has_its_figures_and_its_title_in_both_languages() -> None:
    for preset in PRESETS:
        assert rule_words.figures(EN, preset)
        assert ZH.gettext(preset.title) != preset.title
    (paper, none) = (find("mixed-paper"), find("en-16893"))
    assert paper is not None
    assert none is not None
    assert rule_words.figures(EN, paper) == "13 to 20 °C; 35 to 60 % RH"
    assert rule_words.figures(ZH, none) == "无数值"
