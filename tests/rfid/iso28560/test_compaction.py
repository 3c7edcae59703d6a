"""Text compaction: smallest coding, every coding decoded, nonsense refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfid.iso28560 import compaction
from rfid.iso28560.compaction import Compaction


@pytest.mark.parametrize(
    ("text", "code", "data"),
    [
        ("123456789012", Compaction.INTEGER, "1CBE991A14"),
        ("1203", Compaction.INTEGER, "04B3"),
        ("0302", Compaction.NUMERIC, "0302"),
        ("012", Compaction.NUMERIC, "012F"),
        ("12345678901234567890", Compaction.NUMERIC, "12345678901234567890"),
        ("ABC", Compaction.FIVE_BIT, "0886"),
        ("QA268.L55", Compaction.SIX_BIT, "441CB6E2E335D6"),
        ("ab", Compaction.OCTETS, "6162"),
        ("7", Compaction.OCTETS, "37"),
        ("Größe", Compaction.OCTETS, "4772F6DF65"),
        ("书", Compaction.UTF8, "E4B9A6"),
    ],
)
def test_the_smallest_coding_is_chosen(text: str, code: Compaction, data: str) -> None:
    assert compaction.encode(text) == (code, bytes.fromhex(data))
    assert compaction.decode(code, bytes.fromhex(data)) == text


def test_seven_bits_hold_an_identifier_in_mixed_case() -> None:
    assert compaction.decode(Compaction.SEVEN_BIT, bytes.fromhex("AB4D6C9DD556CDEB")) == "US-InU-Mu"
    assert compaction.encode("abcdefgh 1")[0] is Compaction.SEVEN_BIT


@given(st.text(min_size=1, max_size=40).filter(lambda text: text.encode("utf-8", "replace").decode() == text))
def test_every_text_comes_back(text: str) -> None:
    code, data = compaction.encode(text)
    assert compaction.decode(code, data) == text


@given(st.text([chr(c) for c in range(0x20, 0x60)], min_size=4, max_size=30).filter(lambda text: text[-1] != " "))
def test_six_bit_texts_of_every_length_come_back(text: str) -> None:
    code, data = compaction.encode(text)
    assert compaction.decode(code, data) == text


@given(st.sampled_from(Compaction), st.binary(max_size=20))
def test_any_bytes_decode_or_are_refused(code: Compaction, data: bytes) -> None:
    try:
        compaction.decode(code, data)
    except ValueError:
        pass


def test_nonsense_is_refused() -> None:
    for code, data in [(Compaction.NUMERIC, b"\xab"), (Compaction.INTEGER, bytes(9)), (Compaction.UTF8, b"\xff")]:
        with pytest.raises(ValueError, match=r"."):
            compaction.decode(code, data)
    with pytest.raises(ValueError, match="empty"):
        compaction.encode("")
