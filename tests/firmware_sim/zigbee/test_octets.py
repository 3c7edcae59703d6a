"""Fields in the order of the wire."""

import pytest

from firmware_sim.zigbee.octets import Octets, TruncatedError, ieee_octets, ieee_text


def test_numbers_come_least_significant_octet_first():
    octets = Octets(bytes.fromhex("01 34 12 78 56 34 12 AA BB"))
    assert (octets.u8(), octets.u16(), octets.u32(), octets.rest()) == (1, 0x1234, 0x12345678, b"\xaa\xbb")


def test_a_short_payload_is_told_apart_from_a_wrong_one():
    with pytest.raises(TruncatedError):
        Octets(b"\x01").u16()


def test_addresses_are_turned_round():
    octets = ieee_octets("02:ca:77:e1:00:00:00:0a")
    assert octets == bytes.fromhex("0A 00 00 00 E1 77 CA 02")
    assert ieee_text(octets) == "02:ca:77:e1:00:00:00:0a"


def test_an_address_of_another_length_is_refused():
    with pytest.raises(ValueError, match="IEEE"):
        ieee_octets("02:ca")
