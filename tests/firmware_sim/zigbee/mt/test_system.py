"""SYS commands."""

import pytest

from firmware_sim.zigbee.octets import u16, u32
from tests.support.zigbee import COORDINATOR, MtHost


@pytest.fixture
def host():
    return MtHost()


def test_it_presents_itself_as_z_stack_3_30(host):
    assert host.ask(0x21, 0x02) == bytes((2, 1, 2, 7, 1)) + u32(20230507)
    assert host.ask(0x21, 0x04) == COORDINATOR


def test_an_item_is_created_written_read_and_deleted(host):
    item = u16(0x0060)
    assert host.ask(0x21, 0x13, item) == u16(0)
    assert host.ask(0x21, 0x08, item + b"\x00") == b"\x02\x00"
    assert host.ask(0x21, 0x09, item + b"\x00\x01\x55") == b"\x02"
    assert host.ask(0x21, 0x07, item + u16(3) + b"\x01\x55") == b"\x09"
    assert host.ask(0x21, 0x07, item + u16(3) + b"\x01\x56") == b"\x00"
    assert host.ask(0x21, 0x09, item + b"\x01\x02\x01\x02") == b"\x00"
    assert host.ask(0x21, 0x08, item + b"\x00") == b"\x00\x03\x55\x01\x02"
    assert host.ask(0x21, 0x12, item + u16(2)) == b"\x0c"
    assert host.ask(0x21, 0x12, item + u16(3)) == b"\x00"
    assert host.ask(0x21, 0x12, item + u16(3)) == b"\x09"


def test_a_long_item_is_read_and_written_in_parts(host):
    item, data = u16(0x0300), bytes(range(256)) * 2
    host.ask(0x21, 0x07, item + u16(512) + b"\x00")
    for offset in range(0, 512, 240):
        part = data[offset : offset + 240]
        assert host.ask(0x21, 0x1D, item + u16(offset) + u16(len(part)) + part) == b"\x00"
    read = b""
    while len(read) < 512:
        answer = host.ask(0x21, 0x1C, item + u16(len(read)))
        assert answer[0] == 0
        assert len(answer) == 2 + answer[1]
        read += answer[2:]
    assert read == data


def test_entries_of_extended_tables_are_items_too(host):
    key = b"\x01" + u16(0x0009) + u16(5)
    assert host.ask(0x21, 0x32, key) == u32(0)
    assert host.ask(0x21, 0x31, key) == b"\x09"
    assert host.ask(0x21, 0x30, key + u32(0)) == b"\x0c"
    assert host.ask(0x21, 0x30, key + u32(4)) == b"\x09"
    assert host.ask(0x21, 0x30, key + u32(4)) == b"\x00"
    assert host.ask(0x21, 0x34, key + u16(1) + b"\x02\xaa\xbb") == b"\x00"
    assert host.ask(0x21, 0x33, key + u16(0) + b"\x04") == b"\x00\x04\x00\xaa\xbb\x00"
    assert host.ask(0x21, 0x32, key) == u32(4)
    assert host.ask(0x21, 0x31, key) == b"\x00"


def test_the_old_numbers_are_items_of_the_new_memory(host):
    assert host.ask(0x21, 0x33, b"\x01" + u16(0) + u16(0x0001) + u16(0) + b"\x08") == b"\x00\x08" + COORDINATOR


def test_a_deleted_address_returns_from_the_hardware_at_reset(host):
    host.ask(0x21, 0x12, u16(0x0001) + u16(8))
    host.send(0x41, 0x00, b"\x01")
    assert host.ask(0x21, 0x04) == COORDINATOR


def test_power_settings_are_checked(host):
    assert host.ask(0x21, 0x14, b"\x05") == b"\x00"
    assert host.ask(0x21, 0x14, b"\x7f") == b"\x02"
    assert host.ask(0x21, 0x0F, b"\x00\x05") == b"\x05"
