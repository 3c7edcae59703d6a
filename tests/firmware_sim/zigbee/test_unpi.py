"""Framing on the wire between host and coordinator."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.zigbee.unpi import MAX_PAYLOAD, Frame, Framer, encode
from tests.support.vectors import raw, vectors

PING = Frame(0x21, 0x01)
FRAMES = st.builds(Frame, st.integers(0, 255), st.integers(0, 255), st.binary(max_size=MAX_PAYLOAD))


@pytest.mark.parametrize("vector", vectors("unpi", "frame"))
def test_golden_frames_are_read_and_written(vector):
    frame = Frame(vector["cmd0"], vector["cmd1"], raw(vector, "payload"))
    assert Framer().feed(raw(vector)) == [frame]
    assert encode(frame.cmd0, frame.cmd1, frame.payload) == raw(vector)


@given(st.lists(FRAMES, max_size=4), st.lists(st.integers(0, 1100), max_size=6))
def test_frames_survive_any_cut_of_the_stream(frames, cuts):
    stream = b"".join(encode(frame.cmd0, frame.cmd1, frame.payload) for frame in frames)
    edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    framer = Framer()
    found = [frame for start, end in pairwise(edges) for frame in framer.feed(stream[start:end])]
    assert found == frames
    assert framer.errors == 0


@given(st.binary(max_size=300).filter(lambda junk: 0xFE not in junk))
def test_junk_without_a_start_octet_costs_no_frame(junk):
    framer = Framer()
    assert framer.feed(junk + encode(0x21, 0x01)) == [PING]
    assert framer.errors == bool(junk)


def test_bootloader_bytes_of_both_hosts_are_passed_over():
    framer = Framer()
    assert framer.feed(b"\xef" * 256) == []
    assert framer.feed(b"\xef" + encode(0x21, 0x01)) == [PING]


def test_a_wrong_checksum_drops_only_that_frame():
    spoilt = bytearray(encode(0x21, 0x02, b"\x01\x02"))
    spoilt[-1] ^= 0x10
    framer = Framer()
    assert framer.feed(bytes(spoilt) + encode(0x21, 0x01)) == [PING]
    assert framer.errors >= 1


def test_a_frame_inside_a_spoilt_one_is_found():
    inner = encode(0x21, 0x01)
    assert Framer().feed(bytes((0xFE, len(inner), 0x21, 0x05)) + inner + b"\x55") == [PING]


def test_an_oversized_length_is_no_frame():
    framer = Framer()
    assert framer.feed(b"\xfe\xfb\x21\x01" + encode(0x21, 0x01)) == [PING]
    assert framer.errors >= 1


def test_an_oversized_payload_is_not_sent():
    with pytest.raises(ValueError, match="251"):
        encode(0x21, 0x01, bytes(251))


def test_a_stray_start_octet_is_given_up_after_a_pause():
    framer = Framer()
    assert framer.feed(b"\xfe\xc8\x00" + encode(0x21, 0x01)) == []
    assert framer.give_up_partial() == [PING]
    assert framer.feed(encode(0x21, 0x01)) == [PING]
