"""Frames of FEIG ISO host mode as the simulated reader reads and writes them."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.rfid.feig import RX_BUF_SIZE, Answer, Framer, Request, crc16, encode_answer
from tests.support.feig_host import checksum, frame, rows

FRAMES = rows("feig.toml", "frame")
REQUESTS = [row for row in FRAMES if row["kind"] == "request"]
ANSWERS = [row for row in FRAMES if row["kind"] == "answer"]
STREAM = b"".join(bytes.fromhex(row["hex"]) for row in REQUESTS)


def expected(row: dict[str, Any]) -> Request:
    raw = bytes.fromhex(row["hex"])
    return Request(row["com_adr"], row["command"], bytes.fromhex(row["data"]), row["form"] == "advanced", len(raw))


def test_checksum_agrees_with_the_vector() -> None:
    (row,) = rows("feig.toml", "check")
    assert crc16(row["text"].encode()) == row["value"]
    assert checksum(row["text"].encode()) == row["value"].to_bytes(2, "little")


@pytest.mark.parametrize("row", REQUESTS, ids=lambda row: row["name"])
def test_request_vectors_are_read(row: dict[str, Any]) -> None:
    assert Framer().feed(bytes.fromhex(row["hex"]), 0.0) == [expected(row)]


@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: row["name"])
def test_answer_vectors_are_written(row: dict[str, Any]) -> None:
    answer = Answer(row["status"], bytes.fromhex(row["data"]))
    written = encode_answer(row["com_adr"], row["command"], answer, advanced=row["form"] == "advanced")
    assert written == bytes.fromhex(row["hex"])


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_a_stream_cut_anywhere_gives_the_same_requests(cuts: list[int]) -> None:
    framer = Framer()
    edges = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[a:b] for a, b in itertools.pairwise(edges)]
    found = [request for piece in pieces for request in framer.feed(piece, 0.0)]
    assert found == [expected(row) for row in REQUESTS]
    assert (framer.skipped_bytes, framer.crc_errors, framer.gaps) == (0, 0, 0)


@given(st.binary(max_size=300), st.integers(1, 40))
def test_after_garbage_and_a_gap_a_good_request_is_read(garbage: bytes, piece: int) -> None:
    framer = Framer()
    for at in range(0, len(garbage), piece):
        framer.feed(garbage[at : at + piece], 1.0)
    found = framer.feed(frame(0x65), 1.1)
    assert found[-1] == Request(0xFF, 0x65, b"", False, 5)


@pytest.mark.parametrize(
    "garbage", [b"\x00", b"\x01\x03\x04", b"\x05\x00\x03\x00\x00", b"\x02\x00\x03", b"\x02\x04\x01"]
)
def test_a_request_right_behind_garbage_is_read(garbage: bytes) -> None:
    framer = Framer()
    assert framer.feed(garbage + frame(0x65) + frame(0x69), 0.0)[-1].command == 0x69
    assert framer.skipped_bytes == len(garbage)


def test_an_advanced_frame_longer_than_the_receive_buffer_is_not_waited_for() -> None:
    framer = Framer()
    too_long = b"\x02" + (RX_BUF_SIZE + 1).to_bytes(2, "big")
    assert [request.command for request in framer.feed(too_long + frame(0x65), 0.0)] == [0x65]


def test_the_longest_advanced_request_is_read() -> None:
    data = bytes(RX_BUF_SIZE - 7)
    (request,) = Framer().feed(frame(0x77, data, advanced=True), 0.0)
    assert request.data == data
    assert request.length == RX_BUF_SIZE


def test_a_partial_frame_is_dropped_after_a_gap_of_more_than_12_ms() -> None:
    framer = Framer()
    request = frame(0x65)
    framer.feed(request[:3], 1.0)
    assert framer.feed(request[3:], 1.0125) == []
    assert framer.gaps == 1
    framer.feed(request[:3], 2.0)
    assert [found.command for found in framer.feed(request[3:], 2.0115)] == [0x65]


def test_a_changed_byte_is_seen_by_the_checksum() -> None:
    framer = Framer()
    request = bytearray(frame(0xB0, b"\x01\x00"))
    request[3] ^= 0x01
    assert framer.feed(bytes(request), 0.0) == []
    assert framer.crc_errors == 1


def test_an_answer_too_long_for_a_standard_frame_becomes_an_advanced_one() -> None:
    fits = encode_answer(0, 0xB0, Answer(0, bytes(249)), advanced=False)
    assert (fits[0], len(fits)) == (255, 255)
    grown = encode_answer(0, 0xB0, Answer(0, bytes(250)), advanced=False)
    assert grown[:3] == b"\x02" + len(grown).to_bytes(2, "big")
