"""A reader played by hand on the other end of a real pseudo-terminal, for faults that a simulator would not make."""

import asyncio
import os
import tty
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import serial_asyncio_fast

VERSION_REQUEST = bytes.fromhex("05FF65E5CB")
VERSION_ANSWER = bytes.fromhex("02000F00650003030044530D307469")


class SerialBytes:
    """An asyncio stream pair as the one object that the driver takes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def read(self, n: int, /) -> bytes:
        return await self.reader.read(n)

    def write(self, data: bytes, /) -> None:
        self.writer.write(data)

    async def drain(self) -> None:
        await self.writer.drain()


class FeigPeer:
    """Answers the n-th request with the n-th of `answers` (None: silence; none left: silence).

    Requests for the software version are answered at once and not counted, while `answers_version` holds.
    """

    def __init__(self, master: int) -> None:
        self.requests: list[bytes] = []
        self.versions = 0
        self.answers: deque[bytes | None] = deque()
        self.answers_version = True
        self.asked = asyncio.Event()
        self._master = master
        self._input = b""
        asyncio.get_running_loop().add_reader(master, self._read)

    def will_answer(self, *answers: str | bytes | None) -> None:
        """Line up answers, as bytes or hexadecimal digits."""
        self.answers.extend(bytes.fromhex(answer) if isinstance(answer, str) else answer for answer in answers)

    def say(self, data: bytes) -> None:
        """Put bytes on the wire unasked."""
        os.write(self._master, data)

    def hang_up(self) -> None:
        """Close the wire."""
        if self._master >= 0:
            asyncio.get_running_loop().remove_reader(self._master)
            os.close(self._master)
            self._master = -1

    def _read(self) -> None:
        self._input += os.read(self._master, 4096)
        while self._input and len(self._input) >= self._input[0]:
            request, self._input = self._input[: self._input[0]], self._input[self._input[0] :]
            self._answer(request)

    def _answer(self, request: bytes) -> None:
        if request == VERSION_REQUEST:
            self.versions += 1
            if self.answers_version:
                self.say(VERSION_ANSWER)
            return
        self.requests.append(request)
        self.asked.set()
        answer = self.answers.popleft() if self.answers else None
        if answer is not None:
            self.say(answer)


@asynccontextmanager
async def feig_peer() -> AsyncIterator[tuple[SerialBytes, FeigPeer]]:
    """A pseudo-terminal: the driver's end opened by pyserial, the other played by hand."""
    master, slave = os.openpty()
    tty.setraw(slave)
    reader, writer = await serial_asyncio_fast.open_serial_connection(url=os.ttyname(slave))
    os.close(slave)
    peer = FeigPeer(master)
    try:
        yield SerialBytes(reader, writer), peer
    finally:
        writer.close()
        peer.hang_up()
        with suppress(OSError):  # a test that hung up made the line fail
            await writer.wait_closed()
