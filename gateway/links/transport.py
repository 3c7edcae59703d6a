"""Opens a byte stream on a serial port or a network socket, so that codecs need to know neither."""

from __future__ import annotations

import asyncio
import os
import socket
import termios
from contextlib import suppress
from typing import Literal

import serial
import serial_asyncio_fast

from devices.errors import LinkLostError

CONNECT_S = 3.0
SOCKET_SCHEMES = ("socket://", "tcp://")
KEEPALIVE = {socket.TCP_KEEPIDLE: 10, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 3}  # finds a dead peer in 25 s
PARITIES = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}

PSEUDO_TERMINALS = range(136, 144)
"""Linux device majors of /dev/pts: they have no parity, and setting one is an error."""

Parity = Literal["none", "even", "odd"]


class ByteStream:
    """An open line. `read` gives b"" at its end; a line that fails raises an OSError."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self, n: int, /) -> bytes:
        """1..n bytes as soon as there are some; safe to cancel."""
        return await self._reader.read(n)

    def write(self, data: bytes, /) -> None:
        """Queue bytes for sending."""
        self._writer.write(data)

    async def drain(self) -> None:
        """Wait until the queue is short again."""
        await self._writer.drain()

    async def close(self) -> None:
        """Close the line and let its port go."""
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()


async def open_stream(url: str, *, baud: int, parity: Parity = "none") -> ByteStream:
    """Open `socket://host:port`, or a serial path as 8 data bits and 1 stop bit; raises LinkLostError."""
    try:
        async with asyncio.timeout(CONNECT_S):
            if url.startswith(SOCKET_SCHEMES):
                return await _open_socket(url)
            return await _open_serial(url, baud, parity)
    except TimeoutError as error:
        raise LinkLostError(f"cannot open {url}: no answer within {CONNECT_S:.0f} s") from error
    except (OSError, ValueError, termios.error) as error:
        raise LinkLostError(f"cannot open {url}: {error}") from error


async def _open_serial(path: str, baud: int, parity: Parity) -> ByteStream:
    if os.major(os.stat(path).st_rdev) in PSEUDO_TERMINALS:
        parity = "none"
    reader, writer = await serial_asyncio_fast.open_serial_connection(
        url=path, baudrate=baud, parity=PARITIES[parity], exclusive=True
    )
    return ByteStream(reader, writer)


async def _open_socket(url: str) -> ByteStream:
    host, _, port = url.partition("://")[2].rpartition(":")
    reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    with suppress(OSError):
        for option, value in KEEPALIVE.items():
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
    return ByteStream(reader, writer)
