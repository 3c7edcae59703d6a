import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from environment.persistence import from_json, to_json
from environment.state import CancelOverride, Command, Sample, State, Tick
from tests.support.house import HOT, VENT, Player, at, house, override

RULES = [
    HOT | {"for_s": 30, "release_for_s": 20, "on_unknown": "hold", "guard": [{"metric": "rh", "below": 60}]},
    {
        "id": "wet",
        "zone": "in",
        "when": {"metric": "rh", "above": 58, "hysteresis": 4},
        "actuators": ["vent"],
        "set": 60,
    },
]
LOCK = {"zone": "in", "when": {"metric": "flag", "equals": 1}, "force": {"vent": 0, "ac": 0}}
ENGINE = house(rule=RULES, interlock=[LOCK], exclusive={"groups": [["ac", "vent"]]})

EVENTS = st.one_of(
    st.builds(lambda v: ("in-temp", v), st.floats(20, 30)),
    st.builds(lambda v: ("in-rh", v), st.floats(40, 70)),
    st.builds(lambda v: ("in-flag", v), st.sampled_from([0.0, 1.0])),
    st.builds(override, st.sampled_from(["ac", "vent"]), st.sampled_from([0, 1, None]), st.floats(1, 200)),
    st.just(CancelOverride("o1", "user:7")),
    st.just(Tick()),
)
HISTORY = st.lists(st.tuples(st.integers(1, 400), EVENTS), max_size=40)


def play(player: Player, history, start: float = 0) -> float:
    now = start
    for pause, event in history:
        now += pause
        player.at(now, Sample(at(now), *event) if isinstance(event, tuple) else event)
    return now


def stored(state: State) -> dict:
    return json.loads(json.dumps(to_json(state)))


@given(HISTORY, HISTORY)
@settings(max_examples=60)
def test_a_restart_changes_nothing_of_what_follows(before, after):
    player = Player(ENGINE)
    now = play(player, [*before, (1, Tick())])  # whoever owns the engine ticks it: its memory is never 15 minutes old
    restored = Player(ENGINE, from_json(stored(player.state), at(now)))
    assert to_json(restored.state) == to_json(player.state)
    player.effects.clear()
    play(player, after, now)
    play(restored, after, now)
    assert restored.effects == player.effects
    assert to_json(restored.state) == to_json(player.state)


@given(HISTORY)
@settings(max_examples=40)
def test_the_same_events_give_the_same_effects(history):
    first, second = Player(ENGINE), Player(ENGINE)
    play(first, history)
    play(second, history)
    assert (first.effects, first.state) == (second.effects, second.state)


@given(HISTORY)
@settings(max_examples=40)
def test_no_actuator_is_commanded_to_where_it_was_last_commanded(history):
    player = Player(ENGINE)
    play(player, history)
    last = {"ac": 0, "vent": 0}
    for command in player.of(Command):
        assert command.value != last[command.actuator]
        last[command.actuator] = command.value


@given(st.lists(st.floats(25.001, 25.999), max_size=30))
def test_nothing_moves_while_the_value_stays_inside_the_deadband(walk):
    for first, moves in ((27.0, ["1@0"]), (20.0, [])):
        player = Player(house()).at(0, Sample(at(0), "in-temp", first))
        for second, value in enumerate(walk, start=1):
            player.at(second, Sample(at(second), "in-temp", value))
        assert player.commands("ac") == moves


def test_s15_after_a_long_absence_latches_are_dropped_and_protections_and_overrides_kept():
    player = Player(house(actuator=[VENT | {"min_move_interval_s": 3600}], rule=[], interlock=[]))
    player.at(0, override("vent", 50, 7200))
    data = stored(player.state)
    restored = from_json(data, at(901))
    assert (restored.rules, restored.interlocks) == ({}, {})
    assert restored.actuators == player.state.actuators
    assert restored.overrides == player.state.overrides


def test_s15_latches_live_for_fifteen_minutes():
    player = Player(ENGINE).at(0, Sample(at(0), "in-temp", 27))
    data = stored(player.state)
    assert from_json(data, at(0) + timedelta(minutes=15)).rules == player.state.rules
    assert from_json(data, at(0) + timedelta(minutes=15, seconds=1)).rules == {}


def test_s15_a_restart_inside_the_deadband_keeps_the_machine_running():
    player = Player(house()).at(0, Sample(at(0), "in-temp", 27)).at(10, Sample(at(10), "in-temp", 25.5))
    restored = Player(house(), from_json(stored(player.state), at(60)))
    assert restored.at(60, Tick()).of(Command) == []
    assert restored.decision("ac").wanted == 1


def test_a_fresh_state_survives_too():
    assert from_json(stored(State()), at(0)) == State()


KEPT = stored(Player(ENGINE).at(0, Tick()).state)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"version": 99},
        KEPT | {"rules": {"r": 5}},
        KEPT | {"samples": {"s": [1, 2]}},
        KEPT | {"actuators": []},
        KEPT | {"evaluated_at": "yesterday"},
    ],
)
def test_damaged_storage_is_one_kind_of_error(data):
    with pytest.raises(ValueError, match="stored environment state cannot be read"):
        from_json(data, at(0))
