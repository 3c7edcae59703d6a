"""What lint says about rules, and what it is silent about."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from environment.config import EnvironmentConfig
from environment.rulebook.findings import ERRORS, OF_GUARDS, SENTENCES
from environment.rulebook.lint import lint
from environment.rulebook.presets import PRESETS, Outputs, as_toml

ZONES = ("in", "out")
METRICS = ("temp", "rh", "lux", "co2", "flag", "occupancy")
SENSORS = [
    {"id": f"{zone}-{metric}", "zone": zone, "metric": metric, "device": f"{zone}-{metric}"}
    for zone in ZONES
    for metric in METRICS
]
OUTPUTS = Outputs("in-ac", "in-heater", "in-vent", "in-dehumidifier", "in-curtain")
ACTUATORS = [
    {"id": "in-ac", "type": "switch", "zone": "in", "device": "d1"},
    {"id": "in-heater", "type": "switch", "zone": "in", "device": "d2"},
    {"id": "in-dehumidifier", "type": "switch", "zone": "in", "device": "d3"},
    {"id": "in-vent", "type": "level", "zone": "in", "device": "d4", "deadband": 10},
    {"id": "in-curtain", "type": "level", "zone": "in", "device": "d5", "deadband": 10},
]
DEW = {"metric": "dew_point", "minus": "out.dew_point", "above": 1.0, "hysteresis": 0.5}
FLOOR = {"metric": "temp", "above": 18.0, "hysteresis": 0.5}
COOL: dict[str, Any] = {
    "id": "cool",
    "zone": "in",
    "when": {"metric": "temp", "above": 26, "hysteresis": 1},
    "actuators": ["in-ac"],
    "set": 1,
}
HEAT = COOL | {"id": "heat", "when": {"metric": "temp", "below": 20, "hysteresis": 1}, "actuators": ["in-heater"]}
PURGE = COOL | {
    "id": "purge",
    "when": {"metric": "rh", "above": 60, "hysteresis": 4},
    "guard": [DEW, FLOOR],
    "actuators": ["in-vent"],
    "set": 60,
}
SHADE = COOL | {
    "id": "shade",
    "when": {"metric": "lux", "above": 1000, "hysteresis": 900},
    "actuators": ["in-curtain"],
    "set": 100,
}


def found(*rules: dict[str, Any], **parts: Any) -> list[tuple[str, ...]]:
    config = {"sensor": SENSORS, "actuator": ACTUATORS, "rule": list(rules)} | parts
    return [(finding.code, *finding.rules) for finding in lint(EnvironmentConfig.model_validate(config))]


def when(metric: str, **limits: Any) -> dict[str, Any]:
    return {"when": {"metric": metric} | limits}


def test_sound_rules_are_left_alone() -> None:
    assert found(COOL, HEAT, PURGE, SHADE) == []


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (COOL | when("temp", above=26), "no_hysteresis"),
        (COOL | when("temp", above=26, hysteresis=0.1), "hysteresis_below_noise"),
        (COOL | {"guard": [{"metric": "rh", "above": 30}]}, "no_hysteresis"),
        (COOL | {"guard": [{"metric": "temp", "minus": "out.temp", "above": 3}]}, "no_hysteresis"),
        (COOL | when("flag", equals=1), ""),
        (COOL | when("occupancy", above=1), ""),
        (SHADE | when("lux", above=1000, hysteresis=800), "own_shadow"),
        (SHADE | when("lux", above=1000, hysteresis=851), ""),
        (SHADE | when("lux", above=1000, hysteresis=500) | {"set": 50}, ""),
        (SHADE | when("lux", above=1000, hysteresis=400) | {"set": 50}, "own_shadow"),
        (SHADE | when("lux", below=1000, hysteresis=400), ""),
        (COOL | when("temp", above=90, hysteresis=1), "never_true"),
        (COOL | when("temp", below=-50, hysteresis=1), "never_true"),
        (COOL | when("flag", equals=2), "never_true"),
        (COOL | when("temp", minus="out.temp", above=130, hysteresis=1), "never_true"),
        (COOL | {"guard": [{"metric": "rh", "below": -1, "hysteresis": 2}]}, "never_true"),
        (SHADE | when("lux", above=200, hysteresis=250), "no_way_back"),
        (COOL | when("rh", below=90, hysteresis=20) | {"actuators": ["in-heater"]}, "no_way_back"),
        (COOL | {"guard": [{"metric": "temp", "below": 20, "hysteresis": 1}]}, "guard_contradicts"),
        (COOL | {"guard": [{"metric": "temp", "below": 25.5, "hysteresis": 0.5}]}, ""),
        (COOL | {"guard": [{"metric": "lux", "equals": 1}, {"metric": "lux", "equals": 2}]}, "guard_contradicts"),
        (COOL | {"guard": [{"metric": "temp", "equals": 20}]}, "guard_contradicts"),
        (COOL | {"set": 0}, "sets_default"),
        (PURGE | {"set": 5}, "inside_deadband"),
        (PURGE | {"guard": [FLOOR]}, "ventilation_without_dew_point"),
        (PURGE | {"guard": [DEW]}, "ventilation_without_floor"),
        (PURGE | {"actuators": ["in-dehumidifier"], "set": 1, "guard": []}, ""),
        (PURGE | {"actuators": ["in-ac"], "set": 1, "guard": [DEW]}, "cooling_for_humidity"),
        (PURGE | {"actuators": ["in-ac"], "set": 1, "guard": [FLOOR]}, ""),
        (PURGE | {"actuators": ["in-ac"], "set": 0, "guard": []}, "sets_default"),
        (SHADE | when("lux", minus="out.lux", above=1000, hysteresis=100), ""),
        (COOL | {"actuators": ["in-vent"], "set": 60}, "free_cooling_unguarded"),
        (
            COOL
            | {"actuators": ["in-vent"], "set": 60}
            | {"guard": [DEW, {"metric": "temp", "minus": "out.temp", "above": 3, "hysteresis": 1}]},
            "",
        ),
        (
            COOL
            | {"schedule": [{"from": "08:00", "to": "18:00", "days": ["sun"]}]}
            | {"shift": [{"from": "22:00", "to": "09:00", "days": ["sat"], "add": 1}]},
            "",
        ),
        (
            COOL
            | {"schedule": [{"from": "08:00", "to": "18:00"}], "shift": [{"from": "22:00", "to": "06:00", "add": 1}]},
            "shift_outside_schedule",
        ),
    ],
)
def test_one_rule(rule: dict[str, Any], code: str) -> None:
    assert found(rule) == ([(code, rule["id"])] if code else [])


def test_a_shift_can_make_a_limit_reachable() -> None:
    rule = COOL | when("temp", above=90, hysteresis=1) | {"shift": [{"from": "22:00", "to": "06:00", "add": -60}]}
    assert found(rule) == []


def test_a_rule_for_the_default_makes_sense_above_another() -> None:
    stop = PURGE | {"id": "stop", "set": 0, "priority": 60} | when("co2", below=400, hysteresis=50)
    assert found(PURGE, stop) == []
    assert found(PURGE, stop | {"priority": 10}) == [("sets_default", "stop")]


MORNING, EVENING = [{"from": "06:00", "to": "12:00"}], [{"from": "12:00", "to": "18:00"}]
OTHER = PURGE | {"id": "other", "set": 30}


@pytest.mark.parametrize(
    ("one", "other", "code"),
    [
        (PURGE, OTHER | when("co2", above=1000, hysteresis=100), "conflict"),
        (PURGE, OTHER | when("co2", above=1000, hysteresis=100) | {"priority": 60}, ""),
        (PURGE, OTHER | when("co2", above=1000, hysteresis=100) | {"set": 60}, ""),
        (PURGE | {"schedule": MORNING}, OTHER | {"schedule": EVENING}, ""),
        (PURGE, OTHER | when("rh", below=50, hysteresis=4), ""),
        (PURGE, OTHER | when("rh", below=57, hysteresis=4), "conflict"),
        (
            PURGE,
            OTHER | {"guard": [FLOOR, DEW | {"above": None, "below": 0.0}]} | when("co2", above=9, hysteresis=50),
            "",
        ),
    ],
)
def test_conflicts_of_two_rules(one: dict[str, Any], other: dict[str, Any], code: str) -> None:
    pairs = [row for row in found(one, other) if row[0] == "conflict"]
    assert pairs == ([(code, "purge", "other")] if code else [])


@pytest.mark.parametrize(
    ("below", "overlap"), [(24.0, False), (24.5, True), (25.9, True), (30.0, True)]
)  # cooling holds down to 25, heating up to a degree above its limit
def test_heating_and_cooling_need_a_gap_between_them(below: float, overlap: bool) -> None:
    heat = HEAT | when("temp", below=below, hysteresis=1)
    assert found(COOL, heat) == ([("bands_overlap", "cool", "heat")] if overlap else [])


def test_opposites_that_never_meet_are_no_fight() -> None:
    heat = HEAT | when("temp", below=25, hysteresis=2)
    assert found(COOL | {"schedule": EVENING}, heat | {"schedule": MORNING}) == []


@pytest.mark.parametrize(
    ("change", "shadowed"),
    [
        ({}, True),
        (when("temp", above=27, hysteresis=1), True),
        (when("temp", above=25, hysteresis=1), False),
        ({"guard": [{"metric": "rh", "above": 30, "hysteresis": 3}]}, True),
        ({"for_s": 60}, True),
        ({"release_for_s": 60}, False),
        ({"schedule": MORNING}, True),
        ({"on_unknown": "hold"}, False),
        ({"shift": [{"from": "01:00", "to": "02:00", "add": -9}]}, False),
        (when("rh", above=60, hysteresis=3) | {"guard": [FLOOR]}, False),
        ({"actuators": ["in-ac", "in-heater"]}, False),
    ],
)
def test_a_rule_that_another_always_outranks_is_named(change: dict[str, Any], shadowed: bool) -> None:
    weak = COOL | {"id": "weak", "priority": 10} | change
    named = [row for row in found(COOL | {"priority": 20}, weak) if row[0] == "shadowed"]
    assert named == ([("shadowed", "weak", "cool")] if shadowed else [])
    assert [row for row in found(weak, COOL | {"priority": 20}) if row[0] == "shadowed"] == named


def test_what_a_rule_cools_with_is_a_cooler_whatever_it_is_called() -> None:
    unit = {"id": "in-unit", "type": "switch", "zone": "in", "device": "d9"}
    cool = COOL | {"actuators": ["in-unit"]}
    dry = PURGE | {"id": "dry", "actuators": ["in-unit"], "set": 1, "guard": []}
    assert found(cool, dry, actuator=[unit]) == [("cooling_for_humidity", "dry")]
    assert found(dry, actuator=[unit]) == []


@pytest.mark.parametrize(
    ("strong", "weak", "shadowed"),
    [
        (when("temp", below=20, hysteresis=2), when("temp", below=19, hysteresis=2), True),
        (when("temp", below=20, hysteresis=2), when("temp", below=20.5, hysteresis=2), False),
        (when("occupancy", equals=1), when("occupancy", equals=1), True),
        (when("occupancy", equals=1), when("occupancy", equals=2), False),
        (when("temp", below=20, hysteresis=2), when("temp", above=20, hysteresis=2), False),
    ],
)
def test_shadows_on_every_side(strong: dict[str, Any], weak: dict[str, Any], shadowed: bool) -> None:
    rules = [COOL | {"priority": 20} | strong, COOL | {"id": "weak", "priority": 10} | weak]
    assert any(row[0] == "shadowed" for row in found(*rules)) is shadowed


def test_an_interlock_that_forces_what_excludes_each_other_is_named() -> None:
    lock = {"zone": "in", "when": {"metric": "flag", "equals": 1}, "force": {"in-ac": 1, "in-vent": 50}}
    groups = {"exclusive": {"groups": [["in-ac", "in-vent"]]}}
    assert found(interlock=[lock], **groups) == [("interlock_against_group", "interlock-1")]
    assert found(interlock=[lock]) == []
    assert found(interlock=[lock | {"force": {"in-ac": 1, "in-vent": 0}}], **groups) == []


def test_every_finding_is_a_sentence_that_names_its_rules() -> None:
    bad = [COOL | when("temp", above=90), PURGE | {"guard": []}, SHADE | when("lux", above=100, hysteresis=1)]
    config = EnvironmentConfig.model_validate({"sensor": SENSORS, "actuator": ACTUATORS, "rule": bad})
    findings = lint(config)
    assert len(findings) == 6
    for finding in findings:
        assert finding.text.endswith(".")
        assert all(f"'{name}'" in finding.text for name in finding.rules)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_every_preset_is_valid_and_lints_clean(preset: Any) -> None:
    text = as_toml(preset, "in", OUTPUTS)
    rules = tomllib.loads(text).get("environment", {}).get("rule", [])
    assert found(*rules) == []
    assert bool(rules) == (preset.name != "en-16893")
    assert "starting point" in text
    assert "complian" not in text.lower()
    assert "certif" not in text.lower()


def test_an_unverified_preset_says_so() -> None:
    for preset in PRESETS:
        status = as_toml(preset, "in", OUTPUTS).splitlines()[1]
        assert (preset.status in ("unverified", "secondary")) == ("unverified" in status)


def test_a_preset_leaves_out_what_a_zone_cannot_do() -> None:
    text = as_toml(PRESETS[0], "in", Outputs(vent="in-vent"))
    assert [rule["id"] for rule in tomllib.loads(text)["environment"]["rule"]] == ["in-purge"]
    assert "No rule follows" in as_toml(PRESETS[0], "in", Outputs())


def test_the_shipped_rules_have_no_finding() -> None:
    section = tomllib.loads(Path("config.toml").read_text(encoding="utf-8"))["environment"]
    assert lint(EnvironmentConfig.model_validate(section)) == []


# ---------------------------------------------------------------- the findings themselves
def test_every_finding_fills_its_sentence_and_says_whether_it_is_an_error() -> None:
    never = COOL | when("temp", above=90, hysteresis=1) | {"guard": [{"metric": "rh", "below": -1, "hysteresis": 2}]}
    parts = {"sensor": SENSORS, "actuator": ACTUATORS, "rule": [never]}
    first, second = lint(EnvironmentConfig.model_validate(parts))
    assert (first.error, first.guard, first.params["limit"]) == (True, 0, 90.0)
    assert first.text.startswith(
        "The condition of 'cool' can never be true: the measured value (temp) stays within -40"
    )
    assert (second.guard, second.text.split(" of ")[0]) == (1, "Guard 1")


def test_every_sentence_belongs_to_a_code_and_every_error_is_one() -> None:
    assert set(SENTENCES) >= ERRORS
    assert set(OF_GUARDS) <= set(SENTENCES)
