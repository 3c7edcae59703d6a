"""When a sleepy device listens."""

import pytest

from firmware_sim.zigbee.node.device import Binding
from firmware_sim.zigbee.node.models import POLL_CONTROL, SMOKE
from firmware_sim.zigbee.node.polling import AWAKE_S, KEPT_S
from tests.support.zigbee import COORDINATOR, Air


@pytest.fixture
def air():
    air = Air(SMOKE)
    air.device.polling.start()
    return air


class Parcel:
    """A frame for the device, and what became of it."""

    def __init__(self, air):
        self.fate = "waits"
        air.device.polling.hold(lambda: self._is("arrived"), lambda: self._is("expired"))

    def _is(self, fate):
        assert self.fate == "waits"
        self.fate = fate


def test_a_frame_waits_for_the_next_poll(air):
    parcel = Parcel(air)
    air.timers.advance(4.9)
    assert parcel.fate == "waits"
    air.timers.advance(0.2)
    assert parcel.fate == "arrived"
    air.timers.advance(60)


def test_polls_keep_their_beat_when_nothing_waits(air):
    air.timers.advance(13)
    parcel = Parcel(air)
    air.timers.advance(1.9)
    assert parcel.fate == "waits"
    air.timers.advance(0.2)
    assert parcel.fate == "arrived"


def test_a_frame_for_one_who_sleeps_too_long_expires(air):
    air.device.polling.set_poll_s(300)
    parcel = Parcel(air)
    air.timers.advance(KEPT_S - 0.1)
    assert parcel.fate == "waits"
    air.timers.advance(0.2)
    assert parcel.fate == "expired"
    air.timers.advance(600)


def test_one_who_speaks_listens_for_a_while(air):
    air.device.polling.set_poll_s(300)
    parcel = Parcel(air)
    air.timers.advance(2)
    air.device.polling.stay_awake(AWAKE_S)
    air.timers.advance(0.3)
    assert parcel.fate == "arrived"
    assert Parcel(air).fate == "waits"
    air.timers.advance(600)


def test_a_poll_that_nobody_hears_fetches_nothing(air):
    air.device.polling.in_range = lambda: False
    parcel = Parcel(air)
    air.timers.advance(10)
    assert parcel.fate == "expired"


def test_a_check_in_goes_to_the_bound_host_and_opens_an_ear(air):
    assert not air.device.polling.check_in()
    air.device.bindings.append(Binding(POLL_CONTROL, 1, COORDINATOR, 1))
    air.device.polling.set_poll_s(300)
    assert air.device.polling.check_in()
    cluster, endpoint, frame = air.sent[-1]
    assert (cluster, endpoint, frame[0], frame[2:]) == (POLL_CONTROL, 1, 0x09, b"\x00")
    parcel = Parcel(air)
    air.timers.advance(0.3)
    assert parcel.fate == "arrived"


def test_check_ins_come_at_the_interval_that_a_host_writes(air):
    air.device.bindings.append(Binding(POLL_CONTROL, 1, COORDINATOR, 1))
    assert air.ask(POLL_CONTROL, "00 01 02 00 00 23 28 00 00 00") == "18 01 04 00"
    air.sent.clear()
    air.timers.advance(25)
    assert len(air.sent) == 2


def test_fast_polls_are_started_and_stopped(air):
    assert air.ask(POLL_CONTROL, "01 01 00 01 28 00") == "18 01 0b 00 00"
    parcel = Parcel(air)
    air.timers.advance(0.3)
    assert parcel.fate == "arrived"
    assert air.ask(POLL_CONTROL, "01 02 01") == "18 02 0b 01 00"
    later = Parcel(air)
    air.timers.advance(2)
    assert later.fate == "waits"


def test_intervals_are_set_within_reason(air):
    assert air.ask(POLL_CONTROL, "01 01 02 50 00 00 00") == "18 01 0b 02 00"
    assert air.device.polling.poll_s == 20
    assert air.ask(POLL_CONTROL, "01 01 03 00 02") == "18 01 0b 03 87"
    assert air.ask(POLL_CONTROL, "01 01 02 00 00 00 00") == "18 01 0b 02 87"
    assert air.ask(POLL_CONTROL, "01 01 09") == "18 01 0b 09 81"
