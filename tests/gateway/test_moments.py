"""Every reading has a millisecond of its own, so that all stores keep all of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrel.contracts.telemetry import Quantity, Reading
from gateway import moments as module
from gateway.instants import microseconds
from gateway.moments import Moments
from gateway.relay.lines import Lines
from gateway.relay.spool import Row
from tests.support.clock import NOON
from tests.support.influx_fake import parse_line


def reading(after_us: int, value: float = 20.0, device: str = "room-th") -> Reading:
    at = NOON + timedelta(microseconds=after_us)
    return Reading(device=device, zone="room", quantity=Quantity.TEMP, value=value, at=at)


def ms(one: Reading) -> int:
    return microseconds(one.at) // 1000


def test_a_reading_alone_in_its_millisecond_stays_as_it_is() -> None:
    moments = Moments()
    for at in (0, 1000, 5000):
        one = reading(at)
        assert moments.own(one) is one
    other = reading(5000, device="hall-th")
    assert moments.own(other) is other


def test_the_later_of_two_in_one_millisecond_comes_after_it() -> None:
    moments = Moments()
    told = [moments.own(reading(at, value)) for at, value in ((100, 1.0), (900, 2.0), (901, 3.0), (1500, 4.0))]
    assert [ms(one) - ms(told[0]) for one in told] == [0, 1, 2, 3]
    assert [one.value for one in told] == [1.0, 2.0, 3.0, 4.0]


@given(st.lists(st.tuples(st.integers(0, 2500), st.sampled_from(["a", "b"])), max_size=60))
def test_the_server_and_influxdb_hold_the_same_and_nothing_is_lost(steps: list[tuple[int, str]]) -> None:
    moments, lines = Moments(), Lines("main", "gw-1")
    first_wins: dict[tuple[str, int], float] = {}  # as the server's database does
    last_wins: dict[tuple[str, int], float] = {}  # as InfluxDB does
    at_us = 0
    order: dict[str, list[int]] = {"a": [], "b": []}
    for number, (step_us, device) in enumerate(steps):
        at_us += step_us
        one = moments.own(reading(at_us, float(number), device))
        assert ms(one) >= ms(reading(at_us))
        order[device].append(ms(one))
        row = Row(number, microseconds(one.at), one.device, one.zone, one.quantity.value, one.value)
        first_wins.setdefault((device, ms(one)), one.value)
        last_wins[device, parse_line(lines.line(row), "ms", 0).at_ns // 1_000_000] = one.value
    assert first_wins == last_wins
    assert len(first_wins) == len(steps)
    assert all(times == sorted(times) for times in order.values())


@given(st.lists(st.integers(-3000, 3000), max_size=4))
def test_a_clock_that_trembles_makes_no_two_alike(jumps_us: list[int]) -> None:
    moments = Moments()
    at_us, told = 10_000, []
    for jump_us in (0, *jumps_us):
        at_us += jump_us
        told.append(ms(moments.own(reading(at_us))))
    assert len(set(told)) == len(told)


def test_the_series_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SERIES_LIMIT", 3)
    moments = Moments()
    for number in range(20):
        moments.own(reading(0, device=f"d{number}"))
        assert len(moments._taken) <= 3
