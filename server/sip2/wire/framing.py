"""Frames out of a stream of bytes: cut anywhere, joined, ended by CR, LF or both, with noise before the first digit."""

from __future__ import annotations

import re
from collections.abc import Iterator

FRAME_LIMIT = 16 * 1024
"""Bytes; a legal request has less than 2 KiB."""

_END = re.compile(rb"[\r\n]")
_FIRST_DIGIT = re.compile(rb"[0-9]")


class FrameTooLongError(ValueError):
    """More bytes without an end than any message has."""


class Framer:
    """One connection's stream. After FrameTooLongError it is not used again."""

    def __init__(self, limit: int = FRAME_LIMIT) -> None:
        self._limit = limit
        self._pending = bytearray()

    @property
    def pending(self) -> int:
        """Bytes of a frame that has begun."""
        return len(self._pending)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Every frame that is whole now, without terminator and noise; raises FrameTooLongError."""
        searched = len(self._pending)
        self._pending += data
        while (end := _END.search(self._pending, searched)) is not None:
            line = bytes(self._pending[: end.start()])
            del self._pending[: end.end()]
            searched = 0
            if len(line) > self._limit:
                raise FrameTooLongError
            if first := _FIRST_DIGIT.search(line):
                yield line[first.start() :]
        if len(self._pending) > self._limit:
            raise FrameTooLongError
