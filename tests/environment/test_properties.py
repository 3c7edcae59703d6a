"""What holds for any rules and any samples: protections, overrides that end, interlocks that win, no flapping.

The engine is also held against a second, plain implementation of the same table (tests/support/rule_oracle.py).
"""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from environment.config import ActuatorConfig, EnvironmentConfig
from environment.engine import Engine
from environment.rulebook.case import read_case, run_case
from environment.state import Batch, Command, Override, Sample, State, Tick
from tests.support.house import T0, at
from tests.support.rule_oracle import expected

UTC = ZoneInfo("UTC")
METRICS = ("temp", "rh", "lux", "flag")
SENSORS = [{"id": f"{zone}-{metric}", "zone": zone, "metric": metric} for zone in ("in", "out") for metric in METRICS]
SENSORS.append({"id": "in-temp-2", "zone": "in", "metric": "temp"})
NAMES = ("ac", "fan", "vent", "curtain")
SWITCHES = ("ac", "fan")
VALUES = {
    "temp": st.sampled_from([18, 20, 21, 22, 23, 24, 25, 26, 27, 30]),
    "rh": st.sampled_from([30, 45, 50, 55, 60, 65, 90]),
    "lux": st.sampled_from([0, 50, 200, 500, 900, 5000]),
    "flag": st.sampled_from([0, 1]),
}
JUNK = st.sampled_from([None, float("nan"), -999, 1e9])
SPANS = st.sampled_from([0, 0, 7, 10, 30, 45, 60, 120])
TIMES = st.sampled_from(["00:00", "00:01", "00:02", "00:05", "12:00", "23:00", "23:59"])


@st.composite
def conditions(draw: st.DrawFn, *, minus: bool = True) -> dict[str, Any]:
    metric = draw(st.sampled_from(["temp", "temp", "temp", *METRICS, "dew_point"]))
    if metric == "flag":
        return {"metric": "flag", "equals": 1}
    side = draw(st.sampled_from(["above", "below"]))
    when: dict[str, Any] = {"metric": metric, "hysteresis": draw(st.sampled_from([0, 0.5, 1, 4, 100]))}
    if minus and metric in ("temp", "dew_point") and draw(st.integers(0, 3)) == 0:
        return when | {"minus": f"out.{metric}", side: draw(st.sampled_from([-2, 0, 1, 3]))}
    limits = VALUES["temp"] if metric == "dew_point" else VALUES[metric]
    return when | {side: draw(limits)}


@st.composite
def windows(draw: st.DrawFn) -> dict[str, Any]:
    start = draw(TIMES)
    end = draw(TIMES.filter(lambda time: time != start))
    return {"from": start, "to": end, "days": draw(st.sampled_from([["mon"], ["sun"], ["mon", "tue", "sun"]]))}


@st.composite
def rules(draw: st.DrawFn, number: int) -> dict[str, Any]:
    names = draw(st.sampled_from([SWITCHES, ("vent", "curtain")]))
    rule: dict[str, Any] = {
        "id": f"rule-{number}",
        "zone": "in",
        "priority": draw(st.sampled_from([1, 2, 2])),
        "when": draw(conditions()),
        "for_s": draw(SPANS),
        "release_for_s": draw(SPANS),
        "guard": draw(st.lists(conditions(), max_size=2)) if draw(st.integers(0, 3)) == 0 else [],
        "actuators": draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True)),
        "set": draw(st.sampled_from([0, 1, 1] if names is SWITCHES else [0, 5, 30, 60, 100])),
        "on_unknown": draw(st.sampled_from(["release", "release", "hold", "failsafe"])),
        "shift": draw(st.lists(windows().map(lambda w: w | {"add": 1.0}), max_size=2)),
    }
    if draw(st.integers(0, 3)) == 0:
        rule["schedule"] = draw(st.lists(windows(), min_size=1, max_size=2))
    return rule


@st.composite
def actuators(draw: st.DrawFn, name: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": name, "zone": "in", "type": "switch" if name in SWITCHES else "level"}
    if name in SWITCHES:
        entry |= {"default": draw(st.sampled_from([0, 0, 1])), "failsafe": draw(st.sampled_from([0, 1]))}
        entry |= {"min_on_s": draw(SPANS), "min_off_s": draw(SPANS)}
        starts = draw(st.sampled_from([None, 1, 2, 5]))
        return entry if starts is None else entry | {"max_starts_per_h": starts}
    entry |= {"default": draw(st.sampled_from([0, 30])), "failsafe": draw(st.sampled_from([0, 100]))}
    return entry | {"deadband": draw(st.sampled_from([0, 10, 40])), "min_move_interval_s": draw(SPANS)}


@st.composite
def samples(draw: st.DrawFn, end_s: int) -> list[Any]:
    sensor = draw(st.sampled_from([SENSORS[0]] * 6 + SENSORS))
    value = draw(JUNK if draw(st.integers(0, 9)) == 0 else VALUES[str(sensor["metric"])])
    arrival = draw(st.integers(0, end_s))
    row = [arrival, sensor["id"], value]
    return [*row, arrival - draw(st.integers(0, 30))] if draw(st.integers(0, 4)) == 0 else row


@st.composite
def overrides(draw: st.DrawFn, end_s: int) -> dict[str, Any]:
    name = draw(st.sampled_from(NAMES))
    value = draw(st.sampled_from([None, 0, 1] if name in SWITCHES else [None, 0, 20, 100]))
    wish = {"t": draw(st.one_of(st.integers(0, end_s), st.integers(-400, -1))), "actuator": name, "value": value}
    lasts = draw(st.sampled_from([None, 5, 60, 300, 100_000]))
    return wish if lasts is None else wish | {"duration_s": lasts}


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    end_s = draw(st.sampled_from([300, 1200, 7200]))
    locks = st.fixed_dictionaries(
        {
            "zone": st.just("in"),
            "when": conditions(minus=False),
            "force": st.fixed_dictionaries(
                {}, optional={"ac": st.sampled_from([0, 1]), "vent": st.sampled_from([0, 50])}
            ).filter(bool),
        }
    )
    config = {
        "tick_s": draw(st.sampled_from([10, 60])),
        "stale_after_s": draw(st.sampled_from([60, 300, 2000, 2000])),
        "sensor": SENSORS,
        "actuator": [draw(actuators(name)) for name in NAMES],
        "rule": [draw(rules(number)) for number in range(draw(st.integers(1, 5)))],
        "interlock": draw(st.lists(locks, max_size=2)),
        "exclusive": {"groups": draw(st.sampled_from([[], [["ac", "vent"]], [["vent", "fan", "ac"]]]))},
    }
    return {
        "config": config,
        "start": "2026-01-05T00:00",
        "samples": draw(st.lists(samples(end_s), max_size=60)),
        "overrides": draw(st.lists(overrides(end_s), max_size=6)),
        "end_s": end_s,
    }


@st.composite
def storms(draw: st.DrawFn) -> dict[str, Any]:
    """A temperature that jumps about the limits all the time, often onto one: only protections hold what it moves."""
    ladder = [(22, 20), (24, 60), (26, 65), (28, 100)]
    bands, unknown = st.sampled_from([0, 1, 2, 3]), st.sampled_from(["release", "hold", "failsafe"])
    rules = [
        {"id": f"vent-{limit}", "zone": "in", "priority": limit, "actuators": ["vent"], "set": value}
        | {"when": {"metric": "temp", "above": limit, "hysteresis": draw(bands)}, "on_unknown": draw(unknown)}
        for limit, value in ladder
    ]
    side = draw(st.sampled_from(["above", "below"]))
    when = {"metric": "temp", side: 25, "hysteresis": draw(bands)}
    ac = {"id": "ac", "zone": "in", "when": when, "actuators": ["ac"], "set": 1, "on_unknown": draw(unknown)}
    rules.append(ac | {"for_s": draw(SPANS) * 5, "release_for_s": draw(SPANS) * 5})
    pauses = draw(st.lists(st.sampled_from([1, 10, 60, 300, 900]), min_size=20, max_size=60))
    values = draw(st.lists(st.sampled_from([20, 23, 25, 27, 29]), min_size=60, max_size=60))
    times = list(accumulate(pauses))
    config = {
        "tick_s": 30,
        "stale_after_s": draw(st.sampled_from([100, 400, 80_000])),
        "sensor": SENSORS,
        "actuator": [draw(actuators(name)) for name in NAMES],
        "rule": rules,
    }
    rows = [[time, "in-temp", value] for time, value in zip(times, values, strict=False)]
    wishes = draw(st.lists(overrides(times[-1]), max_size=6))
    return {"config": config, "samples": rows, "overrides": wishes, "end_s": times[-1]}


@given(st.one_of(cases(), storms()))
@settings(max_examples=160, deadline=None)
def test_the_engine_does_what_the_table_says(case: dict[str, Any]) -> None:
    commands = run_case(read_case(case)[0], ZoneInfo)
    assert [tuple(row[:3]) for row in commands] == expected(case)


class Watched:
    """A case played instant by instant, with what was commanded when and by whom."""

    def __init__(self, case: dict[str, Any]) -> None:
        read, _ = read_case(case)
        self.config: EnvironmentConfig = read.config
        self.engine = Engine(read.config, UTC)
        self.state = State()
        self.commands: list[tuple[float, Command]] = []
        inputs: dict[float, list[Any]] = {}
        for sample in read.samples:
            inputs.setdefault(sample.arrival_s, []).append(Sample(at(sample.arrival_s), sample.sensor, sample.value))
        for wish in read.overrides:
            lasts = min(wish.duration_s or 7200, 43_200)
            inputs.setdefault(wish.t, []).append(Override(wish.actuator, wish.value, "o", "user:7", lasts))
        ticks = {n * read.config.tick_s for n in range(int(read.end_s // read.config.tick_s) + 1)}
        self.instants = [(t, [*inputs.get(t, []), Tick()]) for t in sorted(ticks | inputs.keys())]

    def play(self) -> Any:
        for now, events in self.instants:
            step = self.engine.step(self.state, Batch(tuple(events)), at(now))
            self.state = step.state
            self.commands += [(now, effect) for effect in step.effects if isinstance(effect, Command)]
            yield now


@given(st.one_of(cases(), storms()))
@settings(max_examples=100, deadline=None)
def test_no_protection_is_violated_but_by_an_interlock(case: dict[str, Any]) -> None:
    watched = Watched(case)
    for _ in watched.play():
        pass
    for actuator in watched.config.actuator:
        value, changed, starts = actuator.default, -1e9, list[float]()
        for now, command in watched.commands:
            if command.actuator != actuator.id:
                continue
            if command.authority != "interlock":
                _check_protection(actuator, (value, command.value), now - changed)
            if actuator.type == "switch" and command.value == 1:
                within = [start for start in starts if now - start < 3600]
                limit = actuator.max_starts_per_h or 1_000_000
                assert len(within) < limit or command.authority == "interlock"
                starts.append(now)
            value, changed = command.value, now


def _check_protection(actuator: ActuatorConfig, move: tuple[int, int], since_s: float) -> None:
    value, target = move
    if actuator.type == "level":
        assert since_s >= actuator.min_move_interval_s
        assert abs(target - value) >= actuator.deadband or target in (0, 100)
    elif target == 0:
        assert since_s >= actuator.min_on_s
    else:
        assert since_s >= actuator.min_off_s


@given(cases())
@settings(max_examples=100, deadline=None)
def test_an_interlock_always_wins_and_an_override_always_ends(case: dict[str, Any]) -> None:
    case["config"]["exclusive"] = {"groups": []}
    watched = Watched(case)
    for now in watched.play():
        forced: dict[str, int] = {}
        for number, lock in enumerate(watched.config.interlock, start=1):
            if watched.state.interlocks[f"interlock-{number}"]:
                forced = dict(lock.force) | forced
        for name, value in forced.items():
            assert watched.state.actuators[name].commanded == value
        for override in watched.state.overrides.values():
            assert at(now) < override.end <= override.since + timedelta(seconds=43_200)
    long_after = T0 + timedelta(days=1)
    step = watched.engine.step(watched.state, Tick(), long_after)
    assert not step.state.overrides
    assert all(row.authority != "override" for row in step.state.decisions)


@given(cases(), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_the_order_of_an_instants_events_does_not_matter_where_they_do_not_meet(
    case: dict[str, Any], shuffled: random.Random
) -> None:
    """Samples of different sensors and overrides of different actuators may come in any order, and mixed."""
    watched, other = Watched(case), Watched(case)
    other.instants = [(now, _reordered(events, shuffled)) for now, events in other.instants]
    for first, second in zip(watched.play(), other.play(), strict=True):
        assert first == second
        assert watched.state == other.state
    assert watched.commands == other.commands


def _reordered(events: list[Any], shuffled: random.Random) -> list[Any]:
    """Those of one sensor, or of one actuator, keep their order among themselves."""
    keys = [getattr(event, "sensor", getattr(event, "actuator", "")) for event in events]
    queues: dict[str, list[Any]] = {}
    for key, event in zip(keys, events, strict=True):
        queues.setdefault(key, []).append(event)
    shuffled.shuffle(keys)
    return [queues[key].pop(0) for key in keys]


@given(
    side=st.sampled_from(["above", "below"]),
    band=st.floats(0.1, 10),
    spans=st.tuples(SPANS, SPANS),
    was=st.booleans(),
    walk=st.lists(st.floats(0.001, 0.999), max_size=60),
)
@settings(max_examples=100, deadline=None)
def test_nothing_flaps_inside_a_dead_band(
    side: str, band: float, spans: tuple[float, float], was: bool, walk: list[float]
) -> None:
    sign = 1 if side == "above" else -1
    rule = {
        "id": "r",
        "zone": "in",
        "when": {"metric": "temp", side: 20.0, "hysteresis": band},
        "for_s": spans[0],
        "release_for_s": spans[1],
        "actuators": ["ac"],
        "set": 1,
    }
    first = 20.0 + sign * (1 if was else -band - 1)
    config = {"tick_s": 10, "stale_after_s": 300, "sensor": SENSORS, "rule": [rule]}
    config["actuator"] = [{"id": "ac", "type": "switch", "zone": "in"}]
    rows = [[200 + 7 * n, "in-temp", 20.0 - sign * band * part] for n, part in enumerate(walk)]
    case = {"config": config, "samples": [[0, "in-temp", first], *rows], "end_s": 200 + 7 * len(walk)}
    moves = run_case(read_case(case)[0], ZoneInfo)
    assert [row[2] for row in moves] == ([1] if was else [])
