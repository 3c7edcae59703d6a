"""Reports of a crowd at a steady rate."""

from collections import Counter, defaultdict
from itertools import pairwise

import pytest

from firmware_sim.zigbee.population import population
from tests.support.zigbee import MtHost, zcl_of

OCCUPANCY = b"\x06\x04"


@pytest.fixture
def host():
    host = MtHost(devices=population((), 10))
    host.run()
    host.join_all(30)
    return host


def reports(host, seconds):
    """Sender, cluster and frame of what came meanwhile."""
    frames = [frame.payload for frame in host.later(seconds) if (frame.cmd0, frame.cmd1) == (0x44, 0x81)]
    return [(p[4:6], p[2:4], p[17 : 17 + p[16]]) for p in frames]


def test_the_rate_is_kept_and_shared_evenly(host):
    host.network.start_load(100, bound_only=False)
    got = reports(host, 10)
    assert len(got) == pytest.approx(1000, abs=5)
    assert host.network.load.describe() == {"rate_s": 100, "sent": len(got), "unsent": 0}
    lines = Counter((sender, cluster) for sender, cluster, _ in got)
    assert max(lines.values()) - min(lines.values()) <= 1
    host.network.start_load(0)
    assert reports(host, 5) == []


def test_numbers_rise_by_one_for_each_device_and_no_frame_comes_twice(host):
    host.network.start_load(349, bound_only=False)
    tsns = defaultdict(list)
    got = reports(host, 20)
    for sender, _, frame in got:
        tsns[sender].append(frame[1])
    measured = [each for each in got if each[1] != OCCUPANCY]  # which has but two values
    assert len(set(measured)) == len(measured)
    for numbers in tsns.values():
        assert {(later - sooner) % 256 for sooner, later in pairwise(numbers)} == {1}


def test_only_bound_devices_speak_unless_all_are_asked(host):
    host.network.start_load(50)
    assert reports(host, 2) == []
    assert host.network.load.unsent > 90
    host.bind("02:ca:77:e1:00:00:01:02", host.network.device("load-002").nwk, 0x0402)
    assert {cluster for _, cluster, _ in reports(host, 2)} == {b"\x02\x04"}


def test_a_load_needs_a_crowd_and_a_possible_rate(host):
    with pytest.raises(ValueError, match="start the building with --devices N"):
        MtHost().network.start_load(10)
    with pytest.raises(ValueError, match="5000 reports a second is outside"):
        host.network.start_load(5000)


def test_frames_are_plain_reports(host):
    host.network.start_load(50, bound_only=False)
    assert all(frame[0] == 0x18 and frame[2] == 0x0A for _, _, frame in reports(host, 1))
    assert zcl_of(host.frames[-1])[2] == 0x0A
