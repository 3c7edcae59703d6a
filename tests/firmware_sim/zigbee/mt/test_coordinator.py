"""The coordinator on its wire: framing faults, unknown requests, life and death."""

import pytest

from firmware_sim.zigbee.octets import u16
from firmware_sim.zigbee.unpi import Frame, encode
from tests.support.zigbee import MtHost

PING, PONG = encode(0x21, 0x01), Frame(0x61, 0x01, b"\x59\x06")


@pytest.fixture
def host():
    return MtHost()


def test_a_ping_is_answered_at_once_even_when_it_comes_in_pieces(host):
    for octet in PING:
        host.network.coordinator.receive(bytes((octet,)))
    assert host.frames == [PONG]


def test_junk_before_a_ping_is_passed_over_and_counted(host):
    host.network.coordinator.receive(b"\xef" * 256 + PING)
    assert host.frames == [PONG]
    assert host.network.coordinator.frame_errors == 1


def test_a_frame_that_never_ends_is_given_up_after_a_pause(host):
    host.network.coordinator.receive(b"\xfe\xfa\x21")
    host.timers.advance(0.5)
    host.network.coordinator.receive(PING)
    assert host.frames == [PONG]


def test_a_spoilt_frame_is_not_answered(host):
    host.network.coordinator.receive(PING[:-1] + b"\x00" + PING)
    assert host.frames == [PONG]


@pytest.mark.parametrize(
    ("cmd0", "cmd1", "payload", "code"),
    [(0x21, 0x7E, b"", 2), (0x2A, 0x01, b"", 1), (0x21, 0x08, b"\x21", 4), (0x24, 0x02, bytes(5), 4)],
)
def test_what_cannot_be_carried_out_gets_an_rpc_error(host, cmd0, cmd1, payload, code):
    assert host.send(cmd0, cmd1, payload) == [Frame(0x60, 0x00, bytes((code, cmd0, cmd1)))]


def test_frames_that_are_no_requests_are_passed_over(host):
    assert host.send(0x61, 0x01) == host.send(0x45, 0xC0, b"\x09") == []


def test_a_reset_is_reported_and_clears_what_was_registered(host):
    host.run()
    assert host.send(0x41, 0x00, b"\x01") == [Frame(0x41, 0x80, bytes((1, 2, 1, 2, 7, 1)))]
    assert not host.network.describe()["running"]
    assert host.ask(0x24, 0x00, bytes((1,)) + u16(0x0104) + bytes(6)) == b"\x00"


def test_a_watchdog_reset_comes_unasked(host):
    host.run()
    host.network.coordinator.watchdog_reset()
    assert host.frames[-1].payload[:1] == b"\x02"


def test_a_power_cut_of_the_stick_alone_comes_unasked_and_forgets_what_was_registered(host):
    host.run()
    nwk = host.join_all()["02:ca:77:e1:00:00:00:01"]
    host.bind("02:ca:77:e1:00:00:00:01", nwk, 0x0402)
    host.network.coordinator.reboot()
    assert host.frames[-1] == Frame(0x41, 0x80, bytes((0, 2, 1, 2, 7, 1)))
    assert not host.network.report_now("02:ca:77:e1:00:00:00:01", 0x0402, 0, 2000)
    assert host.send(0x21, 0x01)[0].cmd0 == 0x61
    assert host.ask(0x2F, 0x05, b"\x04") == b"\x00"
    host.later(0.1)
    assert host.network.describe()["running"]
    assert not host.network.report_now("02:ca:77:e1:00:00:00:01", 0x0402, 0, 2000)


def test_a_radio_that_hangs_neither_answers_nor_reports_until_it_boots(host):
    host.run()
    nwk = host.join_all()["02:ca:77:e1:00:00:00:01"]
    host.bind("02:ca:77:e1:00:00:00:01", nwk, 0x0402)
    host.network.coordinator.hang()
    assert host.send(0x21, 0x01) == []
    host.network.report_now("02:ca:77:e1:00:00:00:01", 0x0402, 0, 2000)
    assert host.later(60) == []
    host.network.coordinator.reboot()
    assert host.frames[-1].cmd1 == 0x80
    assert host.send(0x21, 0x01) != []


def test_so_many_frames_are_spoilt_and_no_more(host):
    host.network.coordinator.spoil(2)
    assert host.send(0x21, 0x01) == host.send(0x21, 0x01) == []
    assert len(host.send(0x21, 0x01)) == 1


def test_nothing_is_sent_on_a_wire_that_is_gone(host):
    host.run()
    nwk = host.join_all()["02:ca:77:e1:00:00:00:01"]
    host.bind("02:ca:77:e1:00:00:00:01", nwk, 0x0402)
    host.network.coordinator.detach()
    assert not host.network.report_now("02:ca:77:e1:00:00:00:01", 0x0402, 0, 2000)
    assert host.later(100) == []


def test_a_reset_in_the_middle_of_a_start_ends_the_start(host):
    host.ask(0x2F, 0x05, b"\x04")
    host.send(0x41, 0x00, b"\x01")
    assert host.later(1) == []
