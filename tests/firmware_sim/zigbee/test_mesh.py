"""Who joins when."""

from itertools import pairwise

import pytest

from firmware_sim.zigbee.octets import ieee_octets, u16
from tests.support.zigbee import MtHost

TH = "02:ca:77:e1:00:00:00:01"
LAST = "02:ca:77:e1:00:00:00:0c"


@pytest.fixture
def host():
    host = MtHost()
    host.run()
    return host


def permit(host, seconds):
    host.ask(0x25, 0x36, b"\x0f\xfc\xff" + bytes((seconds, 0)))


def arrivals(frames):
    return [frame.cmd1 for frame in frames if frame.cmd1 in (0xCA, 0xC1)]


def test_nobody_joins_while_the_window_is_closed(host):
    assert host.later(300) == []


def test_a_device_announces_itself_a_moment_after_the_trust_centre_let_it_in(host):
    permit(host, 60)
    while not (came := host.later(0.05)):
        pass
    first = came[0]
    assert (first.cmd1, first.payload[2:]) == (0xCA, ieee_octets(TH) + b"\x00\x00")
    at_s = host.timers.now()
    announce = next(frame for frame in host.later(0.4) if frame.cmd1 == 0xC1)
    assert host.timers.now() - at_s <= 0.5
    nwk = first.payload[:2]
    assert announce.payload == nwk + nwk + ieee_octets(TH) + b"\x8c"
    callback = next(frame for frame in host.frames if frame.cmd1 == 0xFF and frame.payload[3:5] == b"\x13\x00")
    assert callback.payload[2] == 1
    assert callback.payload[9:] == nwk + ieee_octets(TH) + b"\x8c"


def test_devices_come_one_after_the_other(host):
    permit(host, 60)
    times = []
    while len(times) < 12:
        times += [host.timers.now()] * len([f for f in host.later(0.01) if f.cmd1 == 0xCA])
    gaps = [later - sooner for sooner, later in pairwise(times)]
    assert all(0.28 <= gap <= 1.02 for gap in gaps)


def test_who_has_not_come_when_the_window_closes_stays_out(host):
    permit(host, 2)
    frames = host.later(60)
    assert 1 <= arrivals(frames).count(0xCA) <= 7
    assert host.network.describe()["permit_s"] == 0
    permit(host, 60)
    host.later(15)
    assert all(device["joined"] for device in host.network.describe()["devices"])


def test_a_window_can_be_closed_early_and_prolonged(host):
    permit(host, 60)
    permit(host, 0)
    assert arrivals(host.later(60)) == []
    permit(host, 10)
    host.later(5)
    permit(host, 30)
    assert host.network.describe()["permit_s"] == 30
    host.later(20)
    assert all(device["joined"] for device in host.network.describe()["devices"])


def test_members_stay_quiet_when_a_window_opens(host):
    host.join_all()
    permit(host, 60)
    assert arrivals(host.later(59)) == []


def test_a_device_that_left_joins_again_in_the_next_window(host):
    before = host.join_all()
    permit(host, 0)
    host.network.leave(TH)
    assert host.frames[-1].cmd1 == 0xC9
    assert arrivals(host.later(60)) == []
    permit(host, 60)
    assert arrivals(host.later(2)) == [0xCA, 0xC1]
    assert host.join_all().keys() == before.keys()


def test_a_device_that_left_during_a_window_joins_in_it(host):
    host.join_all()
    host.network.leave(LAST)
    assert arrivals(host.later(3)) == [0xCA, 0xC1]


def test_a_lost_parent_means_another_address_and_no_farewell(host):
    before = host.join_all()
    permit(host, 0)
    seen = len(host.frames)
    host.network.rejoin(TH)
    host.later(1)
    assert arrivals(host.frames[seen:]) == [0xCA, 0xC1]
    assert host.join_all()[TH] != before[TH]


def test_a_device_comes_back_under_its_old_address(host):
    before = host.join_all()
    permit(host, 0)
    seen = len(host.frames)
    host.network.rejoin(TH, new_address=False)
    host.later(1)
    assert arrivals(host.frames[seen:]) == [0xCA, 0xC1]
    assert host.join_all() == before


def test_a_device_returns_by_itself_even_when_the_window_closes_meanwhile(host):
    before = host.join_all()
    host.network.leave(TH, rejoin=True)
    host.network.leave(TH)
    permit(host, 0)
    host.later(2)
    after = {each["ieee"]: each["nwk"] for each in host.network.describe()["devices"]}
    assert after[TH] not in (None, before[TH])


def test_two_devices_with_one_address_part_again(host):
    before = host.join_all()
    seen = len(host.frames)
    host.network.clash(TH, LAST)
    announce = next(frame for frame in host.frames[seen:] if frame.cmd1 == 0xC1)
    assert announce.payload == u16(before[LAST]) * 2 + ieee_octets(TH) + b"\x8c"
    host.later(3)
    after = host.join_all()
    assert after[TH] == before[LAST]
    assert after[LAST] not in before.values()


def test_the_button_brings_a_member_back_as_a_fresh_device(host):
    before = host.join_all()
    seen = len(host.frames)
    assert host.network.join(TH)
    host.later(2)
    assert [frame.cmd1 for frame in host.frames[seen:] if frame.cmd1 in (0xC9, 0xCA, 0xC1)] == [0xC9, 0xCA, 0xC1]
    assert host.join_all().keys() == before.keys()


def test_the_button_without_a_window_leaves_the_network(host):
    host.join_all()
    permit(host, 0)
    assert not host.network.join(TH)
    host.later(60)
    assert TH not in [each["ieee"] for each in host.network.describe()["devices"] if each["joined"]]
    assert TH in host.join_all()


def test_a_mute_device_cannot_join(host):
    host.network.mute(TH, on=True)
    assert TH not in host.join_all()


def test_members_of_a_network_that_is_gone_are_nobodys(host):
    host.join_all()
    host.ask(0x21, 0x09, b"\x03\x00\x00\x01\x03")
    host.send(0x41, 0x00, b"\x01")
    host.run()
    assert not any(device["joined"] for device in host.network.describe()["devices"])
    assert len(host.join_all()) == 12
