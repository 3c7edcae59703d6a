"""FEIG ISO host mode frames, sans-I/O: `feed` takes bytes and gives frames, `build` gives bytes.

Standard frame: LEN, COM-ADR, CMD, data, CRC16 low byte first; LEN counts every byte. Advanced frame: 02, LEN as
two bytes, then the same. An answer's data begins with its status (FEIG OBID i-scan manual, protocol frames).
"""

from dataclasses import dataclass

_ADVANCED_MARK = 0x02
_MIN_STANDARD = 6  # an answer holds at least a status
_MAX_STANDARD = 255
_MIN_ADVANCED = 8
_MAX_ADVANCED = 2048  # a stack of 200 tags; a broken length must not make us wait for 64 KiB


def _crc_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x8408 if value & 1 else 0)  # noqa: PLW2901 - the loop value is the register
        table.append(value)
    return tuple(table)


_CRC_TABLE = _crc_table()


@dataclass(frozen=True, slots=True)
class Frame:
    """One answer frame with a good CRC; `payload` is the status byte and what follows it."""

    address: int
    command: int
    payload: bytes
    advanced: bool = False


def crc16(data: bytes) -> int:
    """Return the CRC of the bytes: polynomial 8408 reflected, start FFFF, sent low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc


def build(address: int, command: int, data: bytes = b"", *, advanced: bool = False) -> bytes:
    """Return a request frame; the advanced form is used when asked for or when the standard one is too short."""
    length = 5 + len(data)
    if advanced or length > _MAX_STANDARD:
        head = bytes((_ADVANCED_MARK, *(length + 2).to_bytes(2, "big"), address, command))
    else:
        head = bytes((length, address, command))
    body = head + data
    return body + crc16(body).to_bytes(2, "little")


class FrameReader:
    """Cuts a byte stream into answer frames; skips what is none and counts each such run in `errors`."""

    def __init__(self) -> None:
        self.errors = 0
        self._buffer = bytearray()
        self._skipping = False

    @property
    def pending(self) -> int:
        """Number of bytes that wait for the rest of their frame."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that these bytes complete."""
        self._buffer += data
        return self._take(final=False)

    def salvage(self) -> list[Frame]:
        """Return the frames behind an unfinished start, when the line fell silent; nothing stays pending."""
        return self._take(final=True)

    def clear(self) -> None:
        """Forget unfinished bytes; they count as one error."""
        if self._buffer:
            self._skip(len(self._buffer))
        self._skipping = False

    def _take(self, *, final: bool) -> list[Frame]:
        frames = []
        while self._buffer:
            length = self._length()
            if length is None:
                self._skip(1)
            elif len(self._buffer) < length:
                if not final:
                    break
                self._skip(1)
            elif frame := _parse(bytes(self._buffer[:length])):
                del self._buffer[:length]
                self._skipping = False
                frames.append(frame)
            else:
                self._skip(1)
        return frames

    def _length(self) -> int | None:
        """Return how long the frame at the front is, as far as can be told; None when none can begin here."""
        first = self._buffer[0]
        if first != _ADVANCED_MARK:
            return first if first >= _MIN_STANDARD else None
        if len(self._buffer) < 3:
            return _MIN_ADVANCED
        length = int.from_bytes(self._buffer[1:3], "big")
        return length if _MIN_ADVANCED <= length <= _MAX_ADVANCED else None

    def _skip(self, count: int) -> None:
        del self._buffer[:count]
        if not self._skipping:
            self.errors += 1
            self._skipping = True


def _parse(raw: bytes) -> Frame | None:
    if crc16(raw[:-2]) != int.from_bytes(raw[-2:], "little"):
        return None
    advanced = raw[0] == _ADVANCED_MARK
    start = 3 if advanced else 1
    return Frame(address=raw[start], command=raw[start + 1], payload=raw[start + 2 : -2], advanced=advanced)
