"""One test per step S0 to S14 of the rule semantics, and its three worked sequences."""

from datetime import datetime, timedelta

import pytest

from environment.state import (
    CancelOverride,
    Command,
    ConfigChanged,
    Hold,
    OverrideEnded,
    OverrideRefused,
    OverrideStarted,
    Reason,
    Sample,
    SampleDropped,
    State,
    Tick,
)
from tests.support.house import AC, CURTAIN, FAN, HOT, VENT, Player, at, house, override, sample


def temps(*readings: tuple[float, float]) -> list[tuple[float, Sample]]:
    return [sample(seconds, "in-temp", value) for seconds, value in readings]


def purge(**parts) -> dict:
    base = {"id": "purge", "zone": "in", "when": {"metric": "rh", "above": 58.0, "hysteresis": 4.0}}
    return base | {"actuators": ["vent"], "set": 60} | parts


def window_contact(**force: int) -> dict:
    return {"zone": "in", "when": {"metric": "flag", "equals": 1}, "force": force}


# ---------------------------------------------------------------- worked sequences
def test_worked_sequence_of_the_air_conditioner():
    engine = house(actuator=[AC | {"min_on_s": 300, "min_off_s": 180}], rule=[HOT | {"for_s": 30}])
    readings = temps((0, 25.8), (20, 26.2), (60, 25.4), (100, 24.8), (360, 24.9), (380, 26.4), (500, 26.4))
    assert Player(engine).play(600, *readings).commands("ac") == ["1@50", "0@350", "1@530"]


def test_worked_sequence_of_the_curtain():
    when = {"metric": "lux", "above": 550, "hysteresis": 350}
    rule = {"id": "glare", "zone": "in", "when": when, "for_s": 60, "release_for_s": 600, "actuators": ["curtain"]}
    engine = house(actuator=[CURTAIN | {"min_move_interval_s": 300}], rule=[rule | {"set": 100}])
    light = [sample(0, "in-lux", 300), sample(40, "in-lux", 700), sample(90, "in-lux", 720)]
    light += [sample(150 + 60 * n, "in-lux", 160 + 10 * (n % 4)) for n in range(12)]
    assert Player(engine).play(800, *light).commands("curtain") == ["100@100", "0@750"]


def test_worked_sequence_of_the_vent():
    guard = {"metric": "dew_point", "minus": "out.dew_point", "above": 1.0, "hysteresis": 0.5}
    weather = [sample(0, "in-temp", 22), sample(0, "in-rh", 61), sample(0, "out-temp", 27), sample(0, "out-rh", 62)]
    weather += [sample(60, "out-temp", 16), sample(60, "out-rh", 70), sample(120, "in-rh", 55)]
    weather += [sample(180, "in-rh", 53.5), (90, override("vent", 20, 40))]
    player = Player(house(rule=[purge(guard=[guard])])).play(300, *weather)
    assert player.commands("vent") == ["60@60", "20@90", "60@130", "0@180"]


# ---------------------------------------------------------------- S0, S1, S2
def test_s0_a_due_timer_fires_at_the_next_accepted_sample_of_any_sensor():
    engine = house(rule=[HOT | {"for_s": 30}])
    player = Player(engine).at(0, Sample(at(0), "in-temp", 27)).at(29, Sample(at(29), "out-rh", 50))
    assert player.commands("ac") == []
    player.at(31, Sample(at(31), "out-rh", 50))
    assert player.commands("ac") == ["1@31"]


def test_s0_a_dropped_sample_is_no_instant():
    player = Player(house(rule=[HOT | {"for_s": 30}])).at(0, Sample(at(0), "in-temp", 27))
    before = player.state
    player.at(40, Sample(at(40), "in-temp", None))
    assert player.state is before
    assert [dropped.code for dropped in player.of(SampleDropped)] == ["not_a_number"]
    assert player.at(41, ConfigChanged()).commands("ac") == ["1@41"]


def test_s1_late_and_unknown_samples_do_not_control():
    player = Player(house()).at(0, Sample(at(0), "in-temp", 27))
    player.at(10, Sample(at(10), "in-temp", 20, at(-5))).at(20, Sample(at(20), "attic-temp", 20))
    assert [dropped.code for dropped in player.of(SampleDropped)] == ["older_than_newest", "unknown_sensor"]
    assert player.commands("ac") == ["1@0"]


def test_s1_events_of_one_instant_are_taken_together_samples_first():
    guard = {"metric": "temp", "below": 20.0}
    player = Player(house(rule=[purge(guard=[guard])]))
    player.at(0, override("vent", 20), Sample(at(0), "in-rh", 70), Sample(at(0), "in-temp", 18))
    assert player.commands("vent") == ["20@0"]


def test_s2_a_repeated_equal_value_keeps_a_zone_known():
    player = Player(house()).play(700, *temps(*((n, 27) for n in range(0, 601, 200))))
    assert player.commands("ac") == ["1@0"]


# ---------------------------------------------------------------- S3 to S6
def test_s3_a_night_shift_raises_the_limit_for_its_window():
    shift = {"from": "12:01", "to": "13:00", "add": 2.0}
    player = Player(house(rule=[HOT | {"shift": [shift]}])).play(120, *temps((0, 26.5)))
    assert player.commands("ac") == ["1@0", "0@60"]
    assert player.of(Command)[0].reason == Reason(
        "rule", source="hot", zone="in", metric="temp", side="above", value=26.5, threshold=26.0
    )


def test_s3_below_and_equals_are_conditions_too():
    dark = {"id": "dark", "zone": "in", "when": {"metric": "lux", "below": 100}, "actuators": ["fan"], "set": 1}
    flag = {"id": "flag", "zone": "in", "when": {"metric": "flag", "equals": 1}, "actuators": ["ac"], "set": 1}
    player = Player(house(rule=[dark, flag])).at(0, Sample(at(0), "in-lux", 90), Sample(at(0), "in-flag", 1))
    assert [(c.actuator, c.reason.side, c.reason.threshold) for c in player.of(Command)] == [
        ("ac", "equals", 1.0),
        ("fan", "below", 100.0),
    ]


def test_s4_the_deadband_does_not_break_the_waiting():
    player = Player(house(rule=[HOT | {"for_s": 60}])).play(100, *temps((0, 26.2), (30, 25.5)))
    assert player.commands("ac") == ["1@60"]


def test_s4_a_break_starts_the_waiting_anew():
    player = Player(house(rule=[HOT | {"for_s": 60}])).play(200, *temps((0, 26.2), (30, 24), (40, 26.2)))
    assert player.commands("ac") == ["1@100"]


def test_s5_a_rule_lets_go_after_its_release_time():
    player = Player(house(rule=[HOT | {"release_for_s": 60}])).play(200, *temps((0, 27), (30, 24)))
    assert player.commands("ac") == ["1@0", "0@90"]


def test_s6_release_lets_go_when_the_metric_is_unknown():
    player = Player(house(rule=[HOT | {"release_for_s": 600}])).play(400, *temps((0, 27)))
    assert player.commands("ac") == ["1@0", "0@310"]


def test_s6_hold_freezes_the_rule_while_unknown():
    player = Player(house(rule=[HOT | {"on_unknown": "hold"}])).play(900, *temps((0, 27), (800, 20)))
    assert player.commands("ac") == ["1@0", "0@800"]


def test_s6_failsafe_demands_the_safe_value_past_guards_and_schedule():
    rule = {
        "id": "glare",
        "zone": "in",
        "when": {"metric": "lux", "above": 550},
        "guard": [{"metric": "temp", "above": 80}],
        "schedule": [{"from": "00:00", "to": "00:01"}],
        "actuators": ["curtain"],
        "set": 50,
        "on_unknown": "failsafe",
    }
    player = Player(house(rule=[rule])).play(20)
    assert player.commands("curtain") == ["100@0"]
    assert player.of(Command)[0].reason.code == "sensor_unknown"
    player.at(30, Sample(at(30), "in-lux", 900))
    assert player.commands("curtain") == ["100@0", "0@30"]


# ---------------------------------------------------------------- S7
def test_s7_guards_do_not_touch_the_timers():
    rule = HOT | {"for_s": 60, "guard": [{"metric": "rh", "above": 50}]}
    player = Player(house(rule=[rule])).play(100, *temps((0, 27)), sample(70, "in-rh", 60))
    assert player.commands("ac") == ["1@70"]


def test_s7_a_guard_has_its_own_deadband_and_closes_when_unknown():
    rule = HOT | {"guard": [{"metric": "rh", "above": 50, "hysteresis": 5}], "on_unknown": "hold"}
    humid = [sample(0, "in-rh", 51), sample(20, "in-rh", 46), sample(30, "in-rh", 44), sample(40, "in-rh", 47)]
    player = Player(house(rule=[rule])).play(60, *temps((0, 27)), *humid)
    assert player.commands("ac") == ["1@0", "0@30"]
    player.at(70, Sample(at(70), "in-rh", 55)).at(371, Tick())
    assert player.commands("ac") == ["1@0", "0@30", "1@70", "0@371"]
    assert player.at(380, Sample(at(380), "in-rh", 47)).commands("ac")[-1] == "0@371"


def test_s7_a_difference_with_an_unknown_side_is_unknown():
    guard = {"metric": "temp", "minus": "out.temp", "above": 3.0}
    player = Player(house(rule=[HOT | {"guard": [guard]}])).play(20, *temps((0, 27)))
    assert player.commands("ac") == []


def test_s7_outside_its_schedule_a_rule_demands_nothing():
    schedule = [{"from": "08:00", "to": "12:01", "days": ["mon"]}, {"from": "12:02", "to": "12:03"}]
    player = Player(house(rule=[HOT | {"schedule": schedule}])).play(240, *temps((0, 27)))
    assert player.commands("ac") == ["1@0", "0@60", "1@120", "0@180"]


# ---------------------------------------------------------------- S8 to S11
def test_s8_the_highest_priority_wins_and_the_first_in_the_file_wins_a_tie():
    rules = [purge(id=f"r{n}", priority=priority, set=10 * n) for n, priority in ((1, 5), (2, 9), (3, 9))]
    player = Player(house(rule=rules)).at(0, Sample(at(0), "in-rh", 70))
    assert player.commands("vent") == ["20@0"]
    assert player.decision("vent").reason.source == "r2"


def test_s8_an_interlock_stands_above_people_and_people_above_rules():
    player = Player(house(rule=[purge()], interlock=[window_contact(vent=0), window_contact(vent=5)]))
    player.at(0, Sample(at(0), "in-rh", 70)).at(10, override("vent", 30))
    assert player.decision("vent").authority == "override"
    player.at(20, Sample(at(20), "in-flag", 1))
    row = player.decision("vent")
    assert (row.authority, row.reason.code, row.reason.source) == ("interlock", "interlock", "interlock-1")
    player.at(30, Sample(at(30), "in-flag", 0))
    assert player.commands("vent") == ["60@0", "30@10", "0@20", "30@30"]


def test_s9_an_override_ends_by_itself_and_the_rule_takes_over():
    player = Player(house()).play(100, *temps((0, 27)), (20, override("ac", 0, 40)))
    assert player.commands("ac") == ["1@0", "0@20", "1@60"]
    started, ended = player.of(OverrideStarted)[0].override, player.of(OverrideEnded)[0]
    assert (started.since, started.end, started.by) == (at(20), at(60), "user:7")
    assert (ended.override, ended.code, ended.by) == (started, "expired", None)


def test_s9_an_override_shows_its_end_in_the_decision_table():
    player = Player(house()).at(0, override("vent", 25, 60))
    row = player.decision("vent")
    assert (row.wanted, row.commanded, row.override_end, row.reason.by) == (25, 25, at(60), "user:7")


def test_s9_null_cancels_and_so_does_its_id():
    player = Player(house()).at(0, override("vent", 25)).at(5, override("vent", None, id="o2"))
    player.at(10, override("vent", 25, id="o3"), override("ac", 1, id="o4")).at(20, CancelOverride("o3", "user:8"))
    assert player.commands("vent") == ["25@0", "0@5", "25@10", "0@20"]
    assert [(ended.override.id, ended.code, ended.by) for ended in player.of(OverrideEnded)] == [
        ("o1", "cancelled", "user:7"),
        ("o3", "cancelled", "user:8"),
    ]
    assert list(player.state.overrides) == ["ac"]


def test_s9_a_second_override_replaces_the_first():
    player = Player(house()).at(0, override("vent", 25)).at(5, override("vent", 40, id="o2"))
    assert [(ended.override.id, ended.code) for ended in player.of(OverrideEnded)] == [("o1", "replaced")]
    assert player.state.overrides["vent"].id == "o2"


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (override("attic", 1), "unknown_actuator"),
        (override("ac", 2), "value_out_of_range"),
        (override("vent", 101), "value_out_of_range"),
        (override("vent", -1), "value_out_of_range"),
        (override("vent", 50, 43_201), "duration_out_of_range"),
        (override("vent", 50, 0), "duration_out_of_range"),
        (override("vent", 50, float("nan")), "duration_out_of_range"),
        (override("vent", None), "unknown_override"),
        (CancelOverride("o1", "user:7"), "unknown_override"),
    ],
)
def test_s9_an_impossible_override_is_refused_with_its_code(event, code):
    step = house().step(State(), event, at(0))
    assert step.effects == (OverrideRefused("o1", code),)
    assert step.state == State()
    assert not step.store


def test_s9_an_override_may_last_half_a_day():
    assert Player(house()).at(0, override("vent", 50, 43_200)).commands("vent") == ["50@0"]


def test_s10_of_an_exclusive_group_the_stronger_keeps_its_wish():
    groups = {"groups": [["vent", "ac"], ["ac", "fan"]]}
    player = Player(house(rule=[HOT | {"priority": 60}, purge(priority=40)], exclusive=groups))
    player.at(0, Sample(at(0), "in-rh", 70)).at(10, Sample(at(10), "in-temp", 27))
    assert player.commands("vent") == ["60@0", "0@10"]
    assert player.decision("vent").reason == Reason("exclusive", yielded_to="ac")
    assert player.decision("fan").reason.code == "default"
    player.at(20, override("vent", 30))
    assert player.commands("ac") == ["1@10", "0@20"]


def test_s10_equal_members_yield_to_the_first_of_the_group():
    rules = [HOT, HOT | {"id": "hot-2", "actuators": ["fan"]}]
    player = Player(house(rule=rules, exclusive={"groups": [["fan", "ac"]]})).at(0, Sample(at(0), "in-temp", 27))
    assert (player.commands("fan"), player.commands("ac")) == (["1@0"], [])


def test_s11_an_interlock_ignores_protections_and_they_count_from_it():
    slow = AC | {"min_on_s": 300, "min_off_s": 180}
    player = Player(house(actuator=[slow, VENT], interlock=[window_contact(ac=0)]))
    player.at(0, Sample(at(0), "in-temp", 27)).at(10, Sample(at(10), "in-flag", 1))
    player.at(20, Sample(at(20), "in-flag", 0)).at(189, Tick()).at(190, Tick())
    assert player.commands("ac") == ["1@0", "0@10", "1@190"]


# ---------------------------------------------------------------- S12, S13
def test_s12_people_wait_for_the_switch_too_and_are_told_until_when():
    player = Player(house(actuator=[AC | {"min_on_s": 300, "min_off_s": 180}], rule=[]))
    player.at(0, override("ac", 1)).at(100, override("ac", 0, id="o2"))
    row = player.decision("ac")
    assert (row.wanted, row.commanded, row.hold) == (0, 1, Hold("min_on", at(300)))
    player.at(300, Tick()).at(310, override("ac", 1, id="o3"))
    assert player.decision("ac").hold == Hold("min_off", at(480))
    assert player.at(480, Tick()).commands("ac") == ["1@0", "0@300", "1@480"]


def test_s12_no_more_starts_than_allowed_in_the_trailing_hour():
    player = Player(house(actuator=[AC | {"max_starts_per_h": 2}], rule=[]))
    for second, value in ((0, 1), (60, 0), (600, 1), (660, 0), (1200, 1)):
        player.at(second, override("ac", value, id=f"o{second}"))
    assert player.decision("ac").hold == Hold("max_starts", at(3600))
    player.at(3599, Tick()).at(3600, Tick())
    assert player.commands("ac") == ["1@0", "0@60", "1@600", "0@660", "1@3600"]
    assert player.state.actuators["ac"].starts == (at(600), at(3600))


def test_s12_without_history_the_present_state_counts_as_long_held():
    slow = AC | {"min_on_s": 300, "min_off_s": 300}
    assert Player(house(actuator=[slow])).at(0, Sample(at(0), "in-temp", 27)).commands("ac") == ["1@0"]


def test_s13_a_level_moves_no_sooner_than_its_interval_and_then_to_the_present_target():
    player = Player(house(actuator=[VENT | {"min_move_interval_s": 300}], rule=[]))
    player.at(0, override("vent", 30)).at(100, override("vent", 50, id="o2")).at(200, override("vent", 70, id="o3"))
    assert player.decision("vent").hold == Hold("min_move_interval", at(300))
    assert player.at(300, Tick()).commands("vent") == ["30@0", "70@300"]


def test_s13_a_level_makes_no_small_move_except_to_its_ends():
    player = Player(house(actuator=[VENT | {"deadband": 10}], rule=[]))
    for number, value in enumerate((40, 49, 50, 95, 100, 91, 5, 0, 9)):
        player.at(number, override("vent", value, id=f"o{number}"))
    assert player.commands("vent") == ["40@0", "50@2", "95@3", "100@4", "5@6", "0@7"]
    assert player.decision("vent").hold == Hold("deadband", None)


# ---------------------------------------------------------------- S14 and the engine's manners
def test_s14_nothing_is_commanded_twice_and_a_fresh_house_is_at_its_defaults():
    player = Player(house()).play(100, *temps((0, 25), (50, 25)))
    assert player.of(Command) == []
    assert [(row.actuator, row.commanded, row.authority) for row in player.state.decisions] == [
        ("ac", 0, "default"),
        ("fan", 0, "default"),
        ("vent", 0, "default"),
        ("curtain", 0, "default"),
    ]


def test_a_command_says_which_rule_and_which_numbers():
    command = Player(house()).at(0, Sample(at(0), "in-temp", 27)).of(Command)[0]
    assert (command.authority, command.reason.source, command.reason.value) == ("rule", "hot", 27.0)


def test_a_step_asks_to_be_stored_only_when_memory_changed():
    engine = house()
    first = engine.step(State(), Tick(), at(0))
    again = engine.step(first.state, Sample(at(1), "in-temp", 20), at(1))
    hot = engine.step(again.state, Sample(at(2), "in-temp", 27), at(2))
    assert (first.store, again.store, hot.store) == (True, False, True)


def test_a_changed_limit_is_judged_at_once():
    player = Player(house()).at(0, Sample(at(0), "in-temp", 25.9))
    cooler = HOT | {"when": {"metric": "temp", "above": 24.0}, "guard": [{"metric": "temp", "below": 30}]}
    player.engine = house(rule=[cooler])
    assert player.at(10, ConfigChanged()).commands("ac") == ["1@10"]


def test_overrides_of_what_no_longer_exists_end_with_the_configuration():
    player = Player(house()).at(0, override("vent", 50), override("fan", 1, id="o2"), override("ac", 1, id="o3"))
    player.engine = house(actuator=[AC, VENT | {"type": "switch"}])
    player.at(10, ConfigChanged())
    assert [(ended.override.id, ended.code) for ended in player.of(OverrideEnded)] == [
        ("o1", "config_changed"),
        ("o2", "config_changed"),
    ]
    assert list(player.state.overrides) == ["ac"]


def test_a_naive_time_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="aware"):
        house().step(State(), Tick(), datetime(2026, 1, 5))  # noqa: DTZ001 - the mistake under test


def test_fan_is_part_of_the_house():
    assert Player(house(actuator=[FAN, AC])).at(0, override("fan", 1)).commands("fan") == ["1@0"]


# ---------------------------------------------------------------- quiet times
def test_before_the_first_evaluation_it_is_never_quiet():
    assert house().quiet_until(State()) < at(0)


def test_it_is_quiet_until_the_next_thing_that_time_alone_can_change():
    player = Player(house(rule=[])).at(0, Tick())
    assert player.engine.quiet_until(player.state) > at(10**9), "nothing at all"
    player = Player(house(actuator=[AC | {"min_on_s": 50}], rule=[HOT | {"for_s": 40}]))
    until = []
    for second, event in (
        (0, sample(0, "in-temp", 27)[1]),
        (40, Tick()),
        (41, override("ac", 1, 5)),
        (46, override("ac", 0, 100)),
        (90, Tick()),
    ):
        player.at(second, event)
        until.append(player.engine.quiet_until(player.state))
    stale = at(300) + timedelta(microseconds=1)
    assert until == [at(40), stale, at(46), at(90), at(146)]


def test_windows_are_looked_at_every_minute():
    rule = HOT | {"schedule": [{"from": "06:00", "to": "22:00"}]}
    player = Player(house(rule=[rule])).at(25, Tick())
    assert player.engine.quiet_until(player.state) == at(60)


# ---------------------------------------------------------------- how rules stand
def standing(player: Player, rule: str = "hot"):
    return next(entry for entry in player.engine.standings(player.state) if entry.id == rule)


def test_before_the_first_evaluation_no_rule_stands_anywhere():
    assert house().standings(State()) == ()


def test_a_rule_tells_why_it_does_not_act():
    engine = house(
        actuator=[AC | {"min_off_s": 100}],
        rule=[
            HOT
            | {"for_s": 30, "release_for_s": 50, "guard": [{"metric": "lux", "below": 5}]}
            | {"schedule": [{"from": "12:00", "to": "12:02"}]}
        ],
    )
    player = Player(engine).at(0, Tick())
    seen = [standing(player).why_not]
    for second, events in (
        (10, [sample(10, "in-temp", 25)[1]]),
        (20, [sample(20, "in-temp", 27)[1]]),
        (50, [Tick()]),
        (60, [sample(60, "in-lux", 1)[1]]),
        (70, [override("ac", 0, 10)]),
        (85, [Tick()]),
        (120, [Tick()]),
    ):
        player.at(second, *events)
        seen.append(standing(player).why_not)
    assert seen == [
        "sensor_unknown",
        "condition_false",
        "waiting",
        "guard_closed",
        None,
        "outranked",
        "protected",
        "outside_schedule",
    ]


def test_a_rule_tells_what_it_compares_and_until_when_it_waits():
    shift = [{"from": "12:00", "to": "13:00", "add": 1.0}]
    player = Player(house(rule=[HOT | {"for_s": 30, "release_for_s": 50, "shift": shift}]))
    player.at(0, sample(0, "in-temp", 27.5)[1])
    found = standing(player)
    assert (found.value, found.threshold, found.side) == (27.5, 27.0, "above")
    assert (found.latched, found.active, found.since, found.until) == (True, False, at(0), at(30))
    player.at(30, Tick())
    assert (standing(player).active, standing(player).until, standing(player).acting) == (True, None, True)
    player.at(40, sample(40, "in-temp", 20)[1])
    assert (standing(player).acting, standing(player).until) == (True, at(90)), "it lets go later"


def test_a_silent_sensors_rule_that_asks_for_safety_acts():
    actuators = [AC, FAN, VENT, CURTAIN]
    rule = HOT | {"actuators": ["curtain"], "on_unknown": "failsafe", "set": 50}
    player = Player(house(actuator=actuators, rule=[rule])).at(0, Tick())
    found = standing(player)
    assert (found.value, found.active, found.demanding, found.acting) == (None, False, True, True)
