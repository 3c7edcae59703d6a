"""What a librarian's workstation has written on the demo's tags: ISO 28560-2 elements (ISO/IEC 15962, no directory)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

DSFID: Final = 0x06
CIRCULATING: Final = 0x10
PATRON: Final = 0x80

_PAD: Final = 0x80
_LOCK_UNIT: Final = 4
_INTEGER, _NUMERIC, _FIVE, _SIX, _SEVEN, _OCTETS, _UTF8 = range(1, 8)


class ContentError(ValueError):
    """The values do not fit on a tag."""


@dataclass(frozen=True, slots=True)
class Label:
    """Values of one tag's elements; empty ones are left out. `usage` is the type-of-usage byte."""

    item_id: str
    owner: str
    usage: int = CIRCULATING
    set_info: str = ""
    shelf_location: str = ""
    onix_media_format: str = ""
    title: str = ""


def encode(label: Label, size: int) -> bytes:
    """The tag's whole memory of `size` bytes; ContentError when they do not fit."""
    elements = [
        (3, b"\x03" + _sized(encode_isil(label.owner))),
        (4, _text_element(4, label.set_info)),
        (5, _element(5, 0, bytes((label.usage,)))),
        (6, _text_element(6, label.shelf_location)),
        (7, _text_element(7, label.onix_media_format)),
        (17, _element(17, _UTF8, label.title.encode()) if label.title else b""),
    ]
    written = [(oid, data) for oid, data in elements if data]
    out = _padded(_text_element(1, label.item_id))
    out += _element(2, 0, content_parameter(oid for oid, _ in written))
    out += b"".join(data for _, data in written)
    if len(out) > size:
        raise ContentError(f"the label of {label.item_id} takes {len(out)} bytes, the tag has {size}")
    return out.ljust(size, b"\0")


def content_parameter(oids: Iterable[int]) -> bytes:
    """Bit map of the elements that follow: the highest bit of the first byte is element 3."""
    bits = 0
    for oid in oids:
        bits |= 1 << (34 - oid)
    return bits.to_bytes(4, "big").rstrip(b"\0")


def compact(text: str) -> tuple[int, bytes]:
    """Code and bytes of the smallest compaction that can hold `text`, in the standard's order."""
    if text.isascii() and text.isdigit() and len(text) >= 2:
        if text[0] != "0" and len(text) <= 19:
            number = int(text)
            return _INTEGER, number.to_bytes((number.bit_length() + 7) // 8, "big")
        return _NUMERIC, bytes.fromhex(text + "f" * (len(text) % 2))
    if len(text) >= 3 and all("A" <= char <= "_" for char in text):
        return _FIVE, _packed(text, 5)
    if len(text) >= 4 and text[-1] != " " and all(" " <= char <= "_" for char in text):
        return _SIX, _packed(text, 6)
    if len(text) >= 8 and all(char <= "~" for char in text):
        return _SEVEN, _packed(text, 7)
    try:
        return _OCTETS, text.encode("iso8859-1")
    except UnicodeEncodeError:
        return _UTF8, text.encode()


def encode_isil(isil: str) -> bytes:
    """ISIL coding of ISO 28560-2: 5-bit letters and 4-bit digits with latches and shifts, starting in upper case."""
    bits = ""
    current = "upper"
    for at, char in enumerate(isil):
        kind = _isil_kind(char, current)
        if kind != current:
            following = isil[at + 1 : at + 2]
            shift = not following or _isil_kind(following, current) == current
            bits += _SWITCH[current, kind][shift]
            if not shift:
                current = kind
        bits += _SETS[kind][char]
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def _isil_kind(char: str, current: str) -> str:
    """The character set to take `char` from: the current one when it has it."""
    if char in _SETS[current]:
        return current
    for kind, table in _SETS.items():
        if char in table:
            return kind
    raise ContentError(f"{char!r} cannot stand in an ISIL")


def _packed(text: str, width: int) -> bytes:
    """Low `width` bits of each character; the rest of the last byte as the standard pads it."""
    bits = "".join(format(ord(char) & ((1 << width) - 1), f"0{width}b") for char in text)
    gap = -len(bits) % 8
    bits += {5: "0" * gap, 6: "100000"[:gap].ljust(gap, "0"), 7: "1" * gap}[width]
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def _text_element(oid: int, text: str) -> bytes:
    return _element(oid, *compact(text)) if text else b""


def _element(oid: int, code: int, data: bytes) -> bytes:
    """Precursor, extension byte from element 15 on, length, data."""
    head = bytes((code << 4 | oid,)) if oid < 15 else bytes((code << 4 | 0x0F, oid - 15))
    return head + _sized(data)


def _sized(data: bytes) -> bytes:
    if len(data) > 127:
        raise ContentError(f"an element of {len(data)} bytes; at most 127 go on a tag")
    return bytes((len(data),)) + data


def _padded(element: bytes) -> bytes:
    """The element with an offset so that it ends on a block boundary and can be locked alone."""
    if len(element) % _LOCK_UNIT == 0:
        return element
    pads = -(len(element) + 1) % _LOCK_UNIT
    return bytes((element[0] | 0x80, pads)) + element[1:] + bytes((_PAD,)) * pads


def _letters(first: str, colon: str) -> dict[str, str]:
    table = {chr(ord(first) + index): format(index + 1, "05b") for index in range(26)}
    return {"-": "00000", colon: "11011", **table}


_SETS: Final = {
    "upper": _letters("A", ":"),
    "lower": _letters("a", "/"),
    "digit": {**{str(digit): format(digit, "04b") for digit in range(10)}, "-": "1010", ":": "1011"},
}

# (current set, wanted set) -> latch code, shift code
_SWITCH: Final = {
    ("upper", "lower"): ("11100", "11101"),
    ("upper", "digit"): ("11110", "11111"),
    ("lower", "upper"): ("11100", "11101"),
    ("lower", "digit"): ("11110", "11111"),
    ("digit", "upper"): ("1100", "1101"),
    ("digit", "lower"): ("1110", "1111"),
}
