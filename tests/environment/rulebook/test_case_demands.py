"""Dry runs by hand: when a rule demands something, with a case for each clause of S0 to S7."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.dry_run import AC, DEW, SENSORS, VENT, rule, run, sensor, short, vent_rule, wish


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
