"""A case as a file holds it: what it may say, what is left out of it with a word, and what is refused."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from environment.rulebook.case import CaseError, read_case, run_case
from tests.support.dry_run import DEW, HOT, SENSORS, VENT, case, rule, run, sensor, short, vent_rule, wish


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
