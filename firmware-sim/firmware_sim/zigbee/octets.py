"""Little-endian octet strings, as all Zigbee and MT fields are sent (IEEE addresses least significant octet first)."""


class TruncatedError(ValueError):
    """A payload ended before its last field."""


class Octets:
    """Takes fields from the front of a payload; TruncatedError when it ends too early."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """Octets not taken yet."""
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        """The next `count` octets as they are."""
        end = self._at + count
        if end > len(self._data):
            raise TruncatedError(f"{count} octets wanted, {self.left} left")
        part = self._data[self._at : end]
        self._at = end
        return part

    def uint(self, size: int) -> int:
        """An unsigned number of `size` octets."""
        return int.from_bytes(self.take(size), "little")

    def u8(self) -> int:
        """One octet."""
        return self.uint(1)

    def u16(self) -> int:
        """Two octets."""
        return self.uint(2)

    def u32(self) -> int:
        """Four octets."""
        return self.uint(4)

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(self.left)


def u16(value: int) -> bytes:
    """Two octets of a number 0..65535."""
    return value.to_bytes(2, "little")


def u32(value: int) -> bytes:
    """Four octets of a number."""
    return value.to_bytes(4, "little")


def ieee_octets(text: str) -> bytes:
    """Wire form of an address written as `02:ca:..:01`; ValueError when it is not eight octets."""
    octets = bytes.fromhex(text.replace(":", ""))
    if len(octets) != 8:
        raise ValueError(f"not an IEEE address: {text!r}")
    return octets[::-1]


def ieee_text(octets: bytes) -> str:
    """Written form of an address, most significant octet first."""
    return octets[::-1].hex(":")
