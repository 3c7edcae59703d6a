"""ZDO by type (25 xx), as zigbee-herdsman asks."""

import pytest

from firmware_sim.zigbee.octets import ieee_octets, u16, u32
from firmware_sim.zigbee.unpi import Frame
from tests.support.zigbee import COORDINATOR, MtHost

TH = "02:ca:77:e1:00:00:00:01"
CURTAIN = "02:ca:77:e1:00:00:00:06"


@pytest.fixture
def host():
    host = MtHost()
    host.run()
    return host


@pytest.fixture
def nwk(host):
    return host.join_all()[CURTAIN]


def typed(frames):
    """Of what followed the answer, the typed responses."""
    return [(frame.cmd1, frame.payload) for frame in frames[1:] if frame.cmd1 != 0xFF]


def test_a_device_is_interviewed_by_type(host, nwk):
    dst = u16(nwk)
    [(command, payload)] = typed(host.send(0x25, 0x02, dst + dst))
    assert (command, payload[:5], len(payload)) == (0x82, dst + b"\x00" + dst, 18)
    assert typed(host.send(0x25, 0x05, dst + dst)) == [(0x85, dst + b"\x00" + dst + b"\x01\x01")]
    [(command, payload)] = typed(host.send(0x25, 0x04, dst + dst + b"\x01"))
    assert (command, payload[:5]) == (0x84, dst + b"\x00" + dst)
    assert payload[5] == len(payload) - 6


def test_each_response_also_comes_as_a_callback_once_registered(host, nwk):
    dst = u16(nwk)
    frames = host.send(0x25, 0x05, dst + dst)
    callback = frames[-1]
    assert (callback.cmd0, callback.cmd1) == (0x45, 0xFF)
    assert callback.payload[:6] == dst + b"\x00" + u16(0x8005) + b"\x00"
    assert callback.payload[7:] == u16(0) + b"\x00" + dst + b"\x01\x01"


def test_addresses_are_found_by_type(host, nwk):
    ieee = ieee_octets(CURTAIN)
    answer = b"\x00" + ieee + u16(nwk) + b"\x00\x00"
    assert typed(host.send(0x25, 0x00, ieee + b"\x00\x00")) == [(0x80, answer)]
    assert typed(host.send(0x25, 0x01, u16(nwk) + b"\x00\x00")) == [(0x81, answer)]
    assert typed(host.send(0x25, 0x00, COORDINATOR + b"\x00\x00")) == [(0x80, b"\x00" + COORDINATOR + bytes(4))]
    assert typed(host.send(0x25, 0x00, bytes(10))) == []


def test_a_cluster_is_bound_and_unbound_by_type(host, nwk):
    entry = ieee_octets(CURTAIN) + b"\x01" + u16(0x0102) + b"\x03" + COORDINATOR + b"\x01"
    assert typed(host.send(0x25, 0x21, u16(nwk) + entry)) == [(0xA1, u16(nwk) + b"\x00")]
    assert typed(host.send(0x25, 0x33, u16(nwk) + b"\x00")) == [(0xB3, u16(nwk) + b"\x00\x01\x00\x01" + entry)]
    assert typed(host.send(0x25, 0x22, u16(nwk) + entry)) == [(0xA2, u16(nwk) + b"\x00")]


def test_the_coordinator_lists_its_neighbours_three_at_a_time(host, nwk):
    [(command, page)] = typed(host.send(0x25, 0x31, u16(0) + b"\x00"))
    assert (command, page[:6], len(page)) == (0xB1, u16(0) + b"\x00\x0c\x00\x03", 6 + 3 * 22)
    assert page[14:22] == ieee_octets(TH)
    [(_, routes)] = typed(host.send(0x25, 0x32, u16(0) + b"\x00"))
    assert routes[2:6] == bytes((0, 6, 0, 6))


def test_energy_is_scanned_on_the_channels_asked_for(host):
    mask = u32(1 << 11 | 1 << 26)
    [(command, payload)] = typed(host.send(0x25, 0x37, u16(0) + b"\x02" + mask + b"\x02\x01" + u16(0)))
    assert (command, payload[:7], payload[11], len(payload)) == (0xB8, u16(0) + b"\x00" + mask, 2, 14)


def test_the_network_moves_to_another_channel(host, nwk):
    assert typed(host.send(0x25, 0x37, u16(0xFFFC) + b"\x0f" + u32(1 << 26) + b"\xfe\x00" + u16(0))) == []
    assert host.network.describe()["channel"] == 26
    assert host.join_all()[CURTAIN] == nwk


@pytest.mark.parametrize(("mode", "destination"), [(0x0F, 0xFFFC), (2, 0xFFFC), (2, 0)])
def test_permit_join_is_answered_by_the_coordinator(host, mode, destination):
    assert typed(host.send(0x25, 0x36, bytes((mode,)) + u16(destination) + b"\x3c\x01")) == [(0xB6, u16(0) + b"\x00")]
    assert host.network.describe()["permit_s"] == 60


def test_permit_join_at_a_router_makes_it_the_parent(host, nwk):
    host.network.leave(TH)
    assert typed(host.send(0x25, 0x36, b"\x02" + u16(nwk) + b"\x3c\x01")) == [(0xB6, u16(nwk) + b"\x00")]
    arrived = next(frame for frame in host.later(2) if frame.cmd1 == 0xCA)
    assert arrived.payload[2:] == ieee_octets(TH) + u16(nwk)


def test_a_device_told_to_leave_leaves(host, nwk):
    host.send(0x25, 0x36, b"\x0f\xfc\xff\x00\x00")
    frames = host.send(0x25, 0x34, u16(nwk) + ieee_octets(CURTAIN) + b"\x00")
    assert typed(frames) == [(0xB4, u16(nwk) + b"\x00"), (0xC9, u16(nwk) + ieee_octets(CURTAIN) + bytes(3))]
    assert typed(host.send(0x25, 0x05, u16(nwk) * 2)) == []
    assert not any(
        ieee_octets(CURTAIN) in host.ask(0x21, 0x33, b"\x01\x01\x00" + u16(n) + u16(0) + b"\x0c") for n in range(12)
    )


@pytest.mark.parametrize("flag", [0x01, 0x80])
def test_a_device_told_to_rejoin_returns_under_another_address(host, nwk, flag):
    frames = host.send(0x25, 0x34, u16(nwk) + ieee_octets(CURTAIN) + bytes((flag,)))
    assert typed(frames)[-1] == (0xC9, u16(nwk) + ieee_octets(CURTAIN) + b"\x00\x00\x01")
    back = [frame.cmd1 for frame in host.later(2)]
    assert back == [0xCA, 0xC1, 0xFF]
    assert host.join_all()[CURTAIN] != nwk


def test_startup_resumes_or_forms():
    host = MtHost()
    assert host.ask(0x25, 0x40, u16(100)) == b"\x01"
    assert [frame.payload for frame in host.later(0.1)] == [b"\x09"]
    host.send(0x41, 0x00, b"\x01")
    assert host.ask(0x25, 0x40, u16(100)) == b"\x00"


def test_groups_of_the_coordinator_are_remembered(host):
    assert host.ask(0x25, 0x4A, b"\xf2" + u16(0x0B84)) == b"\x01" + u16(0x0B84) + b"\x00"
    assert host.ask(0x25, 0x4B, b"\xf2" + u16(0x0B84) + b"\x00") == b"\x00"
    assert host.ask(0x25, 0x4A, b"\xf2" + u16(0x0B84)) == b"\x00" + u16(0x0B84) + b"\x00"


def test_routes_are_checked(host, nwk):
    assert host.ask(0x25, 0x46, u16(nwk) + b"\x01\x03") == b"\x00"
    assert host.ask(0x25, 0x46, u16(0x7777) + b"\x01\x03") == b"\x04"
    assert host.ask(0x25, 0x45, u16(nwk) + b"\x00\x1e") == b"\x00"


def test_a_short_request_to_the_stack_is_an_rpc_error(host):
    assert host.send(0x25, 0x37, u16(0) + b"\x02\x00") == [Frame(0x60, 0x00, b"\x04\x25\x37")]
