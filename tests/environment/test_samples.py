from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from environment.config import SensorConfig
from environment.preservation.moisture import dew_point
from environment.samples import PLAUSIBLE, ZoneValues, judge, sensors_by_zone
from environment.state import Accepted, Sample

T0 = datetime(2026, 1, 5, tzinfo=UTC)
STALE = timedelta(seconds=300)


def s(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


@pytest.mark.parametrize("metric", PLAUSIBLE)
def test_a_plausible_range_includes_its_ends_and_nothing_beyond(metric):
    low, high = PLAUSIBLE[metric]
    for value in (low, high):
        assert judge(Sample(T0, "x", value), metric, None) == Accepted(value, T0, T0)
    for value in (low - 0.1, high + 0.1):
        assert judge(Sample(T0, "x", value), metric, None) == "out_of_range"


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_dropped(value):
    assert judge(Sample(T0, "x", value), "temp", None) == "not_a_number"


def test_a_sensor_nobody_configured_is_dropped():
    assert judge(Sample(T0, "x", 20), None, None) == "unknown_sensor"


def test_a_sample_older_than_the_newest_is_dropped_and_an_equally_old_one_taken():
    newest = Accepted(20.0, T0 + s(60), T0 + s(50))
    assert judge(Sample(T0 + s(70), "x", 21, T0 + s(49)), "temp", newest) == "older_than_newest"
    assert judge(Sample(T0 + s(70), "x", 21, T0 + s(50)), "temp", newest) == Accepted(21.0, T0 + s(70), T0 + s(50))


def values(samples: dict[str, Accepted], now: datetime = T0) -> ZoneValues:
    sensors = tuple(
        SensorConfig(id=f"{metric}-{number}", zone="hall", metric=metric, device=f"d{number}")
        for metric in ("temp", "rh")
        for number in (1, 2, 3)
    )
    return ZoneValues(sensors_by_zone(sensors), samples, now, STALE)


def fresh(value: float, arrival: datetime = T0) -> Accepted:
    return Accepted(value, arrival, arrival)


def test_a_zone_is_the_median_of_its_fresh_sensors():
    samples = {"temp-1": fresh(20), "temp-2": fresh(21), "temp-3": fresh(35)}
    assert values(samples).get(("hall", "temp")) == 21
    assert values({"temp-1": fresh(20), "temp-2": fresh(21)}).get(("hall", "temp")) == 20.5


def test_a_sensor_counts_until_it_is_older_than_the_limit():
    samples = {"temp-1": fresh(20), "temp-2": fresh(30, T0 + s(10))}
    assert values(samples, T0 + s(300)).get(("hall", "temp")) == 25
    assert values(samples, T0 + s(301)).get(("hall", "temp")) == 30
    assert values(samples, T0 + s(311)).get(("hall", "temp")) is None


def test_a_zone_without_such_a_sensor_is_unknown():
    assert values({}).get(("cellar", "temp")) is None


def test_derived_metrics_need_temperature_and_humidity_of_the_zone():
    both = values({"temp-1": fresh(20), "rh-1": fresh(50)})
    assert both.get(("hall", "dew_point")) == pytest.approx(dew_point(20, 50))
    assert both.get(("hall", "abs_humidity")) == pytest.approx(8.624, abs=0.001)
    assert values({"temp-1": fresh(20)}).get(("hall", "dew_point")) is None
    assert values({"rh-1": fresh(50)}).get(("hall", "dew_point")) is None
    assert values({"temp-1": fresh(20), "rh-1": fresh(0)}).get(("hall", "dew_point")) is None


NAMES = [f"{metric}-{number}" for metric in ("temp", "rh") for number in (1, 2, 3)]
KEYS = [("hall", metric) for metric in ("temp", "rh", "dew_point", "abs_humidity")]


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.floats(5, 95), st.sampled_from([-40, 0, 1, 90, 200, 299, 301]))))
def test_values_taken_over_from_an_instant_ago_are_those_computed_anew(history):
    samples: dict[str, Accepted] = {}
    sensors, now, before = values({})._sensors, T0, values({})
    for name, value, wait_s in history:
        now += s(wait_s)
        samples = {**samples, name: Accepted(value, now, now)}
        after = ZoneValues(sensors, samples, now, STALE)
        after.take_over(before, {("hall", name[:-2])})
        anew = ZoneValues(sensors, samples, now, STALE)
        assert [after.get(key) for key in KEYS] == [anew.get(key) for key in KEYS]
        before = after
