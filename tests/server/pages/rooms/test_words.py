from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from carrel.contracts.actuation import RuleLive
from carrel.web.i18n import LANGUAGES, Words, load
from server.pages.dashboard.views import ActuatorView, Measurement, OverrideView
from server.pages.rooms import words as rw

AT = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
EN, ZH = (Words(language, ZoneInfo("Asia/Shanghai"), load(language)) for language in ("en", "zh-CN"))


def measured(value, band=(40.0, 60.0), quantity="rh"):
    return Measurement("stacks", quantity, value, AT, band)


def actuator(**changes):
    fields = {"id": "v", "kind": "vent", "name": "Ventilation", "wanted": 60.0, "commanded": 0.0, "reported": 0.0}
    return ActuatorView(**(fields | {"cause": "override", "reason": "override"} | changes))


def wish(stage, **changes):
    fields = {"id": "o", "by": "lin", "value": 60.0, "until": AT + timedelta(hours=2), "stage": stage, "asked_at": AT}
    return OverrideView(**(fields | changes))


def rule(**changes):
    fields = {
        "id": "purge", "zone": "stacks", "priority": 40, "metric": "rh", "side": "above", "value": 63.1,
        "threshold": 62.0, "latched": True, "active": True, "set_value": 60, "actuators": ("v",), "acting": True,
    }  # fmt: skip
    return RuleLive(**(fields | changes))


@pytest.mark.parametrize(
    ("measurement", "en", "zh"),
    [
        (measured(52.0), "inside the target", "在目标范围内"),
        (measured(60.0), "inside the target", "在目标范围内"),
        (measured(60.2), "inside the target", "在目标范围内"),
        (measured(63.0), "3 % above the target", "高于目标 3 %"),
        (measured(12.0, (14.0, 22.0), "temp"), "2.0 °C below the target", "低于目标 2.0 °C"),
        (measured(None), "no fresh value", "没有最新数据"),
        (measured(52.0, None), "", ""),
    ],
)
def test_a_value_is_told_with_how_far_it_is_from_its_target(measurement, en, zh):
    assert (rw.verdict(EN, measurement), rw.verdict(ZH, measurement)) == (en, zh)


def test_scripts_get_the_same_sentence_with_a_place_for_the_amount():
    assert rw.pattern(EN, "above") == "{by} above the target"


@pytest.mark.parametrize(
    ("stage", "told"),
    [
        ("queued", "Waiting for the connection to the gateway"),
        ("sent", "On its way to the gateway"),
        ("unanswered", "asked again until 14:31"),
        ("moving", "still reports: Off"),
        ("unconfirmed", "nothing else than Off for 10 seconds"),
        ("confirmed", "The device reports it"),
    ],
)
def test_each_stage_of_a_wish_says_what_it_waits_for(stage, told):
    assert told in rw.progress(EN, actuator(), wish(stage))


def test_a_wish_that_is_held_back_says_by_what_and_until_when():
    held = actuator(reason="min_off", params={"until": (AT + timedelta(minutes=2)).isoformat()})
    told = "The gateway has it, but holds it back until 14:32: Ventilation has to rest before it may start again"
    assert rw.progress(EN, held, wish("held")) == told
    by_fire = actuator(cause="safety", reason="fire")
    assert rw.progress(EN, by_fire, wish("held")).endswith("holds it back: Held by the fire panel")
    assert rw.held_until(held) == AT + timedelta(minutes=2)
    assert rw.held_until(actuator()) is None


def test_a_refused_wish_says_why():
    told = rw.progress(EN, actuator(), wish("refused", code="value_out_of_range"))
    assert told == "Failed: The device cannot do that."


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("stage", rw.STEPS)
def test_every_stage_has_three_steps_and_exactly_one_place_where_it_is(language, stage):
    shown = rw.steps(EN if language == "en" else ZH, stage)
    assert len(shown) == 3
    assert [mark for _, mark in shown if mark in ("now", "failed", "wait")] or stage == "confirmed"


@pytest.mark.parametrize(
    ("found", "en"),
    [
        (rule(), "Humidity above 62 %"),
        (rule(side="below", threshold=40.5), "Humidity below 40.5 %"),
        (rule(metric="dew_point", minus="out.dew_point", threshold=1.0),
         "Dew point minus Dew point (out) above 1.0 °C"),
    ],
)  # fmt: skip
def test_a_rule_is_told_with_its_limit(found, en):
    assert rw.limit(EN, found) == en


def test_every_reason_why_a_rule_does_not_act_has_words():
    reasons = RuleLive.model_fields["why_not"].annotation.__args__[0].__args__
    assert set(reasons) <= set(rw.RULE_STATES)
    assert rw.rule_state(rule()) == "acting"
    assert rw.rule_state(rule(acting=False, why_not="outranked")) == "outranked"


@pytest.mark.parametrize(
    ("span", "text"), [(timedelta(hours=1, minutes=52, seconds=10), "1:52:10"), (timedelta(seconds=65), "1:05"),
                       (timedelta(seconds=-3), "0:00")],
)  # fmt: skip
def test_a_countdown_needs_no_words(span, text):
    assert rw.length(span) == text


@pytest.mark.parametrize(
    ("quantity", "value", "text"),
    [("on", 1.0, "On"), ("on", 0.0, "Off"), ("position", 100.0, "100 %"), ("temp", 21.55, "21.6 °C"),
     ("occupancy", 1.0, "present"), ("setpoint", 24.0, "24 °C")],
)  # fmt: skip
def test_a_devices_value_has_its_unit(quantity, value, text):
    assert rw.device_value(EN, quantity, value) == text
