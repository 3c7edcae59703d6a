"""Modbus RTU on a byte stream (MODBUS over Serial Line 1.02, section 2.5): checksum, framing, one line of one module.

Frames are cut by their expected length and checksum, because the silence between frames cannot be seen through a
network. Silence is used only to throw away a frame that was never finished.
"""

from collections.abc import Callable
from typing import Final

from firmware_sim.modbus.pdu import answer
from firmware_sim.modbus.registers import RegisterMap

MAX_FRAME: Final = 264  # function 15 or 16 whose byte count says 255
STALE_S: Final = 0.2
_SHORTEST: Final = 4
_BYTE_COUNT_AT: Final = {0x0F: 6, 0x10: 6, 0x14: 2, 0x15: 2, 0x17: 10}
_FIXED_LENGTH: Final = {
    **dict.fromkeys(range(0x01, 0x07), 8),
    **dict.fromkeys((0x07, 0x0B, 0x0C, 0x11), 4),
    0x08: 8,
    0x16: 10,
    0x18: 6,
    0x2B: 7,
}


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
        table.append(crc)
    return tuple(table)


_TABLE: Final = _crc_table()


def crc16(data: bytes) -> int:
    """CRC-16/MODBUS: start 0xFFFF, polynomial 0xA001 reflected."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc


def with_crc(data: bytes) -> bytes:
    """A frame: data and checksum, low byte first."""
    return data + crc16(data).to_bytes(2, "little")


class RequestFramer:
    """Cuts requests out of a stream; bytes that belong to no good frame are dropped and counted in `dropped`."""

    def __init__(self, unit: int, clock: Callable[[], float]) -> None:
        self._unit = unit
        self._clock = clock
        self._last_at_s = clock()
        self._buffer = bytearray()
        self.dropped = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Whole good frames with their address, without checksum."""
        now_s = self._clock()
        if now_s - self._last_at_s > STALE_S:
            self.dropped += len(self._buffer)
            self._buffer.clear()
        self._last_at_s = now_s
        self._buffer += data
        frames = []
        while (length := self._next()) is not None:
            frames.append(bytes(self._buffer[: length - 2]))
            del self._buffer[:length]
        return frames

    def _next(self) -> int | None:
        """Length of the good frame at the front, after dropping what cannot be one; None: wait for more."""
        while len(self._buffer) >= 2:
            if self._buffer[1] in _FIXED_LENGTH or self._buffer[1] in _BYTE_COUNT_AT:
                length = _expected_length(self._buffer, 0)
                if length is None:
                    return None
                if _good(self._buffer, 0, length):
                    return length
            else:
                length = self._odd_frame()
                if length is not None:
                    return length
                if self._may_grow():
                    return None
            del self._buffer[0]
            self.dropped += 1
        return None

    def _odd_frame(self) -> int | None:
        """Length of a frame for us with a function of unknown shape: the first length whose checksum is right."""
        if self._buffer[0] != self._unit:
            return None
        crc = 0xFFFF
        for index, byte in enumerate(self._buffer[:MAX_FRAME]):
            crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
            if crc == 0 and index + 1 >= _SHORTEST:  # a checksum over frame and its checksum is 0
                return index + 1
        return None

    def _may_grow(self) -> bool:
        """Whether the front could be the beginning of an odd frame for us: no good frame follows it yet."""
        if self._buffer[0] != self._unit or len(self._buffer) >= MAX_FRAME:
            return False
        for start in range(1, len(self._buffer) - 1):
            length = _expected_length(self._buffer, start)
            if length is not None and _good(self._buffer, start, length):
                return False
        return True


class RtuLine:
    """The module on one line (a Device): answers requests to its unit, stays silent to all others and to broadcasts."""

    def __init__(self, registers: RegisterMap, unit: int, clock: Callable[[], float]) -> None:
        self._registers = registers
        self._unit = unit
        self._clock = clock
        self._framer = RequestFramer(unit, clock)
        self._send: Callable[[bytes], None] | None = None

    def attach(self, send: Callable[[bytes], None]) -> None:
        """A line is connected; a half frame of the former one is forgotten."""
        self._send = send
        self._framer = RequestFramer(self._unit, self._clock)

    def receive(self, data: bytes) -> None:
        """Answer every good request in the stream."""
        for frame in self._framer.feed(data):
            if frame[0] != self._unit:
                continue
            self._registers.module.heard()
            reply = with_crc(bytes([self._unit]) + answer(self._registers, frame[1:]))
            if self._send is not None:
                self._send(reply)

    def detach(self) -> None:
        """The line is gone."""
        self._send = None


def _expected_length(buffer: bytearray, start: int) -> int | None:
    """Length of the request that starts here by its function; None while it is incomplete or its shape unknown."""
    function = buffer[start + 1]
    length = _FIXED_LENGTH.get(function)
    count_at = _BYTE_COUNT_AT.get(function)
    if count_at is not None and start + count_at < len(buffer):
        length = count_at + 1 + buffer[start + count_at] + 2
    return length if length is not None and start + length <= len(buffer) else None


def _good(buffer: bytearray, start: int, length: int) -> bool:
    return crc16(bytes(buffer[start : start + length])) == 0
