"""Library identifiers in their compact coding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfid.iso28560 import isil

CHARACTERS = "ABCXYZabcxyz0123456789-:/"


@pytest.mark.parametrize(
    ("text", "coded"), [("US-InU-Mu", "ACC09EBAA06F6B"), ("FI-Mamk-M", "3240DE05AB075B"), ("CN-000001-DEMO", None)]
)
def test_known_identifiers_are_coded_as_others_code_them(text: str, coded: str | None) -> None:
    assert coded is None or isil.encode(text).hex().upper() == coded
    assert isil.decode(isil.encode(text)) == text


@given(st.text(CHARACTERS, min_size=1, max_size=16))
def test_every_identifier_comes_back(text: str) -> None:
    assert isil.decode(isil.encode(text)) == text


@pytest.mark.parametrize("text", ["DE_1", "中", "A B"])
def test_other_characters_have_no_coding(text: str) -> None:
    with pytest.raises(ValueError, match="no place"):
        isil.encode(text)


@given(st.binary(max_size=16))
def test_any_bytes_decode_or_are_refused(data: bytes) -> None:
    try:
        isil.decode(data)
    except ValueError:
        pass


@pytest.mark.parametrize("data", ["EFFF", "F4", "F79C"], ids=["shift at the end", "no such digit", "double switch"])
def test_broken_codes_are_refused(data: str) -> None:
    with pytest.raises(ValueError, match=r"ends|no character"):
        isil.decode(bytes.fromhex(data))
