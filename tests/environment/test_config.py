import pytest
from pydantic import ValidationError

from environment.config import ActuatorConfig, ConditionConfig, EnvironmentConfig, RuleConfig, WindowConfig


def section(**parts) -> dict:
    base = {
        "sensor": [
            {"id": "reading-temp", "zone": "reading", "metric": "temp", "device": "th-1"},
            {"id": "reading-rh", "zone": "reading", "metric": "rh", "device": "th-1"},
            {"id": "out-temp", "zone": "out", "metric": "temp", "device": "th-out"},
        ],
        "actuator": [
            {"id": "ac", "type": "switch", "zone": "reading", "device": "ac-1"},
            {"id": "vent", "type": "level", "zone": "reading", "device": "vent-1"},
        ],
    }
    return base | parts


def rule(**parts) -> dict:
    base = {"id": "r", "zone": "reading", "when": {"metric": "rh", "above": 58.0}, "actuators": ["vent"], "set": 60}
    return base | parts


def complaint(**parts) -> str:
    with pytest.raises(ValidationError) as caught:
        EnvironmentConfig.model_validate(section(**parts))
    return str(caught.value)


def test_an_empty_section_is_a_house_without_rules():
    config = EnvironmentConfig()
    assert (config.tick_s, config.stale_after_s, config.rule) == (10.0, 300.0, ())


def test_a_full_rule_is_read_with_its_own_key_names():
    config = EnvironmentConfig.model_validate(
        section(
            rule=[
                rule(
                    priority=40,
                    when={"metric": "rh", "above": 58.0, "hysteresis": 4.0},
                    for_s=60,
                    release_for_s=30,
                    guard=[{"metric": "temp", "minus": "out.temp", "above": 1.0}, {"metric": "dew_point", "below": 20}],
                    schedule=[{"from": "06:00", "to": "22:00", "days": ["mon"]}],
                    shift=[{"from": "22:00", "to": "06:00", "add": 2.0}],
                    on_unknown="hold",
                )
            ],
            interlock=[{"zone": "reading", "when": {"metric": "temp", "equals": 1}, "force": {"vent": 0}}],
            exclusive={"groups": [["ac", "vent"]]},
        )
    )
    read = config.rule[0]
    assert (read.set_value, read.schedule[0].start, read.shift[0].days[-1]) == (60, "06:00", "sun")
    assert EnvironmentConfig.model_validate(config.model_dump(by_alias=True)) == config


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"rule": [rule(actuators=["vnt"])]}, "rule r: unknown actuator 'vnt' (there are: ac, vent)"),
        ({"rule": [rule(actuators=["vnt"])], "actuator": []}, "unknown actuator 'vnt' (there are: none)"),
        ({"rule": [rule(zone="stacks")]}, "no sensor in zone 'stacks' (zones with sensors: out, reading)"),
        (
            {"rule": [rule(when={"metric": "lux", "above": 1})]},
            "'reading' measures no lux (it has: abs_humidity, dew_p",
        ),
        ({"rule": [rule(guard=[{"metric": "temp", "minus": "out.rh", "above": 1}])]}, "zone 'out' measures no rh"),
        ({"rule": [rule(actuators=["ac"])]}, "rule r: ac is a switch and takes 0 or 1, not 60"),
        ({"rule": [rule(), rule()]}, "rule id 'r' is used twice"),
        (
            {"interlock": [{"zone": "reading", "when": {"metric": "temp", "equals": 1}, "force": {"x": 0}}]},
            "interlock 1: unknown actuator 'x'",
        ),
        ({"exclusive": {"groups": [["ac", "fan"]]}}, "exclusive group: unknown actuator 'fan'"),
        ({"exclusive": {"groups": [["ac", "ac"]]}}, "member of an exclusive group 'ac' is used twice"),
        ({"sensor": section()["sensor"] * 2}, "sensor id 'reading-temp' is used twice"),
        ({"actuator": section()["actuator"] * 2}, "actuator id 'ac' is used twice"),
        ({"sensor": [section()["sensor"][0] | {"id": "T1"}]}, "use lowercase letters, digits and hyphens"),
        ({"rule": [rule(guard=[{"metric": "temp", "minus": "out", "above": 1}])]}, "write zone.metric"),
        ({"rul": []}, "Extra inputs are not permitted"),
        ({"tick_s": 0}, "greater than or equal to 0.001"),
    ],
)
def test_a_wrong_section_is_refused_with_what_exists(parts, message):
    assert message in complaint(**parts)


def test_one_device_gives_one_sensor_per_metric():
    twice = [{"id": name, "zone": "reading", "metric": "temp", "device": "th-1"} for name in ("a", "b")]
    assert "sensor device and metric 'th-1 temp' is used twice" in complaint(sensor=twice)


@pytest.mark.parametrize(
    "limits", [{}, {"above": 1, "below": 2}, {"equals": 1, "hysteresis": 1}, {"above": float("nan")}]
)
def test_a_condition_has_exactly_one_limit(limits):
    with pytest.raises(ValidationError):
        ConditionConfig.model_validate({"metric": "temp"} | limits)


def test_a_window_without_length_is_refused_with_the_mend():
    with pytest.raises(ValidationError, match="for the whole day"):
        WindowConfig.model_validate({"from": "08:00", "to": "08:00"})


@pytest.mark.parametrize("text", ["24:00", "8:00", "12:60", ""])
def test_a_window_starts_at_a_time_of_day(text):
    with pytest.raises(ValidationError):
        WindowConfig.model_validate({"from": text, "to": "09:00"})


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"type": "switch", "default": 2}, "default of a switch is 0 or 1"),
        ({"type": "switch", "failsafe": 50}, "failsafe of a switch is 0 or 1"),
        ({"type": "switch", "deadband": 5}, "deadband does not belong to a switch"),
        ({"type": "level", "min_on_s": 5, "max_starts_per_h": 2}, "min_on_s, max_starts_per_h does not belong to a l"),
        ({"type": "level", "default": 101}, "less than or equal to 100"),
    ],
)
def test_an_actuator_takes_only_what_fits_its_type(parts, message):
    with pytest.raises(ValidationError, match=message):
        ActuatorConfig.model_validate({"id": "a", "zone": "z", "device": "d"} | parts)


def test_a_rule_moves_at_least_one_actuator():
    with pytest.raises(ValidationError):
        RuleConfig.model_validate(rule(actuators=[]))
