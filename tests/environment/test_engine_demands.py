"""The engine's three worked sequences, and a test per step S0 to S7: when a rule demands something."""

from environment.state import Command, ConfigChanged, Reason, Sample, SampleDropped, Tick
from tests.support.house import AC, CURTAIN, HOT, Player, at, house, override, purge, sample, temps


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
