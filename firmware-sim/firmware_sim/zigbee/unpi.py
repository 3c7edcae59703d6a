"""UNPI framing between host and coordinator (TI Unified Network Processor Interface, UART transport).

SOF 0xFE, LEN, CMD0 (type << 5 | subsystem), CMD1, LEN octets of payload, FCS = XOR of all octets after SOF.
"""

from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import Final

SOF: Final = 0xFE
MAX_PAYLOAD: Final = 250
SREQ: Final = 0x20
AREQ: Final = 0x40
SRSP: Final = 0x60
_OVERHEAD: Final = 5


@dataclass(frozen=True, slots=True)
class Frame:
    """One MT command."""

    cmd0: int
    cmd1: int
    payload: bytes = b""

    @property
    def type(self) -> int:
        """SREQ, AREQ or SRSP."""
        return self.cmd0 & 0xE0

    @property
    def subsystem(self) -> int:
        """1 SYS, 4 AF, 5 ZDO, 7 UTIL, 15 APP_CNF."""
        return self.cmd0 & 0x1F


def encode(cmd0: int, cmd1: int, payload: bytes = b"") -> bytes:
    """Wire form of a command; ValueError when the payload is longer than 250 octets."""
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"payload of {len(payload)} octets, at most {MAX_PAYLOAD}")
    body = bytes((len(payload), cmd0, cmd1)) + payload
    return bytes((SOF,)) + body + bytes((reduce(xor, body),))


class Framer:
    """Finds frames in a byte stream that is cut anywhere; what is no frame is dropped and counted in `errors`."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.errors = 0

    def feed(self, data: bytes) -> list[Frame]:
        """Frames completed by `data`, in order."""
        self._buffer += data
        frames = []
        while self._align():
            size = self._buffer[1] + _OVERHEAD
            if len(self._buffer) < size:
                break
            if reduce(xor, self._buffer[1:size]):
                self._drop_start()
                continue
            frames.append(Frame(self._buffer[2], self._buffer[3], bytes(self._buffer[4 : size - 1])))
            del self._buffer[:size]
        return frames

    def give_up_partial(self) -> list[Frame]:
        """The sender paused inside a frame, so its start was a stray octet: frames found behind it."""
        frames: list[Frame] = []
        while self._buffer:
            self._drop_start()
            frames += self.feed(b"")
        return frames

    def _align(self) -> bool:
        """Bring a SOF with an acceptable length to the front; False when more octets are needed."""
        while True:
            at = self._buffer.find(SOF)
            if at:
                self.errors += bool(self._buffer)
                del self._buffer[: at if at > 0 else len(self._buffer)]
            if len(self._buffer) < 2:
                return False
            if self._buffer[1] <= MAX_PAYLOAD:
                return True
            self._drop_start()

    def _drop_start(self) -> None:
        self.errors += 1
        del self._buffer[0]
