"""What the engine tells besides commands: how long it will be quiet, and how each rule stands."""

from datetime import timedelta

from environment.state import State, Tick
from tests.support.house import AC, CURTAIN, FAN, HOT, VENT, Player, at, house, override, sample


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
