"""Faults of one link, applied between a virtual device and its wire."""

import random
from dataclasses import dataclass, field
from typing import Final

MODES: Final = ("none", "unplug", "silence", "garbage")

_BIT_ERROR_SHARE: Final = 0.02
_EXTRA_BYTE_SHARE: Final = 0.05


@dataclass(slots=True)
class LinkFaults:
    """What is wrong with one link now. `drop` and `duplicate` are shares 0..1 of the device's sends; `delay_s` in s."""

    rng: random.Random
    mode: str = "none"
    drop: float = 0.0
    duplicate: float = 0.0
    delay_s: float = 0.0
    lost: int = field(default=0, init=False)

    def set_mode(self, mode: str) -> None:
        """Change the mode; ValueError names the modes that exist."""
        if mode not in MODES:
            raise ValueError(f"no fault {mode!r}; there are: {', '.join(MODES)}")
        self.mode = mode

    def clear(self) -> None:
        """Back to a healthy link."""
        self.mode = "none"
        self.drop = self.duplicate = self.delay_s = 0.0

    def outgoing(self, data: bytes) -> bytes:
        """The bytes that reach the wire when the device sends `data`: perhaps none, twice, or garbled."""
        if self.mode in ("silence", "unplug") or (self.drop and self.rng.random() < self.drop):
            self.lost += 1
            return b""
        if self.mode == "garbage":
            data = self._garble(data)
        if self.duplicate and self.rng.random() < self.duplicate:
            return data + data
        return data

    def _garble(self, data: bytes) -> bytes:
        """Random bytes before, between and after, and at least one flipped bit."""
        out = bytearray(self.rng.randbytes(self.rng.randint(0, 3)))
        hit = self.rng.randrange(len(data)) if data else -1
        for index, byte in enumerate(data):
            wrong = index == hit or self.rng.random() < _BIT_ERROR_SHARE
            out.append(byte ^ (1 << self.rng.randrange(8)) if wrong else byte)
            if self.rng.random() < _EXTRA_BYTE_SHARE:
                out.append(self.rng.randrange(256))
        out += self.rng.randbytes(self.rng.randint(0, 3))
        return bytes(out)
