"""Wires to virtual devices: pseudo-terminals behind stable links, and TCP listeners. All on one asyncio loop."""

import asyncio
import os
import termios
import tty
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol, cast

from firmware_sim.faults import LinkFaults

BUFFER_LIMIT: Final = 64 * 1024
_READ_SIZE: Final = 4096
_STALL_S: Final = 2.0


class Device(Protocol):
    """A virtual device on a byte wire, without I/O of its own."""

    def attach(self, send: Callable[[bytes], None]) -> None:
        """The wire is connected; `send` puts bytes on it and never blocks."""

    def receive(self, data: bytes) -> None:
        """Bytes came from the wire, cut anywhere."""

    def detach(self) -> None:
        """The wire is gone; the `send` of the last attach must not be used again."""


class _FaultyWire:
    """The way from a device's send to a port's write: faults, delay in order, at most BUFFER_LIMIT bytes under way."""

    def __init__(self, faults: LinkFaults, write: Callable[[bytes], None]) -> None:
        self._faults = faults
        self._write = write
        self._queue: deque[tuple[float, bytes]] = deque()
        self._queued_bytes = 0
        self._timer: asyncio.TimerHandle | None = None

    def send(self, data: bytes) -> None:
        """Take bytes from the device."""
        data = self._faults.outgoing(data)
        if not data:
            return
        if not self._queue and not self._faults.delay_s:
            self._write(data)
        elif self._queued_bytes + len(data) <= BUFFER_LIMIT:
            loop = asyncio.get_running_loop()
            self._queue.append((loop.time() + self._faults.delay_s, data))
            self._queued_bytes += len(data)
            if self._timer is None:
                self._timer = loop.call_at(self._queue[0][0], self._release)

    def close(self) -> None:
        """Forget what is under way."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._queue.clear()
        self._queued_bytes = 0

    def _release(self) -> None:
        self._timer = None
        _, data = self._queue.popleft()
        self._queued_bytes -= len(data)
        self._write(data)
        if self._queue:
            self._timer = asyncio.get_running_loop().call_at(self._queue[0][0], self._release)


class PtyPort:
    """A device on a pseudo-terminal whose path `link` stays the same over unplug and restore.

    The slave stays open here too, so clients may come and go. Bytes that nobody reads for two seconds are lost,
    as on a serial line, and counted in `overruns`.
    """

    def __init__(self, device: Device, faults: LinkFaults, link: Path) -> None:
        self._device = device
        self._wire = _FaultyWire(faults, self._write)
        self._link = link.absolute()
        self._fds: tuple[int, int] | None = None
        self._out = bytearray()
        self._stalled_at_s: float | None = None
        self.overruns = 0

    @property
    def path(self) -> Path:
        """Absolute path of the link."""
        return self._link

    async def open(self) -> None:
        """Make the pseudo-terminal and its link; OSError when the link's place is taken by something else."""
        if self._fds is not None:
            return
        if self._link.exists() and not self._link.is_symlink():
            raise FileExistsError(f"{self._link} exists and is not a link")
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        self._fds = (master, slave)
        try:
            self._make_link(os.ttyname(slave))
        except OSError:
            self._close_fds()
            raise
        asyncio.get_running_loop().add_reader(master, self._readable)
        self._device.attach(self._wire.send)

    async def close(self) -> None:
        """Remove link and pseudo-terminal; a client sees the end of the line."""
        self.unplug()

    def unplug(self) -> None:
        """Pull the plug: clients see EOF or EIO and the link is gone."""
        if self._fds is None:
            return
        self._device.detach()
        self._wire.close()
        if self._link.is_symlink() and os.readlink(self._link) == os.ttyname(self._fds[1]):
            self._link.unlink()
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._fds[0])
        loop.remove_writer(self._fds[0])
        self._close_fds()

    async def restore(self) -> None:
        """Plug in again: a new pseudo-terminal under the same link."""
        await self.open()

    def _make_link(self, target: str) -> None:
        self._link.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._link.with_name(f".{self._link.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(target)
        fresh.replace(self._link)

    def _close_fds(self) -> None:
        if self._fds is not None:
            for fd in self._fds:
                os.close(fd)
        self._fds = None
        self._out.clear()
        self._stalled_at_s = None

    def _readable(self) -> None:
        if self._fds is None:
            return
        try:
            data = os.read(self._fds[0], _READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return
        if data:
            self._device.receive(data)

    def _write(self, data: bytes) -> None:
        if self._fds is None:
            return
        now_s = asyncio.get_running_loop().time()
        if self._stalled_at_s is not None and now_s - self._stalled_at_s > _STALL_S:
            self._overrun()
        if len(self._out) + len(data) > BUFFER_LIMIT:
            self.overruns += 1
            return
        self._out += data
        if self._stalled_at_s is None:
            self._flush()

    def _flush(self) -> None:
        """Write what the pseudo-terminal takes; wait for room when it is full."""
        if self._fds is None:
            return
        loop = asyncio.get_running_loop()
        try:
            while self._out:
                del self._out[: os.write(self._fds[0], self._out)]
                self._stalled_at_s = None
        except (BlockingIOError, InterruptedError):
            if self._stalled_at_s is None:
                self._stalled_at_s = loop.time()
            loop.add_writer(self._fds[0], self._flush)
            return
        loop.remove_writer(self._fds[0])

    def _overrun(self) -> None:
        """Nobody reads: throw old bytes away, so that the next client starts with fresh ones."""
        assert self._fds is not None
        self.overruns += 1
        self._out.clear()
        self._stalled_at_s = None
        asyncio.get_running_loop().remove_writer(self._fds[0])
        termios.tcflush(self._fds[1], termios.TCIFLUSH)


class TcpPort:
    """A device behind a listening TCP socket, as a serial-device server shows it.

    `make_device` is called for each client. With `one_client` a second client is turned away while the first is there.
    """

    def __init__(
        self, make_device: Callable[[], Device], faults: LinkFaults, host: str, port: int, *, one_client: bool = True
    ) -> None:
        self._make_device = make_device
        self._faults = faults
        self._host = host
        self._port = port
        self._one_client = one_client
        self._server: asyncio.Server | None = None
        self._clients: set[_TcpClient] = set()

    @property
    def address(self) -> str:
        """`host:port` as a client writes it; the port is the real one once open."""
        return f"{self._host}:{self._port}"

    async def open(self) -> None:
        """Listen; OSError when the port is taken."""
        if self._server is not None:
            return
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._client, self._host, self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    def any_port(self) -> None:
        """Before `open`: let the system choose a free port."""
        self._port = 0

    async def close(self) -> None:
        """Stop listening and drop the clients."""
        self.unplug()

    def unplug(self) -> None:
        """Pull the plug: clients are dropped and new ones refused."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for client in tuple(self._clients):
            client.drop()

    async def restore(self) -> None:
        """Listen on the same port again."""
        await self.open()

    def _client(self) -> "_TcpClient":
        return _TcpClient(self)

    def _admit(self, client: "_TcpClient") -> Device | None:
        if self._server is None or (self._one_client and self._clients):
            return None
        self._clients.add(client)
        return self._make_device()


class _TcpClient(asyncio.Protocol):
    """One connection to a TcpPort."""

    def __init__(self, port: TcpPort) -> None:
        self._port = port
        self._wire = _FaultyWire(port._faults, self._write)
        self._device: Device | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._device = self._port._admit(self)
        if self._device is None:
            self._transport.abort()
        else:
            self._device.attach(self._wire.send)

    def data_received(self, data: bytes) -> None:
        if self._device is not None:
            self._device.receive(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's signature
        self._gone()

    def drop(self) -> None:
        """Cut the connection now."""
        self._gone()
        if self._transport is not None:
            self._transport.abort()

    def _gone(self) -> None:
        self._port._clients.discard(self)
        self._wire.close()
        if self._device is not None:
            self._device.detach()
            self._device = None

    def _write(self, data: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() + len(data) <= BUFFER_LIMIT:
            transport.write(data)
