from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from carrel.web.i18n import Words, load
from server.pages.dashboard.views import ActuatorView, Measurement, RoomTile
from server.pages.dashboard.words import HOLDS, REASONS, compared, standing, state, what, why
from tests.support.sample_building import fault, fire

EN = Words("en", ZoneInfo("Asia/Shanghai"), load("en"))
ZH = Words("zh-CN", ZoneInfo("Asia/Shanghai"), load("zh-CN"))
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


def actuator(kind="curtain", value=100.0, reason="default", **more):
    base = {"wanted": value, "commanded": value, "reported": value, "cause": "rule"} | more
    return ActuatorView("a", kind, "Curtain", reason=reason, **base)


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("curtain", 0.0, "Open"),
        ("curtain", 3.0, "Open"),
        ("curtain", 50.0, "50 % closed"),
        ("curtain", 98.0, "Closed"),
        ("ac", 1.0, "On"),
        ("ac", 0.0, "Off"),
        ("vent", 60.0, "60 %"),
        ("vent", 0.0, "Off"),
        ("vent", None, "Unknown"),
    ],
)
def test_a_state_is_said_in_words(kind, value, words):
    assert state(EN, actuator(kind, value)) == words


def test_what_the_device_reports_counts_more_than_what_it_was_told():
    moving = actuator(value=100.0, reported=20.0)
    assert state(EN, moving) == "20 % closed"
    assert moving.moving
    assert not actuator(value=100.0, reported=97.0).moving
    assert not actuator(value=100.0, reported=0.0, cause="safety").moving, "the fire panel holds it there"


def test_a_rule_is_explained_with_its_numbers():
    params = {"metric": "temp", "value": 27.44, "threshold": 27.0, "side": "above"}
    assert why(EN, actuator(reason="rule", params=params)) == "Temperature 27.4 °C is above 27.0 °C"
    assert why(ZH, actuator(reason="rule", params=params)) == "温度 27.4 °C，高于 27.0 °C"


@pytest.mark.parametrize("words", [EN, ZH])
@pytest.mark.parametrize("code", [*HOLDS, *REASONS, "a_code_of_next_year"])
def test_every_reason_has_words(words, code):
    assert "%(" not in why(words, actuator(reason=code))


def test_a_rule_on_something_that_has_no_numbers_is_still_a_sentence():
    assert (
        why(EN, actuator(reason="rule", params={"metric": "flag", "side": "equals", "value": 1}))
        == "A rule asks for it"
    )
    assert compared(EN, "dust", 3.0) == "3"


def test_an_alarm_tells_what_where_and_what_was_done():
    alarm = fire(now=NOW, acknowledged_at=NOW, acknowledged_by="Li", silenced=True)
    assert what(EN, alarm) == "Fire alarm: Whole building"
    assert standing(EN, alarm, NOW) == ["since 09:58", "acknowledged by Li at 10:00", "siren silenced"]
    assert what(EN, fault(now=NOW)) == "Fault: io-1"
    assert what(ZH, fire(now=NOW, kind="fault", state="tamper", place="全馆")) == "防拆报警：全馆"
    assert what(EN, fire(now=NOW, state="verify")).startswith("Fire warning")


def test_an_alarm_that_is_over_says_who_reset_it():
    old = fire(
        now=NOW - timedelta(days=2), state="reset", silenced=True, reset_at=NOW - timedelta(days=1), reset_by="Li"
    )
    assert standing(EN, old, NOW) == ["since 20 Nov 2026, 09:58", "reset by Li, 21 Nov 2026, 10:00"]
    gone = fire(now=NOW, kind="fault", state="reset", reset_at=NOW)
    assert standing(EN, gone, NOW)[-1] == "over since 10:00", "nobody resets a fault that ends by itself"


@pytest.mark.parametrize(("value", "side"), [(19.9, "below"), (20.0, ""), (26.0, ""), (26.1, "above"), (None, "")])
def test_a_value_outside_its_band_is_marked(value, side):
    assert Measurement("r", "temp", value, NOW, (20.0, 26.0)).side == side


def test_a_room_is_in_the_hands_of_the_highest():
    assert RoomTile("r", "R", False, ()).mode == "auto"
    assert RoomTile("r", "R", False, (), (actuator(cause="safety"),)).mode == "safety"
