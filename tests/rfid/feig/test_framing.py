"""FEIG frames against the golden vectors, and against everything a serial line does to them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfid.feig.framing import Frame, FrameReader, build, crc16
from tests.support.vectors import raw, vectors

ANSWER = bytes.fromhex("0600B0015C63")
ADVANCED = bytes.fromhex("02000F00650003030044530D307469")
payloads = st.binary(min_size=1, max_size=300)


def answer(payload: bytes, *, advanced: bool = False) -> bytes:
    """An answer looks like a request whose data begins with the status."""
    return build(0, 0xB0, payload, advanced=advanced)


@pytest.mark.parametrize("vector", vectors("feig", "check"))
def test_checksum_agrees_with_the_published_check_value(vector: dict[str, Any]) -> None:
    assert crc16(vector["text"].encode()) == vector["value"]


@pytest.mark.parametrize("vector", vectors("feig", "frame", kind="request"))
def test_builds_the_golden_request(vector: dict[str, Any]) -> None:
    advanced = vector["form"] == "advanced"
    assert build(vector["com_adr"], vector["command"], raw(vector, "data"), advanced=advanced) == raw(vector)


@pytest.mark.parametrize("vector", vectors("feig", "frame", kind="answer"))
def test_cuts_out_the_golden_answer(vector: dict[str, Any]) -> None:
    reader = FrameReader()
    payload = bytes([vector["status"]]) + raw(vector, "data")
    frame = Frame(vector["com_adr"], vector["command"], payload, advanced=vector["form"] == "advanced")
    assert reader.feed(raw(vector)) == [frame]
    assert (reader.errors, reader.pending) == (0, 0)


def test_uses_the_advanced_form_when_the_standard_one_is_too_short() -> None:
    assert build(0xFF, 0xB0, bytes(250))[0] == 255
    long = build(0xFF, 0xB0, bytes(251))
    assert long[:3] == bytes((2, 1, 2))
    assert len(long) == 258


@given(st.lists(payloads, min_size=1, max_size=4), st.data())
def test_finds_the_same_frames_however_the_stream_is_split(contents: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(answer(payload) for payload in contents)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    reader = FrameReader()
    frames: list[Frame] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        frames += reader.feed(stream[start:end])
    assert [frame.payload for frame in frames] == contents
    assert reader.errors == 0


@given(st.binary(max_size=60))
def test_garbage_before_a_frame_costs_at_most_what_was_mistaken_for_its_start(garbage: bytes) -> None:
    reader = FrameReader()
    frames = reader.feed(garbage + ANSWER) + reader.salvage()
    assert frames[-1:] == [Frame(0, 0xB0, b"\x01")]
    assert reader.pending == 0


@given(st.binary(max_size=3000))
def test_pure_noise_never_raises_and_never_stays(noise: bytes) -> None:
    reader = FrameReader()
    reader.feed(noise)
    reader.salvage()
    assert reader.pending == 0


def test_one_run_of_garbage_counts_as_one_error() -> None:
    reader = FrameReader()
    assert reader.feed(b"\x00\x01\x03\x04\x05" + ANSWER) == [Frame(0, 0xB0, b"\x01")]
    assert reader.errors == 1
    reader.feed(b"\x00\x00" + ANSWER)
    assert reader.errors == 2


def test_a_turned_bit_loses_that_frame_only() -> None:
    broken = bytes([ANSWER[0], ANSWER[1] ^ 4, *ANSWER[2:]])
    reader = FrameReader()
    frames = reader.feed(broken + ADVANCED) + reader.salvage()
    assert frames == [Frame(0, 0x65, ADVANCED[5:-2], advanced=True)]
    assert reader.errors == 1


def test_a_truncated_frame_waits_and_is_dropped_when_the_line_falls_silent() -> None:
    reader = FrameReader()
    assert reader.feed(ANSWER[:4]) == []
    assert reader.pending == 4
    assert reader.salvage() == []
    assert (reader.errors, reader.pending) == (1, 0)


def test_an_answer_behind_a_false_long_start_is_salvaged_by_silence() -> None:
    reader = FrameReader()
    assert reader.feed(b"\xff" + ANSWER) == []
    assert reader.salvage() == [Frame(0, 0xB0, b"\x01")]


def test_an_absurd_advanced_length_is_refused_at_once() -> None:
    reader = FrameReader()
    assert reader.feed(b"\x02\xff\xff" + ANSWER + ANSWER) or reader.salvage()
    assert FrameReader().feed(b"\x02\x08\x01" + ANSWER) == [Frame(0, 0xB0, b"\x01")]


def test_clearing_drops_an_unfinished_frame_and_counts_it() -> None:
    reader = FrameReader()
    reader.feed(ANSWER[:3])
    reader.clear()
    assert (reader.errors, reader.pending) == (1, 0)
    reader.clear()
    assert reader.errors == 1
