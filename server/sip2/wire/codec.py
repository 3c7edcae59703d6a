"""Bytes to messages and back: fields, encodings, checksums (3M SIP2, "Error detection" and chapter "Message formats").

Knows no socket and no library. Requests are read tolerantly, answers written strictly.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal, NamedTuple

from server.sip2.wire.messages import LAYOUTS, REQUEST_IDS, Message

Checksum = Literal["bytes", "codepoints", "off"]

VALUE_LIMIT = 255
"""Characters of one field's value."""

_CONTROLS = dict.fromkeys((*range(32), *range(127, 160), 8232, 8233), " ")
_CLEAN = str.maketrans({**{chr(code): blank for code, blank in _CONTROLS.items()}, "|": "｜"})

_TRAILER = re.compile(rb"AY([0-9])AZ([^|]{0,4}?)\|?[ \0]*$")
_ONLY_SEQUENCE = re.compile(rb"(?<=\|)AY([0-9])\|?[ \0]*$")
_ONLY_CHECKSUM = re.compile(rb"AZ([0-9A-Fa-f]{4})\|?[ \0]*$")


class CodecError(ValueError):
    """Not a message of SIP2."""


class UnknownMessageError(CodecError):
    """No request has this number."""


class FixedPartError(CodecError):
    """The fixed part is cut off; `message` has it blank, and the fields that can still be read."""

    def __init__(self, message: Message) -> None:
        super().__init__(f"the fixed part of {message.id} is cut off")
        self.message = message


class Frame(NamedTuple):
    """What stood between two terminators. `sequence` is AY's digit; `covered` the bytes that the checksum sums."""

    body: bytes
    sequence: str | None = None
    checksum: str | None = None
    covered: bytes = b""

    @property
    def checked(self) -> bool:
        """Whether the sender asks for error detection."""
        return self.sequence is not None or self.checksum is not None


def split(frame: bytes) -> Frame:
    """A frame without its trailer; a broken checksum stays visible as such in `checksum`."""
    if found := _TRAILER.search(frame):
        sequence, text = found[1].decode("ascii"), found[2].decode("ascii", "replace")
        return Frame(frame[: found.start()], sequence, text, frame[: found.start(2)])
    if found := _ONLY_SEQUENCE.search(frame):
        return Frame(frame[: found.start()], found[1].decode("ascii"))
    found = _ONLY_CHECKSUM.search(frame)
    if found and (b"|" not in frame or frame[found.start() - 1 : found.start()] == b"|"):
        return Frame(frame[: found.start()], None, found[1].decode("ascii"), frame[: found.start(1)])
    return Frame(frame)


def checksum_of(covered: bytes) -> str:
    """Four hex digits which, added to the sum of the bytes, give 0 in 16 bits."""
    return f"{-sum(covered) & 0xFFFF:04X}"


def codepoint_checksum_of(text: str) -> str:
    """The same over the characters' numbers, as some makers sum text beyond ASCII."""
    return f"{-sum(map(ord, text)) & 0xFFFF:04X}"


def sum_matches(frame: Frame, encoding: str) -> bool:
    """Whether the checksum is right over bytes or over characters; also true when there is none."""
    if frame.checksum is None:
        return True
    given = frame.checksum.upper().zfill(4)  # a client in wide use drops leading zeros
    if given == checksum_of(frame.covered):
        return True
    return given == codepoint_checksum_of(frame.covered.decode(encoding, "replace"))


def decode(body: bytes, encoding: str) -> Message:
    """A request or answer without its trailer; raises UnknownMessageError or FixedPartError.

    NUL, with which some programs fill their buffers, is a blank: no database keeps it.
    """
    text = body.decode(encoding, "replace").replace("\0", " ")
    layout = LAYOUTS.get(text[:2])
    if layout is None:
        raise UnknownMessageError(text[:2])
    rest = text[2:]
    fixed = {name: rest[start:end] for name, start, end in layout.fixed}
    if len(rest) < layout.width or "|" in rest[: layout.width]:
        blank = {name: " " * (end - start) for name, start, end in layout.fixed}
        raise FixedPartError(Message(layout.id, blank, _fields(rest.partition("|")[2])))
    return Message(layout.id, fixed, _fields(rest[layout.width :]))


def is_request(message_id: str) -> bool:
    """Whether a terminal may send it."""
    return message_id in REQUEST_IDS


def encode(message: Message) -> str:
    """The text of a message without trailer; values are cleaned and cut, the fixed part must fit its layout."""
    layout = LAYOUTS[message.id]
    fixed = [message.fixed[name] for name, _, _ in layout.fixed]
    for value, (name, start, end) in zip(fixed, layout.fixed, strict=True):
        if len(value) != end - start:
            raise CodecError(f"{message.id}.{name}: {value!r} is not {end - start} characters")
    return "".join([message.id, *fixed, *[name + clean(value) + "|" for name, value in message.fields]])


def clean(text: str) -> str:
    """A value that cannot break a frame, at most 255 characters."""
    if text.isprintable() and "|" not in text and unicodedata.is_normalized("NFC", text):  # most are: twice as fast
        return text[:VALUE_LIMIT]
    return unicodedata.normalize("NFC", text).translate(_CLEAN)[:VALUE_LIMIT]


def seal(text: str, encoding: str, *, like: Frame, checksum: Checksum, sequence: bool = True) -> bytes:
    """A message's bytes with the trailer that the request asks for; `sequence` False leaves AY out."""
    body = text.encode(encoding, "replace")
    if checksum == "off" or not like.checked:
        return body
    mark = f"AY{like.sequence}AZ" if sequence and like.sequence is not None else "AZ"
    if checksum == "codepoints":
        return body + (mark + codepoint_checksum_of(body.decode(encoding) + mark)).encode("ascii")
    covered = body + mark.encode("ascii")
    return covered + checksum_of(covered).encode("ascii")


def _fields(text: str) -> tuple[tuple[str, str], ...]:
    """Marked fields in their order; what has no mark of two characters is noise. A missing last `|` is allowed."""
    return tuple([(piece[:2], piece[2:]) for piece in text.split("|") if len(piece) >= 2])
