"""Endpoints and data."""

import pytest

from firmware_sim.zigbee.octets import ieee_octets, u16
from tests.support.zigbee import MtHost, zcl_of

TH = "02:ca:77:e1:00:00:00:01"
CURTAIN = "02:ca:77:e1:00:00:00:06"
READ_MODEL = bytes.fromhex("00 2A 00 05 00")
MODEL = b"\x18\x2a\x01\x05\x00\x00\x42\x06SIM-TH"
CONFIRMED = b"\x00\x01\x07"


@pytest.fixture
def host():
    host = MtHost()
    host.run()
    return host


@pytest.fixture
def nwk(host):
    return host.join_all()[TH]


def ext(mode, address, endpoint, source, cluster, data):
    head = bytes((mode,)) + address + bytes((endpoint, 0, 0, source)) + u16(cluster) + bytes((7, 0, 30))
    return head + u16(len(data)) + data


def test_an_endpoint_is_registered_once(host):
    payload = bytes((2,)) + u16(0x0104) + u16(5) + b"\x01\x00\x01" + u16(0x0500) + b"\x02" + u16(6) + u16(8)
    assert host.ask(0x24, 0x00, payload) == b"\x00"
    assert host.ask(0x24, 0x00, payload) == b"\xb8"
    assert host.ask(0x24, 0x00, b"\x00" + payload[1:]) == b"\x02"
    descriptor = host.send(0x25, 0x04, u16(0) + u16(0) + b"\x02")[1].payload
    assert descriptor[6:] == b"\x02" + u16(0x0104) + u16(5) + b"\x01\x01" + u16(0x0500) + b"\x02" + u16(6) + u16(8)


@pytest.mark.parametrize("form", ["short", "extended", "by ieee", "routed"])
def test_a_request_is_confirmed_and_then_answered(host, nwk, form):
    head = u16(nwk) + bytes((1, 1)) + u16(0) + bytes((7, 0, 30))
    sized = bytes((len(READ_MODEL),)) + READ_MODEL
    cmd1, payload = {
        "short": (0x01, head + sized),
        "extended": (0x02, ext(2, u16(nwk) + bytes(6), 1, 1, 0, READ_MODEL)),
        "by ieee": (0x02, ext(3, ieee_octets(TH), 1, 1, 0, READ_MODEL)),
        "routed": (0x03, head + b"\x01\x34\x12" + sized),
    }[form]
    answer, confirm, message = host.send(0x24, cmd1, payload)
    assert (answer.payload, confirm.cmd1, confirm.payload) == (b"\x00", 0x80, CONFIRMED)
    assert zcl_of(message) == MODEL
    assert message.payload[2:9] == u16(0) + u16(nwk) + b"\x01\x01\x00"
    assert message.payload[-3:-1] == u16(nwk)


def test_zdo_goes_through_endpoint_zero_without_a_confirm(host, nwk):
    answer, response, callback = host.send(0x24, 0x02, ext(2, u16(nwk) + bytes(6), 0, 0, 5, b"\x63" + u16(nwk)))
    assert (answer.payload, response.cmd1, callback.cmd1) == (b"\x00", 0x85, 0xFF)
    assert (
        callback.payload == u16(nwk) + b"\x00" + u16(0x8005) + b"\x00\x63" + u16(0) + b"\x00" + u16(nwk) + b"\x01\x01"
    )


def test_an_energy_scan_and_permit_join_may_come_as_data(host):
    scan = b"\x05" + (1 << 15).to_bytes(4, "little") + b"\x01\x01"
    assert host.send(0x24, 0x02, ext(2, bytes(8), 0, 0, 0x0038, scan))[-1].payload[3:5] == u16(0x8038)
    host.send(0x24, 0x02, ext(0x0F, b"\xfc\xff" + bytes(6), 0, 0, 0x0036, b"\x06\x1e\x00"))
    assert host.network.describe()["permit_s"] == 30


def test_an_address_is_searched_by_broadcast(host, nwk):
    body = b"\x09" + ieee_octets(TH) + b"\x00\x00"
    frames = host.send(0x24, 0x02, ext(0x0F, b"\xfd\xff" + bytes(6), 0, 0, 0x0000, body))
    assert frames[-1].payload[9:] == b"\x00" + ieee_octets(TH) + u16(nwk)


def test_a_node_that_is_not_there_has_no_route(host, nwk):
    unknown = 1 if nwk != 1 else 2
    assert [frame.payload for frame in host.zcl(unknown, 0, READ_MODEL)] == [b"\xcd\x01\x07"]
    frames = host.send(0x24, 0x02, ext(3, bytes(8), 1, 1, 0, READ_MODEL))
    assert frames[1].payload == b"\xcd\x01\x07"


@pytest.mark.parametrize("status", [0xE9, 0xF0, 0xCD, 0xE1, 0xB7, 0x1A, 0x11])
def test_confirms_fail_as_told_and_the_frame_does_not_arrive(host, nwk, status):
    host.network.fail_confirms(TH, status)
    assert [frame.payload for frame in host.zcl(nwk, 0, READ_MODEL)] == [bytes((status, 1, 7))]
    host.network.fail_confirms(TH, 0)
    assert len(host.zcl(nwk, 0, READ_MODEL)) == 2


def test_a_mute_device_is_confirmed_by_its_parent_but_does_not_answer(host, nwk):
    host.network.mute(TH, on=True)
    assert [frame.payload for frame in host.zcl(nwk, 0, READ_MODEL)] == [CONFIRMED]
    assert host.send(0x25, 0x05, u16(nwk) * 2)[1:] == []
    assert not host.network.report_now(TH, 0x0402, 0, 2000)
    host.network.mute(TH, on=False)
    assert len(host.zcl(nwk, 0, READ_MODEL)) == 2


def test_broadcasts_are_obeyed_without_confirm_or_answer(host):
    host.join_all()
    frames = host.send(0x24, 0x02, ext(0x0F, b"\xff\xff" + bytes(6), 0xFF, 1, 0x0102, b"\x11\x01\x05\x28"))
    assert len(frames) == 1
    host.later(5)
    assert host.building.rooms["stacks"].curtain_closed_pct == 40
    assert host.building.rooms["reading-room"].curtain_closed_pct == 40


def test_a_group_without_members_is_confirmed(host):
    frames = host.send(0x24, 0x02, ext(1, u16(5) + bytes(6), 0xFF, 1, 6, b"\x11\x01\x01"))
    assert [frame.payload for frame in frames] == [b"\x00", CONFIRMED]


def test_other_endpoints_of_a_device_are_silent(host, nwk):
    frames = host.send(0x24, 0x02, ext(2, u16(nwk) + bytes(6), 9, 1, 0, READ_MODEL))
    assert [frame.payload for frame in frames] == [b"\x00", CONFIRMED]


def test_data_needs_a_network_a_registered_source_and_a_body(host, nwk):
    assert host.ask(0x24, 0x02, ext(2, u16(nwk) + bytes(6), 1, 9, 0, READ_MODEL)) == b"\x02"
    assert host.ask(0x24, 0x02, ext(2, u16(nwk) + bytes(6), 0, 0, 5, b"")) == b"\x02"
    host.send(0x41, 0x00, b"\x01")
    assert host.ask(0x24, 0x02, ext(2, u16(nwk) + bytes(6), 1, 1, 0, READ_MODEL)) == b"\xc2"


def test_a_message_to_itself_is_confirmed(host):
    assert [frame.payload for frame in host.zcl(0, 0, READ_MODEL)] == [CONFIRMED]


def test_a_broadcast_that_finds_no_place_in_the_table_is_refused(host):
    everybody = ext(0x0F, u16(0xFFFD) + bytes(6), 0xFF, 1, 6, b"\x11\x01\x00")
    assert [host.ask(0x24, 0x02, everybody) for _ in range(31)] == [b"\x00"] * 30 + [b"\x11"]
    assert host.ask(0x25, 0x36, b"\x0f\xfc\xff\x3c\x00") == b"\x11"
    host.later(9)
    assert host.ask(0x24, 0x02, everybody) == b"\x00"


def test_in_a_storm_no_data_reaches_a_device(host, nwk):
    host.network.coordinator.storm(5, 0xE1)
    (confirm,) = host.zcl(nwk, 0, READ_MODEL)
    assert (confirm.cmd1, confirm.payload) == (0x80, b"\xe1\x01\x07")
    assert host.send(0x24, 0x02, ext(2, u16(nwk) + bytes(6), 0, 0, 5, b"\x63" + u16(nwk)))[0].payload == b"\x00"
    assert host.ask(0x25, 0x36, b"\x0f\xfc\xff\x3c\x00") == b"\x11"
    host.later(5)
    assert host.zcl(nwk, 0, READ_MODEL)[0].payload == CONFIRMED
