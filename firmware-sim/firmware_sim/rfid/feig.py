"""FEIG ISO host mode frames, the reader's side: requests in, answers out. No I/O.

OBID i-scan system manuals, chapter "Protocol frames": standard frames of at most 255 bytes, advanced frames (STX 02)
of at most RX_BUF_SIZE bytes.
"""

from dataclasses import dataclass
from typing import Final

BROADCAST: Final = 0xFF
RX_BUF_SIZE: Final = 1024
TX_BUF_SIZE: Final = 1024
BYTE_GAP_S: Final = 0.012

_STX: Final = 0x02
_STANDARD_MIN: Final = 5
_ADVANCED_MIN: Final = 7
_STANDARD_MAX: Final = 255


@dataclass(frozen=True, slots=True)
class Request:
    """One request whose checksum was right; `advanced` is the form it came in, `length` its bytes on the wire."""

    com_adr: int
    command: int
    data: bytes
    advanced: bool
    length: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Status byte and what follows it."""

    status: int
    data: bytes = b""


def crc16(data: bytes) -> int:
    """CRC16 of FEIG frames: polynomial 8408 reflected, start FFFF, no final XOR."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0x8408 if crc & 1 else crc >> 1
    return crc


def encode_answer(com_adr: int, command: int, answer: Answer, *, advanced: bool) -> bytes:
    """The answer's bytes; advanced when asked so or when it does not fit 255 bytes."""
    body = bytes((com_adr, command, answer.status)) + answer.data
    if advanced or len(body) + 3 > _STANDARD_MAX:
        head = bytes((_STX,)) + (len(body) + 5).to_bytes(2, "big")
    else:
        head = bytes((len(body) + 3,))
    frame = head + body
    return frame + crc16(frame).to_bytes(2, "little")


def room_for_data(*, advanced: bool) -> int:
    """Most answer data bytes after the status in one frame of this form."""
    return TX_BUF_SIZE - 8 if advanced else _STANDARD_MAX - 6


class Framer:
    """Finds requests in a byte stream cut anywhere.

    A partial frame is dropped after a gap of more than 12 ms. After a wrong length or checksum one byte is skipped
    and the search goes on, so that a good request behind garbage is found.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._last_s = 0.0
        self.skipped_bytes = 0
        self.crc_errors = 0
        self.gaps = 0

    def feed(self, data: bytes, now_s: float) -> list[Request]:
        """Take bytes that came at `now_s` (any monotonic clock, seconds); the requests completed by them."""
        if self._buffer and now_s - self._last_s > BYTE_GAP_S:
            self.gaps += 1
            self.clear()
        self._last_s = now_s
        self._buffer += data
        found: list[Request] = []
        while self._buffer:
            length = self._length()
            if length is None or len(self._buffer) < length:
                break
            request = self._take(length)
            if request is not None:
                found.append(request)
        return found

    def clear(self) -> None:
        """Forget a partial frame."""
        self.skipped_bytes += len(self._buffer)
        self._buffer.clear()

    def _length(self) -> int | None:
        """Length of the frame at the buffer's start; 0 when no frame can start here, None when not known yet."""
        first = self._buffer[0]
        if first != _STX:
            return first if first >= _STANDARD_MIN else 0
        if len(self._buffer) < 3:
            return None
        length = int.from_bytes(self._buffer[1:3], "big")
        return length if _ADVANCED_MIN <= length <= RX_BUF_SIZE else 0

    def _skip(self) -> None:
        del self._buffer[0]
        self.skipped_bytes += 1

    def _take(self, length: int) -> Request | None:
        if length == 0:
            self._skip()
            return None
        frame = bytes(self._buffer[:length])
        if crc16(frame[:-2]) != int.from_bytes(frame[-2:], "little"):
            self.crc_errors += 1
            self._skip()
            return None
        del self._buffer[:length]
        advanced = frame[0] == _STX
        body = frame[3:-2] if advanced else frame[1:-2]
        return Request(com_adr=body[0], command=body[1], data=body[2:], advanced=advanced, length=length)
