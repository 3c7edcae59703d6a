"""What becomes of the demands, a test per step S8 to S14, and the engine's manners towards its caller."""

from datetime import datetime

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
    State,
    Tick,
)
from tests.support.house import AC, FAN, HOT, VENT, Player, at, house, override, purge, temps, window_contact


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
