"""Dry runs by hand: the worked sequences, and what becomes of demands, with a case for each clause of S8 to S14."""

from __future__ import annotations

from typing import Any

import pytest

from environment.rulebook.case import read_case
from tests.support.dry_run import AC, DEW, HOT, VENT, case, rule, run, short, vent_rule, wish


# ---------------------------------------------------------------- worked sequences of the rules' reference
def test_the_air_conditioner_of_the_reference() -> None:
    readings = [(0, 25.8), (20, 26.2), (60, 25.4), (100, 24.8), (360, 24.9), (380, 26.4), (500, 26.4)]
    samples = [[at, "t", value] for at, value in readings]
    found = run(samples, 600, actuator=[AC | {"min_on_s": 300, "min_off_s": 180}], rule=[rule(for_s=30)])
    assert found == [[50, "ac", 1, "hot"], [350, "ac", 0, "default"], [530, "ac", 1, "hot"]]


def test_the_curtain_of_the_reference() -> None:
    light = {"metric": "lux", "above": 550, "hysteresis": 350}
    curtain = {"id": "curtain", "type": "level", "zone": "in", "failsafe": 100, "min_move_interval_s": 300}
    glare = {"id": "glare", "zone": "in", "when": light, "for_s": 60, "release_for_s": 600, "actuators": ["curtain"]}
    samples = [[0, "lux", 300], [40, "lux", 700], [90, "lux", 720]]
    samples += [[150 + 60 * n, "lux", 160 + 10 * (n % 4)] for n in range(12)]
    found = run(samples, 900, actuator=[curtain], rule=[glare | {"set": 100}])
    assert found == [[100, "curtain", 100, "glare"], [750, "curtain", 0, "default"]]


def test_the_vent_of_the_reference() -> None:
    humid = {"metric": "rh", "above": 58, "hysteresis": 4}
    purge = {"id": "purge", "zone": "in", "when": humid, "guard": [DEW], "actuators": ["vent"], "set": 60}
    samples = [[0, "t", 22], [0, "rh", 61], [0, "ot", 27], [0, "orh", 62], [60, "ot", 16], [60, "orh", 70]]
    samples += [[120, "rh", 55], [180, "rh", 53.5]]
    found = run(samples, 300, rule=[purge], overrides=[wish(90, "vent", 20, duration_s=40)])
    assert found == [[60, "vent", 60, "purge"], [90, "vent", 20, "override"], [130, "vent", 60, "purge"],
                     [180, "vent", 0, "default"]]  # fmt: skip


# ---------------------------------------------------------------- S8 to S11: who wins
def test_s8_priority_then_the_first_in_the_file() -> None:
    rules = [vent_rule("a", 10, priority=5), vent_rule("b", 20, priority=9), vent_rule("c", 30, priority=9)]
    assert run([[0, "t", 27]], 20, rule=rules) == [[0, "vent", 20, "b"]]


def test_s8_a_stronger_rule_may_want_the_default() -> None:
    stop = vent_rule("stop", 0, priority=9, when={"metric": "lux", "above": 5})
    found = run([[0, "t", 27], [20, "lux", 9]], 40, rule=[vent_rule("go", 60, priority=5), stop])
    assert found == [[0, "vent", 60, "go"], [20, "vent", 0, "stop"]]


def test_s9_an_override_lasts_two_hours_unless_told() -> None:
    found = short([], 8000, overrides=[wish(5, "ac", 1)])
    assert found == ["1@5", "0@7210"]
    assert short([], 8000, overrides=[wish(5, "ac", 1, duration_s=None)]) == found


def test_s9_and_half_a_day_at_most() -> None:
    assert short([], 50_000, overrides=[wish(0, "ac", 1, duration_s=99_999)], tick_s=100) == ["1@0", "0@43200"]
    _, notes = read_case(case([], 1, overrides=[wish(0, "ac", 1, duration_s=99_999)]))
    assert notes == ["overrides.0.duration_s: an override lasts 43200 s at most; shortened"]


def test_s9_it_is_in_force_up_to_its_end_and_null_ends_it_before() -> None:
    assert short([], 100, overrides=[wish(0, "ac", 1, duration_s=30)]) == ["1@0", "0@30"]
    assert short([], 100, overrides=[wish(0, "ac", 1), wish(24, "ac", None)]) == ["1@0", "0@24"]


def test_s9_a_second_one_takes_the_place_and_the_time_of_the_first() -> None:
    found = short([], 200, "vent", overrides=[wish(0, "vent", 50), wish(20, "vent", 70, duration_s=30)])
    assert found == ["50@0", "70@20", "0@50"]


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        ([wish(-200, "ac", 1, duration_s=150)], []),
        ([wish(-150, "ac", 1, duration_s=150)], []),
        ([wish(-100, "ac", 1, duration_s=150)], ["1@0", "0@50"]),
        ([wish(-0.5, "ac", 1, duration_s=20.5)], ["1@0", "0@20"]),
        ([wish(-7100, "ac", 1)], ["1@0", "0@100"]),
        ([wish(-43_100, "ac", 1, duration_s=99_999)], ["1@0", "0@100"]),
        ([wish(-200, "ac", 1), wish(-100, "ac", 0, duration_s=50)], []),
        ([wish(-200, "ac", 0, duration_s=50), wish(-100, "ac", 1, duration_s=150)], ["1@0", "0@50"]),
        ([wish(-200, "ac", 1), wish(-100, "ac", None)], []),
        ([wish(-100, "ac", 1), wish(30, "ac", None)], ["1@0", "0@30"]),
    ],
)
def test_s9_an_override_from_before_the_start_lasts_from_its_own_time(
    wishes: list[dict[str, Any]], expected: list[str]
) -> None:
    assert short([], 300, overrides=wishes) == expected


def test_s9_it_stands_above_rules_and_below_interlocks() -> None:
    lock = {"zone": "in", "when": {"metric": "flag", "equals": 1}, "force": {"ac": 0}}
    samples = [[0, "t", 27], [0, "window", 0], [20, "window", 1], [60, "window", 0]]
    found = run(samples, 100, interlock=[lock], overrides=[wish(10, "ac", 0), wish(30, "ac", 1, duration_s=50)])
    assert found == [
        [0, "ac", 1, "hot"],
        [10, "ac", 0, "override"],
        [60, "ac", 1, "override"],
    ]


def test_s10_a_group_goes_by_class_priority_and_order() -> None:
    both = [rule(priority=5), vent_rule("air", 60, priority=5)]
    groups = {"exclusive": {"groups": [["vent", "ac"]]}}
    hot = [[0, "t", 27]]
    assert run(hot, 20, rule=both, **groups) == [[0, "vent", 60, "air"]], "order in the group"
    assert run(hot, 20, rule=[rule(priority=6), both[1]], **groups) == [[0, "ac", 1, "hot"]], "priority"
    assert run(hot, 20, rule=[rule(priority=6), both[1]], overrides=[wish(10, "vent", 20)], **groups) == [
        [0, "ac", 1, "hot"],
        [10, "ac", 0, "exclusive"],
        [10, "vent", 20, "override"],
    ], "class"


def test_s10_a_member_that_wants_its_default_takes_nothing_away() -> None:
    rules = [rule(priority=9, set=0), vent_rule("air", 60, priority=5)]
    assert run([[0, "t", 27]], 20, rule=rules, exclusive={"groups": [["ac", "vent"]]}) == [[0, "vent", 60, "air"]]


def test_s11_an_interlock_ignores_protections_which_count_from_it() -> None:
    lock = {"zone": "in", "when": {"metric": "flag", "equals": 1}, "force": {"ac": 0, "vent": 5}}
    actuators = [AC | {"min_on_s": 300, "min_off_s": 100}, VENT | {"deadband": 20, "min_move_interval_s": 300}]
    samples = [[0, "t", 27], [10, "window", 1], [20, "window", 0]]
    found = run(samples, 120, actuator=actuators, interlock=[lock])
    assert found == [[0, "ac", 1, "hot"], [10, "ac", 0, "interlock-1"], [10, "vent", 5, "interlock-1"],
                     [110, "ac", 1, "hot"]]  # fmt: skip


def test_s11_the_first_of_two_interlocks_wins() -> None:
    locks = [{"zone": "in", "when": {"metric": "flag", "equals": 1}, "force": {"vent": value}} for value in (30, 70)]
    assert run([[10, "window", 1]], 20, interlock=locks) == [[10, "vent", 30, "interlock-1"]]


# ---------------------------------------------------------------- S12, S13: protections
def test_s12_on_and_off_wait_also_for_people() -> None:
    protected = [AC | {"min_on_s": 60, "min_off_s": 40}]
    wishes = [wish(0, "ac", 1), wish(20, "ac", 0), wish(70, "ac", 1)]
    assert short([], 200, actuator=protected, overrides=wishes) == ["1@0", "0@60", "1@100"]


def test_s12_starts_in_any_hour_are_limited() -> None:
    limited = [AC | {"max_starts_per_h": 2}]
    wishes = [wish(t, "ac", n % 2) for n, t in enumerate((0, 100, 200, 300, 400), start=1)]
    found = short([], 4000, actuator=limited, overrides=wishes)
    assert found == ["1@0", "0@100", "1@200", "0@300", "1@3600"]


def test_s12_at_the_start_the_present_state_counts_as_long_held() -> None:
    protected = [AC | {"min_on_s": 600, "min_off_s": 600, "default": 0}]
    assert short([[0, "t", 27]], 20, actuator=protected) == ["1@0"]
    on_by_default = [AC | {"min_on_s": 600, "default": 1}]
    assert short([[0, "t", 27]], 20, actuator=on_by_default, rule=[rule(set=0)]) == ["0@0"]


def test_s13_a_level_waits_between_moves_and_then_takes_the_present_target() -> None:
    slow = [AC, VENT | {"min_move_interval_s": 100}]
    wishes = [wish(0, "vent", 30), wish(20, "vent", 50), wish(40, "vent", 80)]
    assert short([], 200, "vent", actuator=slow, overrides=wishes) == ["30@0", "80@100"]


def test_s13_small_moves_are_left_out_unless_they_reach_an_end() -> None:
    lazy = [AC, VENT | {"deadband": 10}]
    wishes = [wish(n * 10, "vent", value) for n, value in enumerate((5, 10, 19, 20, 95, 100, 96, 5, 0))]
    found = short([], 200, "vent", actuator=lazy, overrides=wishes)
    assert found == ["10@10", "20@30", "95@40", "100@50", "5@70", "0@80"]


# ---------------------------------------------------------------- S14: output
def test_s14_at_rest_nothing_is_commanded() -> None:
    assert run([[0, "t", 20]], 100) == []
    assert run([[0, "t", 27]], 100, rule=[rule(set=0)]) == [], "what is wanted is where it is"


def test_s14_another_reason_for_the_same_value_is_no_command() -> None:
    assert run([[0, "t", 27]], 100, overrides=[wish(10, "ac", 1, duration_s=20)]) == [[0, "ac", 1, "hot"]]


def test_commands_of_one_instant_come_in_the_order_of_the_actuators() -> None:
    rules = [vent_rule("air", 60), HOT]
    assert [row[1] for row in run([[0, "t", 27]], 10, rule=rules)] == ["ac", "vent"]
