"""Data compaction of ISO/IEC 15962: text to the fewest bytes and back."""

import re
from collections.abc import Callable
from enum import IntEnum

from rfid.iso28560.bits import BitReader, BitWriter


class Compaction(IntEnum):
    """The three-bit code in an element's precursor."""

    APPLICATION = 0
    INTEGER = 1
    NUMERIC = 2
    FIVE_BIT = 3
    SIX_BIT = 4
    SEVEN_BIT = 5
    OCTETS = 6
    UTF8 = 7


_MAX_INTEGER_BYTES = 8  # 19 digits


def encode(text: str) -> tuple[Compaction, bytes]:
    """Return the smallest coding of a non-empty text, the first of the standard's order when several are smallest."""
    if not text:
        raise ValueError("an element cannot be empty")
    fitting = [(code, _ENCODERS[code](text)) for code, fits in _FITS if fits(text)]
    return min(fitting, key=lambda each: len(each[1]))


def encode_utf8(text: str) -> tuple[Compaction, bytes]:
    """Return the UTF-8 coding, which titles always have."""
    return Compaction.UTF8, text.encode()


def decode(code: Compaction, data: bytes) -> str:
    """Return the text of an element; ValueError when the bytes are none of this code's."""
    return _DECODERS[code](data)


def _encode_integer(text: str) -> bytes:
    value = int(text)
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _encode_numeric(text: str) -> bytes:
    return bytes.fromhex(text + "F" * (len(text) % 2))


def _pack(text: str, width: int, pad: str) -> bytes:
    bits = BitWriter()
    for character in text:
        bits.put(ord(character) & (1 << width) - 1, width)
    return bits.to_bytes(pad)


def _decode_integer(data: bytes) -> str:
    if len(data) > _MAX_INTEGER_BYTES:
        raise ValueError(f"an integer of {len(data)} bytes")
    return str(int.from_bytes(data, "big"))


def _decode_numeric(data: bytes) -> str:
    digits = data.hex()
    digits = digits[:-1] if digits.endswith("f") else digits
    if not digits.isdecimal():
        raise ValueError(f"a numeric string of {digits!r}")
    return digits


def _decode_five_bit(data: bytes) -> str:
    bits = BitReader(data)
    text = ""
    while bits.left >= 5 and (group := bits.take(5)):
        text += chr(0x40 + group)
    return text


def _decode_six_bit(data: bytes) -> str:
    bits = BitReader(data)
    groups = [bits.take(6) for _ in range(bits.left // 6)]
    if bits.left == 0 and groups and groups[-1] == 0b100000:
        groups.pop()
    return "".join(chr(group if group & 0x20 else group | 0x40) for group in groups)


def _decode_seven_bit(data: bytes) -> str:
    bits = BitReader(data)
    groups = [bits.take(7) for _ in range(bits.left // 7)]
    if bits.left == 0 and groups and groups[-1] == 0x7F:
        groups.pop()
    return "".join(map(chr, groups))


def _fits(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


_FITS: tuple[tuple[Compaction, Callable[[str], bool]], ...] = (
    (Compaction.INTEGER, _fits(r"[1-9][0-9]{1,18}")),
    (Compaction.NUMERIC, _fits(r"[0-9]{2,}")),
    (Compaction.FIVE_BIT, _fits(r"[\x41-\x5F]{3,}")),
    (Compaction.SIX_BIT, _fits(r"[\x20-\x5F]{3,}[\x21-\x5F]")),
    (Compaction.SEVEN_BIT, _fits(r"[\x00-\x7E]{8,}")),
    (Compaction.OCTETS, _fits(r"[\x00-\xFF]+")),
    (Compaction.UTF8, _fits(r"(?s:.+)")),
)
_ENCODERS: dict[Compaction, Callable[[str], bytes]] = {
    Compaction.INTEGER: _encode_integer,
    Compaction.NUMERIC: _encode_numeric,
    Compaction.FIVE_BIT: lambda text: _pack(text, 5, "0" * 8),
    Compaction.SIX_BIT: lambda text: _pack(text, 6, "100000"),
    Compaction.SEVEN_BIT: lambda text: _pack(text, 7, "1" * 8),
    Compaction.OCTETS: lambda text: text.encode("latin-1"),
    Compaction.UTF8: lambda text: text.encode(),
}
_DECODERS: dict[Compaction, Callable[[bytes], str]] = {
    Compaction.APPLICATION: bytes.hex,
    Compaction.INTEGER: _decode_integer,
    Compaction.NUMERIC: _decode_numeric,
    Compaction.FIVE_BIT: _decode_five_bit,
    Compaction.SIX_BIT: _decode_six_bit,
    Compaction.SEVEN_BIT: _decode_seven_bit,
    Compaction.OCTETS: lambda data: data.decode("latin-1"),
    Compaction.UTF8: lambda data: data.decode(),
}
