"""Dry runs by hand: the worked sequences and a case for each clause of S0 to S15, as a file would hold them."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from environment.rulebook.case import CaseError, read_case, run_case

ON, OFF = 1, 0


def sensor(id_: str, zone: str, metric: str) -> dict[str, Any]:
    return {"id": id_, "zone": zone, "metric": metric}


SENSORS = [
    sensor("t", "in", "temp"),
    sensor("rh", "in", "rh"),
    sensor("lux", "in", "lux"),
    sensor("window", "in", "flag"),
    sensor("people", "in", "occupancy"),
    sensor("ot", "out", "temp"),
    sensor("orh", "out", "rh"),
]
AC = {"id": "ac", "type": "switch", "zone": "in"}
VENT = {"id": "vent", "type": "level", "zone": "in"}
HOT = {
    "id": "hot",
    "zone": "in",
    "when": {"metric": "temp", "above": 26, "hysteresis": 1},
    "actuators": ["ac"],
    "set": 1,
}
DEW = {"metric": "dew_point", "minus": "out.dew_point", "above": 1.0, "hysteresis": 0.5}


def rule(**parts: Any) -> dict[str, Any]:
    return HOT | parts


def vent_rule(id_: str, set_: int, **parts: Any) -> dict[str, Any]:
    return HOT | {"id": id_, "actuators": ["vent"], "set": set_} | parts


def case(samples: list[list[Any]], end_s: float, **parts: Any) -> dict[str, Any]:
    config = {"tick_s": 10, "stale_after_s": 300, "sensor": SENSORS, "actuator": [AC, VENT], "rule": [HOT]}
    kept = {key: parts.pop(key) for key in ("start", "timezone", "overrides") if key in parts}
    return {"config": config | parts, "samples": samples, "end_s": end_s} | kept


def run(samples: list[list[Any]], end_s: float, **parts: Any) -> list[list[Any]]:
    read, _ = read_case(case(samples, end_s, **parts))
    return run_case(read, ZoneInfo)


def short(samples: list[list[Any]], end_s: float, of: str = "ac", **parts: Any) -> list[str]:
    return [f"{value}@{at}" for at, name, value, _ in run(samples, end_s, **parts) if name == of]


def wish(t: float, actuator: str, value: int | None, **parts: Any) -> dict[str, Any]:
    return {"t": t, "actuator": actuator, "value": value} | parts


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


# ---------------------------------------------------------------- S0: instants
def test_s0_a_sample_between_ticks_acts_at_its_own_time() -> None:
    assert short([[3, "t", 27], [14.5, "t", 24]], 30) == ["1@3", "0@14.5"]


def test_s0_a_timer_due_between_ticks_fires_at_the_next_tick() -> None:
    assert short([[3, "t", 27]], 60, rule=[rule(for_s=12)]) == ["1@20"]


def test_s0_or_at_the_next_accepted_sample_of_any_sensor() -> None:
    assert short([[3, "t", 27], [16, "lux", 5]], 60, rule=[rule(for_s=12)]) == ["1@16"]


def test_s0_but_not_at_a_dropped_one() -> None:
    for dropped in (None, "NaN", 900.0):
        assert short([[3, "t", 27], [16, "t", dropped]], 60, rule=[rule(for_s=12)]) == ["1@20"]


def test_s0_nor_before_it_is_due() -> None:
    assert short([[3, "t", 27], [14, "lux", 5]], 60, rule=[rule(for_s=12)]) == ["1@20"]


def test_s0_an_override_of_another_actuator_is_an_instant_too() -> None:
    found = short([[3, "t", 27]], 60, rule=[rule(for_s=12)], overrides=[wish(17, "vent", 10)])
    assert found == ["1@17"]


def test_s0_even_one_that_cancels_nothing() -> None:
    found = short([[3, "t", 27]], 60, rule=[rule(for_s=12)], overrides=[wish(17, "vent", None)])
    assert found == ["1@17"]


def test_s0_the_end_is_an_instant_when_a_tick_reaches_it_and_nothing_after_it_is() -> None:
    assert short([[20, "t", 27], [20.5, "t", 20]], 20) == ["1@20"]
    assert short([[3, "t", 27]], 19, rule=[rule(for_s=16)]) == []


# ---------------------------------------------------------------- S1, S2: samples and zone values
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in ("t", "people") for value in (None, "NaN")),
        *(("t", -40.1), ("t", 85.1), ("rh", -0.1), ("rh", 100.1), ("lux", -1), ("lux", 200001)),
        *(("people", -1), ("people", 100001), ("window", -0.1), ("window", 1.1)),
    ],
)
def test_s1_what_cannot_be_is_dropped(name: str, value: float | None) -> None:
    metric = {"t": "temp", "people": "occupancy", "window": "flag"}.get(name, name)
    low = rule(when={"metric": metric, "above": -1000})
    assert short([[10, name, value]], 30, rule=[low]) == []
    assert short([[10, name, 1]], 30, rule=[low]) == ["1@10"]


def test_s1_a_sample_older_than_the_newest_does_not_control() -> None:
    assert short([[10, "t", 27, 10], [12, "t", 20, 9]], 30) == ["1@10"]
    assert short([[10, "t", 27, 10], [12, "t", 20, 10]], 30) == ["1@10", "0@12"], "equally old counts"


def test_s1_a_late_sample_is_as_fresh_as_its_arrival() -> None:
    assert short([[400, "t", 27, 5]], 800) == ["1@400", "0@710"]


def test_s1_of_one_instant_the_samples_come_before_the_override() -> None:
    found = run([[10, "t", 27]], 20, overrides=[wish(10, "ac", 1)])
    assert found == [[10, "ac", 1, "override"]]


def test_s1_two_samples_of_one_instant_are_judged_once() -> None:
    assert short([[10, "t", 27], [10, "t", 20]], 20) == []


def test_s1_the_file_need_not_be_in_order() -> None:
    assert short([[40, "t", 20], [10, "t", 27]], 60) == ["1@10", "0@40"]


def test_s2_a_zone_is_the_median_of_its_fresh_sensors() -> None:
    two = [*SENSORS, sensor("t2", "in", "temp"), sensor("t3", "in", "temp")]
    assert short([[0, "t", 20], [0, "t2", 33]], 20, sensor=two) == ["1@0"], "of two the middle of both"
    assert short([[0, "t", 20], [0, "t2", 33], [10, "t3", 20]], 20, sensor=two) == ["1@0", "0@10"]


def test_s2_a_stale_sensor_does_not_count() -> None:
    two = [*SENSORS, sensor("t2", "in", "temp")]
    samples = [[0, "t", 20], *([at, "t2", 28] for at in range(0, 600, 100))]
    assert short(samples, 500, sensor=two) == ["1@310"]


def test_s2_fresh_is_up_to_and_with_the_limit() -> None:
    assert short([[0, "t", 27]], 400) == ["1@0", "0@310"]


def test_s2_an_equal_value_again_is_fresh() -> None:
    assert short([[at, "t", 27] for at in range(0, 901, 300)], 900) == ["1@0"]


# ---------------------------------------------------------------- S3: conditions
@pytest.mark.parametrize(
    ("when", "walk", "expected"),
    [
        ({"above": 26, "hysteresis": 1}, [25.9, 26.0, 25.1, 25.0], ["1@10", "0@30"]),
        ({"above": 26, "hysteresis": 0}, [25.9, 26.0, 25.9, 26.0], ["1@10", "0@20", "1@30"]),
        ({"above": 26}, [26.0, 25.999], ["1@0", "0@10"]),
        ({"below": 20, "hysteresis": 1}, [20.1, 20.0, 20.9, 21.0], ["1@10", "0@30"]),
        ({"below": 20}, [20.1, 20.0, 20.1], ["1@10", "0@20"]),
        ({"equals": 21}, [20.9, 21, 21.1], ["1@10", "0@20"]),
        ({"above": 26, "hysteresis": 1}, [25.5], []),
    ],
)
def test_s3_limits_and_their_dead_bands(when: dict[str, Any], walk: list[float], expected: list[str]) -> None:
    samples = [[10 * n, "t", value] for n, value in enumerate(walk)]
    assert short(samples, 10 * len(walk) + 20, rule=[rule(when={"metric": "temp"} | when)]) == expected


def test_s3_shifts_in_force_add_up() -> None:
    shifts = [{"from": "08:00", "to": "12:00", "add": 2.0}, {"from": "08:01", "to": "12:00", "add": -1.0}]
    found = short([[0, "t", 27], [30, "t", 27]], 120, rule=[rule(shift=shifts)], start="2026-01-05T07:59")
    assert found == ["1@0", "0@60", "1@120"], "26, from 8:00 on 28, from 8:01 on 27"


def test_s3_a_shift_moves_the_way_back_too() -> None:
    shifts = [{"from": "08:00", "to": "12:00", "add": 2.0}]
    samples = [[0, "t", 28], [30, "t", 27.1], [60, "t", 27.0]]
    assert short(samples, 90, rule=[rule(shift=shifts)], start="2026-01-05T08:00") == ["1@0", "0@60"]


# ---------------------------------------------------------------- S4, S5: timers
def test_s4_the_dead_band_does_not_break_the_waiting_but_its_end_does() -> None:
    waiting = [rule(for_s=40)]
    assert short([[0, "t", 27], [20, "t", 25.5]], 60, rule=waiting) == ["1@40"]
    assert short([[0, "t", 27], [20, "t", 25], [30, "t", 27]], 80, rule=waiting) == ["1@70"]


def test_s5_an_active_rule_waits_for_unbroken_falsehood() -> None:
    slow = [rule(release_for_s=30)]
    assert short([[0, "t", 27], [10, "t", 24]], 60, rule=slow) == ["1@0", "0@40"]
    assert short([[0, "t", 27], [10, "t", 24], [30, "t", 26], [40, "t", 24]], 90, rule=slow) == ["1@0", "0@70"]


def test_s4_a_rule_that_was_not_let_go_need_not_wait_again() -> None:
    both = [rule(for_s=20, release_for_s=30)]
    assert short([[0, "t", 27], [30, "t", 24], [50, "t", 27]], 120, rule=both) == ["1@20"]


# ---------------------------------------------------------------- S6: unknown
def test_s6_a_sensor_never_seen_is_unknown() -> None:
    assert run([], 60) == []
    assert run([], 60, rule=[rule(on_unknown="failsafe")], actuator=[AC | {"failsafe": 1}]) == [
        [0, "ac", 1, "sensor_unknown"]
    ]


def test_s6_release_lets_go_at_once_and_forgets_the_timers() -> None:
    found = short([[0, "t", 27], [400, "t", 25.5], [500, "t", 27]], 600, rule=[rule(for_s=20, release_for_s=900)])
    assert found == ["1@20", "0@310", "1@520"], "25.5 lies in the dead band and starts false"


def test_s6_hold_freezes_activity_and_timers() -> None:
    assert short([[0, "t", 27]], 900, rule=[rule(on_unknown="hold")]) == ["1@0"]
    frozen = short([[0, "t", 27], [600, "t", 27]], 900, rule=[rule(on_unknown="hold", for_s=400)])
    assert frozen == ["1@690"], "310 s before the silence, 90 s after it"


def test_s6_hold_asks_for_nothing_while_a_guard_or_the_schedule_says_no() -> None:
    dark, early = {"metric": "lux", "below": 5}, [{"from": "00:00", "to": "00:10"}]
    samples = [[0, "t", 27], [0, "lux", 1], [290, "lux", 1], [400, "lux", 9], [500, "lux", 1]]
    assert short(samples, 700, rule=[rule(on_unknown="hold", guard=[dark])]) == ["1@0", "0@400", "1@500"]
    assert short(samples, 700, rule=[rule(on_unknown="hold", schedule=early)]) == ["1@0", "0@600"]


def test_s6_failsafe_demands_past_guards_and_schedule_at_the_rules_priority() -> None:
    safe = rule(
        on_unknown="failsafe",
        guard=[DEW],
        schedule=[{"from": "01:00", "to": "02:00"}],
        actuators=["vent"],
        set=60,
        priority=60,
    )
    weak = vent_rule("weak", 30, when={"metric": "lux", "above": 1}, priority=50)
    strong = weak | {"id": "strong", "set": 45, "priority": 70}
    actuators = [AC, VENT | {"failsafe": 100}]
    samples = [[0, "t", 20], *([at, "lux", 9] for at in range(0, 500, 100))]
    assert short(samples, 400, "vent", rule=[safe, weak], actuator=actuators) == ["30@0", "100@310"]
    assert short(samples, 400, "vent", rule=[safe, strong], actuator=actuators) == ["45@0"]


# ---------------------------------------------------------------- S7: guards and schedules
def test_s7_a_guard_does_not_touch_the_timers() -> None:
    dark = {"metric": "lux", "below": 5}
    samples = [[0, "t", 27], [0, "lux", 9], [50, "lux", 4], [60, "lux", 9]]
    assert short(samples, 90, rule=[rule(for_s=30, guard=[dark])]) == ["1@50", "0@60"]


def test_s7_an_unknown_guard_is_closed_and_every_guard_must_be_open() -> None:
    dark, empty = {"metric": "lux", "below": 5}, {"metric": "occupancy", "equals": 0}
    guarded = [rule(guard=[dark, empty])]
    assert short([[0, "t", 27]], 60, rule=guarded) == []
    assert short([[0, "t", 27], [10, "lux", 1]], 60, rule=guarded) == []
    assert short([[0, "t", 27], [10, "lux", 1], [20, "people", 0]], 60, rule=guarded) == ["1@20"]


@pytest.mark.parametrize(
    ("indoor", "outdoor", "opens"),
    [((22, 65), (26, 60), False), ((22, 65), (14, 80), True), ((21, 63), (8, 90), True),
     ((24, 55), (30, 40), False), ((18, 58), (18, 70), False)],
)  # fmt: skip
def test_s7_the_ventilation_guard_of_the_reference(
    indoor: tuple[float, float], outdoor: tuple[float, float], opens: bool
) -> None:
    samples = [[0, "t", indoor[0]], [0, "rh", indoor[1]], [0, "ot", outdoor[0]], [0, "orh", outdoor[1]]]
    purge = vent_rule("purge", 60, when={"metric": "rh", "above": 50, "hysteresis": 4}, guard=[DEW])
    assert short(samples, 20, "vent", rule=[purge]) == (["60@0"] if opens else [])
    assert short(samples[:3], 20, "vent", rule=[purge]) == [], "without outdoor humidity the guard is closed"


def test_s7_a_guard_has_a_dead_band_of_its_own() -> None:
    bright = {"metric": "lux", "above": 100, "hysteresis": 20}
    samples = [[0, "t", 27], [0, "lux", 100], [10, "lux", 81], [20, "lux", 80], [30, "lux", 99]]
    assert short(samples, 60, rule=[rule(guard=[bright])]) == ["1@0", "0@20"]


def test_s7_a_window_holds_its_start_and_not_its_end() -> None:
    office = [{"from": "08:00", "to": "08:02"}]
    found = short([[0, "t", 27]], 240, rule=[rule(schedule=office)], start="2026-01-05T07:59")
    assert found == ["1@60", "0@180"]


def test_s7_a_night_window_belongs_to_the_day_it_began() -> None:
    night = [{"from": "23:00", "to": "01:00", "days": ["mon"]}]
    samples = [[at, "t", 27] for at in range(0, 3 * 86_400, 250)]
    at = {"rule": [rule(schedule=night)], "tick_s": 60}
    assert short(samples, 86_400, start="2026-01-05T12:00", **at) == ["1@39600", "0@46800"], "Monday"
    assert short(samples, 7200, start="2026-01-05T00:00", **at) == [], "Monday 0:30 is Sunday's night"
    assert short(samples, 7200, start="2026-01-06T00:00", **at) == ["1@0", "0@3600"]


def test_s7_the_timers_run_outside_the_schedule() -> None:
    office = [{"from": "08:00", "to": "09:00"}]
    assert short([[0, "t", 27]], 90, rule=[rule(for_s=60, schedule=office)], start="2026-01-05T07:59") == ["1@60"]


def test_without_a_start_the_clock_begins_on_a_monday_at_midnight() -> None:
    early = [{"from": "00:00", "to": "00:01", "days": ["mon"]}]
    assert short([[0, "t", 27]], 90, rule=[rule(schedule=early)]) == ["1@0", "0@60"]


def test_summer_time_comes_with_the_time_zone_and_not_without() -> None:
    early = [{"from": "03:00", "to": "04:00"}]
    samples = [[at, "t", 27] for at in range(0, 7200, 300)]
    parts = {"rule": [rule(schedule=early)], "start": "2026-03-29T01:30", "tick_s": 60}
    assert short(samples, 7000, **parts) == ["1@5400"]
    assert short(samples, 7000, timezone="Europe/Berlin", **parts) == ["1@1800", "0@5400"], "2:00 is 3:00 that night"


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


# ---------------------------------------------------------------- the file
def test_names_may_be_any_words_in_a_dry_run() -> None:
    sensors = [sensor("T.1", "Room_A", "temp"), sensor("o", "Out_Side", "temp")]
    warm = {"metric": "temp", "minus": "Out_Side.temp", "above": 3}
    rules = [{"id": "R1", "zone": "Room_A", "when": warm, "actuators": ["AC_1"], "set": 1}]
    actuators = [{"id": "AC_1", "type": "switch", "zone": "Room_A"}]
    found = run([[0, "T.1", 20], [0, "o", 5]], 10, sensor=sensors, actuator=actuators, rule=rules)
    assert found == [[0, "AC_1", 1, "R1"]]


def test_times_are_whole_numbers_where_they_can_be() -> None:
    found = run([[0.25, "t", 27], [1.0, "t", 20]], 2, tick_s=0.5)
    assert json.dumps([row[0] for row in found]) == "[0.25, 1]"


def test_a_very_long_time_means_never() -> None:
    assert short([[0, "t", 27]], 90_000, stale_after_s=1e9, tick_s=3600) == ["1@0"]
    assert short([[0, "t", 27], [10, "t", 20]], 90_000, stale_after_s=1e9, rule=[rule(release_for_s=1e9)]) == ["1@0"]


def test_what_came_before_the_start_is_known_at_the_start() -> None:
    assert short([[-100, "t", 27]], 300) == ["1@0", "0@210"]


def test_a_writers_own_notes_in_a_case_are_left_out_with_a_word() -> None:
    _, notes = read_case(case([], 1) | {"about": "mine"})
    assert notes == ["the key 'about' means nothing here and is left out"]


@pytest.mark.parametrize("start", ["2026-01-05T07:59Z", "2026-01-05T07:59+08:00", "2026-01-05T07:59-03:30"])
def test_an_offset_in_the_start_is_left_out_with_a_word(start: str) -> None:
    office = [{"from": "08:00", "to": "09:00"}]
    read, notes = read_case(case([[0, "t", 27]], 90, rule=[rule(schedule=office)], start=start))
    assert notes == [
        "start: it is local time in the case's timezone; its UTC offset means nothing here and is left out"
    ]
    assert run_case(read, ZoneInfo) == [[60, "ac", 1, "hot"]]


@pytest.mark.parametrize("start", ["1970-01-01T00:00", "2200-12-31T23:59:50"])
@pytest.mark.parametrize("timezone", ["Asia/Shanghai", "America/New_York"])
def test_the_first_and_the_last_year_can_be_run(start: str, timezone: str) -> None:
    assert short([[-3e8, "t", 20], [0, "t", 27]], 60, start=start, timezone=timezone) == ["1@0"]


def test_a_sensor_that_is_not_there_is_unknown_and_told_of() -> None:
    lacking = [{**VENT, "default": 30}], [vent_rule("dry", 60, when={"metric": "rh", "above": 58}, guard=[DEW])]
    whole = case([[0, "rh", 70], [0, "t", 22]], 20, sensor=SENSORS[:2], actuator=lacking[0], rule=lacking[1])
    read, notes = read_case(whole)
    assert run_case(read, ZoneInfo) == []
    assert notes == ["rule dry: no sensor in zone 'out' (zones with sensors: in); it counts as unknown"]


def test_an_actuator_needs_no_zone() -> None:
    assert short([[0, "t", 27]], 0, actuator=[{"id": "ac", "type": "switch"}]) == ["1@0"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"end_s": "soon"}, "'end_s' = 'soon': input should be a valid number"),
        ({"end_s": -1}, "'end_s' = -1: input should be greater than or equal to 0"),
        ({"sample": []}, "unknown key 'sample': did you mean 'samples'?"),
        ({"samples": [[0, "t"]]}, "'samples.0': write [arrival_s, sensor, value] or"),
        ({"samples": [["now", "t", 1]]}, "'samples.0': arrival_s is a number of seconds after the start"),
        ({"samples": [[0, "t", 1, "now"]]}, "'samples.0': sample_time_s is a number of seconds"),
        ({"samples": [[0, "t", "warm"]]}, "'samples.0': the value is a number or null, not a text"),
        ({"samples": [[0, "t", []]]}, "'samples.0': the value is a number or null"),
        ({"samples": [[0, 1, 1]]}, "'samples.0': the sensor is its id, a text"),
        ({"samples": [[0, "nose", 1]]}, "samples.0: unknown sensor 'nose' (there are: lux, orh, ot"),
        ({"overrides": [wish(0, "lift", 1)]}, "overrides.0: unknown actuator 'lift' (there are: ac, vent)"),
        ({"overrides": [wish(0, "ac", 7)]}, "overrides.0: ac is a switch and takes 0 or 1, not 7"),
        ({"overrides": [wish(0, "ac", 1, duration_s=0)]}, "'overrides.0.duration_s' = 0: input should be greater"),
        ({"overrides": [{"t": 0, "actuator": "ac"}]}, "'overrides.0.value' is missing: add it"),
        ({"start": "noon"}, "'start' = 'noon': write a local time such as"),
        ({"samples": [[0, "t", int("9" * 400)]]}, "'samples.0': the value is larger than any number measured: write"),
        ({"start": "9999-12-31T23:59:50"}, "'start' = '9999-12-31T23:59:50': write a year from 1970 to 2200"),
        ({"start": "0001-01-01T00:00"}, "'start' = '0001-01-01T00:00': write a year from 1970 to 2200"),
        ({"start": "1969-12-31T23:59Z"}, "'start' = '1969-12-31T23:59Z': write a year from 1970 to 2200"),
        ({"start": "2201-01-01"}, "'start' = '2201-01-01': write a year from 1970 to 2200"),
        ({"start": 7}, "'start' = 7: write a local time such as"),
        ({"timezone": "Moon/Sea"}, "'timezone' = 'Moon/Sea': no such time zone"),
        ({"config": {"rules": []}}, "unknown key 'config.rules': remove it or correct its spelling"),
        ({"config": None}, "'config': input should be"),
        ({"config": {"sensor": [sensor("a b", "in", "temp")]}}, "'config.sensor.0.id' = 'a b': write a name without"),
        ({"config": {"rule": [HOT]}}, "'config': rule hot: unknown actuator 'ac' (there are: none)"),
        ({"config": {"rule": [rule(schedule={"from": "08:00"})]}}, "'config.rule.0.schedule': input should be a list"),
        (
            {"config": {"rule": [rule(schedule=[{"from": "8", "to": "22:00"}])]}},
            "'config.rule.0.schedule.0.from' = '8': write a time such as 08:00",
        ),
        (
            {"config": {"rule": [rule(schedule=[{"from": "08:00", "to": "25:00"}])]}},
            "'config.rule.0.schedule.0.to' = '25:00': write a time such as 22:00, at most 24:00",
        ),
        (
            {"config": {"rule": [rule(when={"metric": "warmth", "above": 1})]}},
            "'config.rule.0.when.metric' = 'warmth': there are temp, rh, lux, co2, occupancy, flag, dew_point, abs_hum",
        ),
        ({"config": {"tick_s": 0}}, "'config.tick_s' = 0: input should be greater than or equal to 0.001"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_key(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(CaseError) as refused:
        run_case(read_case(case([], 1) | change)[0], ZoneInfo)
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("missing", ["config", "end_s"])
def test_what_is_missing_is_named(missing: str) -> None:
    whole = case([], 1)
    del whole[missing]
    with pytest.raises(CaseError, match=f"'{missing}' is missing: add it"):
        read_case(whole)


def test_a_case_is_an_object() -> None:
    with pytest.raises(CaseError, match="a case is an object"):
        read_case([1])
