"""SIP2's bytes: golden frames, round trips, checksums in both readings, what is tolerated and what never leaves us."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.sip2.wire import codec
from server.sip2.wire.codec import Frame
from server.sip2.wire.messages import LAYOUTS, REQUESTS, F, Message
from tests.support.vectors import vectors

PRINTABLE = st.text(
    st.characters(blacklist_categories=("Cc", "Cs", "Zl", "Zp"), blacklist_characters="|"), max_size=40
).map(codec.clean)
ASCII = st.characters(min_codepoint=32, max_codepoint=126, blacklist_characters="|")


@st.composite
def messages(draw: st.DrawFn) -> Message:
    layout = draw(st.sampled_from(sorted(LAYOUTS.values(), key=lambda one: one.id)))
    fixed = {part.name: draw(st.text(ASCII, min_size=part.width, max_size=part.width)) for part in layout.fixed}
    fields = draw(st.lists(st.tuples(st.sampled_from([str(name) for name in F]), PRINTABLE), max_size=12))
    return Message(layout.id, fixed, tuple(fields))


@pytest.mark.parametrize("entry", vectors("sip2", "frame"))
def test_a_golden_frame_is_read(entry: dict[str, Any]) -> None:
    frame = codec.split(entry["frame"].encode())
    assert (frame.sequence, frame.checksum) == (entry.get("sequence"), entry["checksum"])
    assert codec.checksum_of(frame.covered) == entry["checksum"]
    assert codec.codepoint_checksum_of(frame.covered.decode()) == entry["codepoints"]
    message = codec.decode(frame.body, "utf-8")
    assert message.id == entry["id"]
    assert message.fixed == entry.get("fixed", {})
    assert [list(field) for field in message.fields] == entry.get("fields", [])


@pytest.mark.parametrize("entry", [one for one in vectors("sip2", "frame") if "stray" not in one.id])
def test_a_golden_frame_is_written_to_the_byte(entry: dict[str, Any]) -> None:
    frame = codec.split(entry["frame"].encode())
    message = codec.decode(frame.body, "utf-8")
    assert codec.seal(codec.encode(message), "utf-8", like=frame, checksum="bytes") == entry["frame"].encode()


@given(messages(), st.sampled_from(["utf-8", "gb18030"]), st.sampled_from(["bytes", "codepoints"]))
def test_what_is_written_is_read_back(message: Message, encoding: str, checksum: codec.Checksum) -> None:
    raw = codec.seal(codec.encode(message), encoding, like=Frame(b"", "7", "0000"), checksum=checksum)
    frame = codec.split(raw)
    assert frame.sequence == "7"
    assert codec.sum_matches(frame, encoding)
    assert codec.decode(frame.body, encoding) == message


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    frame = codec.split(data)
    codec.sum_matches(frame, "utf-8")
    try:
        codec.decode(frame.body, "gb18030")
    except codec.CodecError:
        return


@given(st.integers(0, 200), st.integers(0, 7))
def test_a_flipped_bit_is_noticed(place: int, bit: int) -> None:
    raw = bytearray(b"11NN20261121    093000                  AOMAIN|AAR0001|ABB510106|AC|AD1234|BON|BIN|AY3AZEBF4")
    place %= len(raw) - 9  # the trailer itself may turn into something else
    raw[place] ^= 1 << bit
    assert not codec.sum_matches(codec.split(bytes(raw)), "latin-1")


@pytest.mark.parametrize(
    ("raw", "sequence", "checksum", "body"),
    [
        (b"17xxAB1|", None, None, b"17xxAB1|"),
        (b"17xxAB1|AY4", "4", None, b"17xxAB1|"),
        (b"17xxAB1|AZfef5", None, "fef5", b"17xxAB1|"),
        (b"17xxAB1|AY4AZFEF5|", "4", "FEF5", b"17xxAB1|"),
        (b"17xxAB1AY4AZFEF5", "4", "FEF5", b"17xxAB1"),
        (b"17xxAB1|AY4AZFEF5 \0", "4", "FEF5", b"17xxAB1|"),
        (b"17xxAB1|AY4AZZZZZ", "4", "ZZZZ", b"17xxAB1|"),
        (b"17xxAB1|AY4AZ12", "4", "12", b"17xxAB1|"),
        (b"17xxAB1|AJAMAZED1", None, None, b"17xxAB1|AJAMAZED1"),
        (b"97AZFEF5", None, "FEF5", b"97"),
        (b"97", None, None, b"97"),
    ],
)
def test_trailers_are_told_from_fields(raw: bytes, sequence: str | None, checksum: str | None, body: bytes) -> None:
    frame = codec.split(raw)
    assert (frame.sequence, frame.checksum, frame.body) == (sequence, checksum, body)


def test_checksums_are_compared_without_regard_to_case() -> None:
    assert codec.sum_matches(codec.split(b"97AZfef5"), "utf-8")


def test_fields_come_in_any_order_twice_unknown_and_without_a_last_delimiter() -> None:
    message = codec.decode(b"1720261121    093000ZZwhat|ABone|x|ABtwo|AOMAIN", "utf-8")
    assert message.get(F.ITEM) == "one"
    assert message.all(F.ITEM) == ["one", "two"]
    assert message.get(F.INSTITUTION) == "MAIN"
    assert message.get(F.PATRON, "none") == "none"
    filled = codec.decode(b"3720261121    0930000100\0\0\0BV1.00|AD24\0\0|", "utf-8")
    assert (filled.fixed["currency"], filled.get(F.PIN)) == ("   ", "24  ")


@pytest.mark.parametrize("text", ["17", "172026", "11NNAOMAIN|AAR1|ABB1|", "17AB1|AOMAIN|AA7|"])
def test_a_fixed_part_that_is_cut_off_is_told_with_the_fields_that_are_left(text: str) -> None:
    with pytest.raises(codec.FixedPartError) as caught:
        codec.decode(text.encode(), "utf-8")
    assert caught.value.message.id == text[:2]
    if "AA7" in text:
        assert caught.value.message.get(F.PATRON) == "7"


@pytest.mark.parametrize("text", ["", "1", "77whatever", "ab", "é9"])
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(codec.UnknownMessageError):
        codec.decode(text.encode(), "utf-8")


@given(st.text(max_size=400))
def test_no_value_can_break_a_frame(value: str) -> None:
    cleaned = codec.clean(value)
    assert len(cleaned) <= 255
    assert not set("|\r\n\0\x1b") & set(cleaned)


def test_values_are_cut_at_characters_and_written_in_what_the_encoding_has() -> None:
    assert codec.clean("书" * 300) == "书" * 255
    assert codec.clean("a|b\rc\nd") == "a｜b c d"
    like = Frame(b"")
    assert codec.seal("AJZoe\u0308 书|", "latin-1", like=like, checksum="bytes") == b"AJZoe? ?|"
    assert codec.seal(codec.clean("Zoe\u0308 书"), "latin-1", like=like, checksum="bytes") == "Zoë ?".encode("latin-1")
    assert "伊索寓言".encode("gb18030") == codec.seal("伊索寓言", "gb18030", like=like, checksum="bytes")


def test_a_character_whose_second_byte_looks_like_the_delimiter_is_one_character() -> None:
    title = b"\x81\x7c".decode("gb18030")  # a lead byte, then 0x7C
    message = codec.decode(f"1720261121    093000AB1|AJ{title}|".encode("gb18030"), "gb18030")
    assert message.get(F.TITLE) == title


def test_trailers_follow_the_request() -> None:
    for like, sequence, expected in [
        (Frame(b""), True, b"10"),
        (Frame(b"", "5", None), True, b"10AY5AZ"),
        (Frame(b"", None, "1234"), True, b"10AZ"),
        (Frame(b"", "5", "1234"), False, b"10AZ"),
    ]:
        sealed = codec.seal("10", "utf-8", like=like, checksum="bytes", sequence=sequence)
        assert sealed.startswith(expected)
        assert codec.sum_matches(codec.split(sealed), "utf-8")
    assert codec.seal("10", "utf-8", like=Frame(b"", "5", "1234"), checksum="off") == b"10"


def test_every_request_has_its_answer_in_the_table() -> None:
    for layout in REQUESTS:
        assert layout.answer is None or layout.answer in LAYOUTS
        assert [part.start for part in layout.fixed] == [
            sum(before.width for before in layout.fixed[:n]) for n in range(len(layout.fixed))
        ]


@pytest.mark.parametrize(
    ("id_", "width"),
    [
        ("93", 2), ("94", 1), ("99", 8), ("98", 34), ("23", 21), ("24", 35), ("63", 31), ("64", 59), ("11", 38),
        ("12", 22), ("09", 37), ("10", 22), ("29", 38), ("30", 22), ("65", 18), ("66", 27), ("15", 19), ("16", 20),
        ("17", 18), ("18", 24), ("19", 18), ("20", 19), ("37", 25), ("38", 19), ("01", 19), ("25", 18), ("26", 35),
        ("35", 18), ("36", 19), ("97", 0), ("96", 0),
    ],
)  # fmt: skip
def test_fixed_parts_are_as_wide_as_the_standard_says(id_: str, width: int) -> None:
    assert LAYOUTS[id_].width == width
