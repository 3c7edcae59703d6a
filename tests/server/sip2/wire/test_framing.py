"""Frames out of a stream, however it is cut and whatever lies between them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.sip2.wire.framing import FRAME_LIMIT, Framer, FrameTooLongError

FRAMES = [b"9900802.00AY1AZFCA0", "1720261121    093000AB伊索|".encode(), b"97"]


def fed(*pieces: bytes) -> list[bytes]:
    framer = Framer()
    return [frame for piece in pieces for frame in framer.feed(piece)]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\r\r\n", b"\r\n\r\n"])
def test_every_terminator_ends_a_frame(end: bytes) -> None:
    assert fed(b"".join(frame + end for frame in FRAMES)) == FRAMES


@pytest.mark.parametrize("noise", [b"\n", b"  ", b"\0\0", b"\xff\xfb", b"abc \t"])
def test_noise_before_the_first_digit_is_dropped(noise: bytes) -> None:
    assert fed(b"".join(noise + frame + b"\r" for frame in FRAMES)) == FRAMES


def test_lines_without_a_digit_are_none() -> None:
    assert fed(b"\r\r\n  \r\0\r") == []


@given(st.lists(st.integers(1, 40), max_size=30))
def test_cuts_do_not_matter(widths: list[int]) -> None:
    stream = b"\r\n".join(FRAMES) + b"\r"
    cuts = [0, *itertools.accumulate(widths), len(stream)]
    pieces = [stream[a:b] for a, b in itertools.pairwise(sorted(min(c, len(stream)) for c in cuts))]
    assert fed(*pieces) == FRAMES


def test_a_byte_at_a_time_gives_the_same() -> None:
    stream = b"\r".join(FRAMES) + b"\r"
    assert fed(*(stream[n : n + 1] for n in range(len(stream)))) == FRAMES


def test_an_unended_frame_waits() -> None:
    framer = Framer()
    assert list(framer.feed(b"99008")) == []
    assert framer.pending == 5
    assert list(framer.feed(b"02.00\r9")) == [b"9900802.00"]


@pytest.mark.parametrize("pieces", [[b"9" * (FRAME_LIMIT + 1)], [b"9" * 1000] * 20, [b"9" * (FRAME_LIMIT + 1) + b"\r"]])
def test_a_frame_without_an_end_is_not_kept(pieces: list[bytes]) -> None:
    with pytest.raises(FrameTooLongError):
        fed(*pieces)


def test_frames_before_the_overlong_one_still_count() -> None:
    framer = Framer()
    frames = framer.feed(b"97\r" + b"9" * (FRAME_LIMIT + 1))
    assert next(frames) == b"97"
    with pytest.raises(FrameTooLongError):
        next(frames)
