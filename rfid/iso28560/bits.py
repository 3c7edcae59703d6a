"""Bit strings, most significant bit first, as the ISO/IEC 15962 compactions need them."""


class BitReader:
    """Takes bit groups from the front of some bytes."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self.left = len(data) * 8

    def peek(self) -> int:
        """Return all bits that are left as one number."""
        return self._value & (1 << self.left) - 1

    def take(self, count: int) -> int:
        """Return the next `count` bits; the caller has checked `left`."""
        self.left -= count
        return self._value >> self.left & (1 << count) - 1


class BitWriter:
    """Collects bit groups."""

    def __init__(self) -> None:
        self._value = 0
        self._count = 0

    def put(self, group: int, count: int) -> None:
        """Append `count` bits."""
        self._value = self._value << count | group
        self._count += count

    def to_bytes(self, pad: str) -> bytes:
        """Return whole bytes, the last one filled with the first bits of `pad` (a string of 0s and 1s)."""
        missing = -self._count % 8
        value = self._value << missing | int(pad[:missing] or "0", 2)
        return value.to_bytes((self._count + missing) // 8, "big")
