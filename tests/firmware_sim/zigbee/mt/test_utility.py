"""UTIL and APP_CNF commands."""

import pytest

from firmware_sim.zigbee.octets import ieee_octets, u16, u32
from tests.support.zigbee import COORDINATOR, MtHost

CURTAIN = "02:ca:77:e1:00:00:00:06"
STRANGER = ieee_octets("02:ca:77:e1:00:00:00:ff")


@pytest.fixture
def host():
    host = MtHost()
    host.run()
    return host


def test_device_information_tells_state_and_children(host):
    assert host.ask(0x27, 0x00) == b"\x00" + COORDINATOR + u16(0) + b"\x07\x09\x00"
    joined = host.join_all()
    info = host.ask(0x27, 0x00)
    assert info[13] == 12
    assert info[14:16] == u16(joined["02:ca:77:e1:00:00:00:01"])


def test_the_association_structure_is_aligned(host):
    assert host.ask(0x27, 0x49, b"\x00") == b"\xfe\xff\xff\xff\xff" + bytes(31)
    nwk = host.join_all()[CURTAIN]
    found = host.ask(0x27, 0x4A, ieee_octets(CURTAIN) + u16(0))
    assert (len(found), found[:2], found[4]) == (36, u16(nwk), 4)
    assert host.ask(0x27, 0x4A, bytes(8) + u16(nwk)) == found
    assert host.ask(0x27, 0x49, b"\x05") == found


def test_an_association_is_removed_and_added_in_either_order_of_fields(host):
    nwk, ieee = host.join_all()[CURTAIN], ieee_octets(CURTAIN)
    for restore in (ieee + u16(nwk) + b"\x01", u16(nwk) + ieee + b"\x01"):
        assert host.ask(0x27, 0x63, ieee) == b"\x00"
        assert host.ask(0x27, 0x4A, ieee + u16(nwk))[4] == 0xFF
        assert host.ask(0x27, 0x64, restore) == b"\x00"
        assert host.ask(0x27, 0x4A, ieee + u16(nwk))[4] == 4
    assert host.ask(0x27, 0x63, STRANGER) == b"\x01"
    assert host.ask(0x27, 0x64, STRANGER + bytes(3)) == b"\x01"


def test_only_formation_is_offered(host):
    assert host.ask(0x2F, 0x05, b"\x02") == b"\x02"


def test_a_network_is_formed_from_the_settings_in_memory():
    host = MtHost()
    for item, data in ((0x83, u16(0x1A62)), (0x47, bytes(range(1, 9))), (0x62, bytes(range(16)))):
        host.ask(0x21, 0x1D, u16(item) + u16(0) + u16(len(data)) + data)
    host.ask(0x2F, 0x08, b"\x01" + u32(1 << 25))
    host.ask(0x2F, 0x08, b"\x00" + u32(0))
    started = host.send(0x2F, 0x05, b"\x04")
    assert [(f.cmd0, f.cmd1, f.payload) for f in started] == [(0x6F, 0x05, b"\x00"), (0x45, 0xC0, b"\x08")]
    done = host.later(0.1)
    assert [(f.cmd0, f.cmd1, f.payload) for f in done] == [(0x45, 0xC0, b"\x09"), (0x4F, 0x80, b"\x00\x04\x00")]
    info = host.ask(0x25, 0x50)
    assert info == u16(0) + b"\x09" + u16(0x1A62) + u16(0) + bytes(range(1, 9)) + bytes(8) + b"\x19"
    assert host.ask(0x21, 0x08, u16(0x3A) + b"\x00")[3:] == bytes(range(16))
    assert host.ask(0x21, 0x08, u16(0x55) + b"\x00")[2:] == b"\x01"


def test_a_known_network_is_resumed_as_a_formation_failure(host):
    before = host.ask(0x25, 0x50)
    host.send(0x41, 0x00, b"\x01")
    host.send(0x2F, 0x05, b"\x04")
    assert [(f.cmd1, f.payload) for f in host.later(0.1)] == [(0xC0, b"\x09"), (0x80, b"\x08\x04\x00")]
    assert host.ask(0x25, 0x50) == before


def test_only_devices_with_an_install_code_join_when_codes_count(host):
    assert host.ask(0x2F, 0x04, b"\x02" + ieee_octets(CURTAIN) + bytes(16)) == b"\x00"
    assert host.ask(0x2F, 0x04, b"\x03" + ieee_octets(CURTAIN) + bytes(16)) == b"\x02"
    host.ask(0x2F, 0x06, b"\x01")
    assert list(host.join_all()) == [CURTAIN]
    host.ask(0x2F, 0x06, b"\x00")
    assert len(host.join_all()) == 12


def test_the_led_is_acknowledged(host):
    assert host.ask(0x27, 0x0A, b"\xff\x00") == b"\x00"
