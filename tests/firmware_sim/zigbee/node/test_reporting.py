"""When attribute reports are due."""

import math

import pytest

from firmware_sim.zigbee import zcl
from firmware_sim.zigbee.node.reporting import Reporter, Rule
from tests.support.zigbee import ManualTimers

TARGET = (0x0402, 0)


class Bench:
    """A reporter of one attribute that keeps what was sent and when."""

    def __init__(self):
        self.timers = ManualTimers(0.0)
        self.value = 2000
        self.heard = True
        self.sent = []
        self.reporter = Reporter(self.timers, lambda target: self.value, self._send)

    def _send(self, target):
        if self.heard:
            self.sent.append((round(self.timers.now(), 3), self.value))
        return self.heard

    def set(self, value):
        self.value = value
        self.reporter.changed(TARGET)


@pytest.fixture
def bench():
    return Bench()


def configure(bench, min_s, max_s, change=20, data_type=zcl.INT16):
    bench.reporter.configure(TARGET, Rule(data_type, min_s, max_s, change))
    bench.timers.advance(1)
    bench.sent.clear()


def test_a_first_report_follows_the_configuration(bench):
    bench.reporter.configure(TARGET, Rule(zcl.INT16, 10, 300, 20))
    bench.timers.advance(1)
    assert bench.sent == [(1.0, 2000)]


def test_small_changes_wait_for_the_maximum_interval(bench):
    configure(bench, 1, 60)
    bench.timers.advance(5)
    bench.set(2019)
    bench.timers.advance(54.9)
    assert bench.sent == []
    bench.timers.advance(0.2)
    assert bench.sent == [(61.0, 2019)]


def test_a_reportable_change_goes_out_at_once_after_the_minimum_interval(bench):
    configure(bench, 10, 300)
    bench.timers.advance(20)
    bench.set(2020)
    assert bench.sent == [(21.0, 2020)]


def test_a_reportable_change_inside_the_minimum_interval_waits_for_its_end(bench):
    configure(bench, 10, 300)
    bench.timers.advance(3)
    bench.set(2100)
    assert bench.sent == []
    bench.timers.advance(10)
    assert bench.sent == [(11.0, 2100)]


def test_a_change_that_went_back_inside_the_minimum_interval_is_not_sent(bench):
    configure(bench, 10, 300)
    bench.set(2100)
    bench.set(2001)
    bench.timers.advance(200)
    assert bench.sent == []


def test_drift_is_measured_from_the_last_report(bench):
    configure(bench, 0, 300)
    for value in (2010, 2019, 2020, 2030, 2039, 2040):
        bench.set(value)
    assert [value for _, value in bench.sent] == [2020, 2040]


def test_discrete_values_are_sent_at_any_change(bench):
    configure(bench, 0, 3600, change=0, data_type=zcl.ENUM8)
    bench.set(3)
    bench.set(3)
    bench.set(0)
    assert [value for _, value in bench.sent] == [3, 0]


def test_without_a_maximum_only_changes_are_sent(bench):
    configure(bench, 1, 0)
    bench.timers.advance(10_000)
    assert bench.sent == []


def test_reports_repeat_at_the_maximum_interval(bench):
    configure(bench, 1, 60)
    bench.timers.advance(180)
    assert [at_s for at_s, _ in bench.sent] == [61.0, 121.0, 181.0]


def test_an_undelivered_report_is_tried_again_every_few_seconds(bench):
    configure(bench, 10, 300)
    bench.heard = False
    bench.timers.advance(20)
    bench.set(2100)
    bench.timers.advance(4)
    bench.heard = True
    bench.timers.advance(3)
    assert bench.sent == [(27.0, 2100)]


def test_a_cancelled_configuration_is_silent(bench):
    configure(bench, 0, 5)
    bench.reporter.cancel(TARGET)
    bench.set(5000)
    bench.timers.advance(100)
    assert bench.sent == []
    assert bench.reporter.rules == {}
    assert not [timer for timer in bench.timers.pending if not timer.cancelled]


def test_a_value_that_becomes_unknown_is_told_once_and_its_return_too(bench):
    bench.value = 0.0005
    configure(bench, 1, 3600, change=0.0001, data_type=zcl.SINGLE)
    bench.timers.advance(5)
    bench.set(math.nan)
    bench.set(math.nan)
    bench.timers.advance(5)
    bench.set(0.0005)
    assert [math.isnan(value) for _, value in bench.sent] == [True, False]
