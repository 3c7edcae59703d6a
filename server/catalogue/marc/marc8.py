"""MARC-8, the older encoding of MARC 21 (MARC 21 Specifications, Character Sets Part 2), both ways.

Two sets of characters are in use at a time: G0 for bytes 21..7E, G1 for A1..FE. Escape sequences change them, and
each subfield begins with ASCII and ANSEL. Marks stand before the letter they belong to. Tables come from pymarc.
"""

from __future__ import annotations

import importlib
import re
import unicodedata
from functools import cache
from typing import Any

ESCAPE = 0x1B
ASCII, ANSEL, EACC = 0x42, 0x45, 0x31
UNKNOWN = "\ufffd"

_TECHNIQUE_1 = {0x67: 0x67, 0x62: 0x62, 0x70: 0x70, 0x73: ASCII}
"""Greek symbols, subscripts, superscripts and back: ESC and the set's letter alone."""
_REFERENCE = re.compile("&#x([0-9A-Fa-f]{4,6});")


@cache
def _tables() -> Any:
    return importlib.import_module("pymarc.marc8_mapping")


class _Decoder:
    """Of one subfield."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0
        self._g0, self._g1 = ASCII, ANSEL
        self._marks: list[str] = []
        self._out: list[str] = []

    def run(self) -> str:
        while self._at < len(self._data):
            byte = self._data[self._at]
            if byte == ESCAPE:
                self._escape()
            elif byte <= 0x20 or byte == 0x7F:
                self._at += 1
                self._put(chr(byte), mark=False)
            else:
                self._character(self._g0 if byte < 0x80 else self._g1)
        return unicodedata.normalize("NFC", "".join(self._out + self._marks))

    def _escape(self) -> None:
        """Change a set; an escape that says nothing known is an unknown character."""
        rest = self._data[self._at + 1 : self._at + 5]
        if rest[:1] and rest[0] in _TECHNIQUE_1:
            self._g0 = _TECHNIQUE_1[rest[0]]
            self._at += 2
            return
        found = re.match(rb"(\$?)([(,)-]?)!?([\x30-\x7e])", rest)
        if found is None or not (found[1] or found[2]) or found[3][0] not in _tables().CODESETS:
            self._at += 1
            self._put(UNKNOWN, mark=False)
            return
        if found[2] in (b")", b"-"):
            self._g1 = found[3][0]
        else:
            self._g0 = found[3][0]
        self._at += 1 + found.end()

    def _character(self, charset: int) -> None:
        length = 3 if charset == EACC else 1
        piece = self._data[self._at : self._at + length]
        self._at += length
        code = int.from_bytes(piece, "big")
        table = _tables().CODESETS[charset]
        known = table.get(code) or table.get(int.from_bytes(bytes(byte ^ 0x80 for byte in piece), "big"))
        if known is None and code in _tables().ODD_MAP:
            known = (_tables().ODD_MAP[code], 0)
        if known is None or len(piece) < length:
            self._put(UNKNOWN, mark=False)
        else:
            self._put(chr(known[0]), mark=bool(known[1]))

    def _put(self, character: str, *, mark: bool) -> None:
        if mark:
            self._marks.append(character)
            return
        self._out += [character, *self._marks]
        self._marks.clear()


def decode(data: bytes) -> str:
    """A subfield's text; bytes that mean nothing become U+FFFD, `&#x4E00;` the character it names
    unless that is a control character, such as an end mark."""
    text = data.decode("ascii") if data.isascii() and ESCAPE not in data else _Decoder(data).run()
    return _REFERENCE.sub(_referred, text) if "&#x" in text else text


def _referred(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    return chr(code) if 0x20 <= code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else found[0]


def encode(text: str) -> bytes:
    """A subfield's bytes; a character that MARC-8 does not have is written as `&#x1F600;`, as specified."""
    if text.isascii():
        return text.encode("ascii")
    out, current = bytearray(), ASCII
    for letter, marks in _clusters(text):
        for charset, code in _written(letter, marks):
            wanted = ASCII if charset == ANSEL else charset
            if wanted != current:
                out += _to(wanted, current)
                current = wanted
            out += code
    return bytes(out + (_to(ASCII, current) if current != ASCII else b""))


def _to(charset: int, before: int) -> bytes:
    """The escape sequence that makes a set the G0."""
    if charset == ASCII and before in _TECHNIQUE_1:
        return b"\x1bs"
    if charset in _TECHNIQUE_1:
        return bytes((ESCAPE, charset))
    return b"\x1b$1" if charset == EACC else bytes((ESCAPE, 0x28, charset))


def _clusters(text: str) -> list[tuple[str, str]]:
    """Letters with the marks on them; a letter is taken apart only when MARC-8 has the parts alone."""
    found: list[tuple[str, str]] = []
    for character in unicodedata.normalize("NFC", text):
        for part in _parts(character):
            if part in _marks() and found:
                found[-1] = (found[-1][0], found[-1][1] + part)
            else:
                found.append((part, ""))
    return found


def _parts(character: str) -> str:
    if character.isascii() or character in _letters():
        return character
    apart = unicodedata.normalize("NFD", character)
    return apart if all(part.isascii() or part in _letters() or part in _marks() for part in apart) else character


def _written(letter: str, marks: str) -> list[tuple[int, bytes]]:
    """The marks and the letter, each with its set."""
    if letter.isascii():
        known = (ASCII, letter.encode("ascii"))
    elif letter in _letters():
        known = _letters()[letter]
    else:
        whole = unicodedata.normalize("NFC", letter + marks)
        return [(ASCII, "".join(f"&#x{ord(character):04X};" for character in whole).encode("ascii"))]
    return [*(_marks()[mark] for mark in marks), known]


@cache
def _letters() -> dict[str, tuple[int, bytes]]:
    """Of each character that is no mark, the set and its bytes there; ANSEL first, then East Asian."""
    found: dict[str, tuple[int, bytes]] = {}
    codesets = _tables().CODESETS
    for charset in (ANSEL, EACC, *(one for one in sorted(codesets) if one not in (ANSEL, EACC, ASCII))):
        for code, (unicode, mark) in codesets[charset].items():
            place = code & 0x7F if charset not in (ANSEL, EACC) else code
            if not mark and unicode > 0x7F:
                found.setdefault(chr(unicode), (charset, place.to_bytes(3 if charset == EACC else 1, "big")))
    return found


@cache
def _marks() -> dict[str, tuple[int, bytes]]:
    """ANSEL's marks."""
    return {
        chr(unicode): (ANSEL, bytes((code,))) for code, (unicode, mark) in _tables().CODESETS[ANSEL].items() if mark
    }
