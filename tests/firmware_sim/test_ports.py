"""Ports as clients meet them: real pseudo-terminals and sockets."""

import asyncio
import errno
import os
import random
import tty
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from firmware_sim import ports
from firmware_sim.faults import LinkFaults
from firmware_sim.ports import BUFFER_LIMIT, PtyPort, TcpPort
from tests.support.sim import eventually


@dataclass
class Echo:
    """A device that answers every byte with itself, and tells what happened to it."""

    received: bytearray = field(default_factory=bytearray)
    attached: int = 0
    detached: int = 0
    send: Callable[[bytes], None] | None = None

    def attach(self, send: Callable[[bytes], None]) -> None:
        self.send = send
        self.attached += 1

    def receive(self, data: bytes) -> None:
        self.received += data
        assert self.send is not None
        self.send(data)

    def detach(self) -> None:
        self.detached += 1


class PtyClient:
    """A program at the other end of a pseudo-terminal."""

    def __init__(self, path: Path) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self.fd)

    def read(self) -> bytes:
        try:
            return os.read(self.fd, 65536)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        os.close(self.fd)


@pytest.fixture
async def pty(tmp_path: Path) -> AsyncIterator[PtyPort]:
    port = PtyPort(Echo(), LinkFaults(random.Random(1)), tmp_path / "run" / "kiosk-1")
    await port.open()
    yield port
    await port.close()


def _there(path: Path) -> bool:
    return os.path.lexists(path)


def _line_is_dead(fd: int) -> bool:
    """End of file or EIO, whichever way the kernel tells it."""
    try:
        return os.read(fd, 1) == b""
    except BlockingIOError:
        return False
    except OSError as error:
        return error.errno == errno.EIO


async def _ended(reader: asyncio.StreamReader) -> bool:
    """The peer closed or reset the connection."""
    try:
        return await reader.read(1) == b""
    except ConnectionError:
        return True


def _device(port: PtyPort) -> Echo:
    device = port._device
    assert isinstance(device, Echo)
    return device


async def _exchange(port: PtyPort, data: bytes) -> bytes:
    client, got = PtyClient(port.path), bytearray()
    os.write(client.fd, data)

    def answered() -> bool:
        got.extend(client.read())
        return len(got) >= len(data)

    await eventually(answered)
    client.close()
    return bytes(got)


async def test_pty_carries_every_byte_value_unchanged(pty: PtyPort) -> None:
    assert await _exchange(pty, bytes(range(256)) * 4) == bytes(range(256)) * 4


async def test_clients_of_a_pty_come_and_go(pty: PtyPort) -> None:
    for word in (b"first", b"second", b"third"):
        assert await _exchange(pty, word) == word
    assert _device(pty).attached == 1


async def test_pty_path_is_absolute_and_its_link_replaces_an_old_one(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "line").symlink_to("/dev/pts/gone")
    port = PtyPort(Echo(), LinkFaults(random.Random(1)), Path("line"))
    await port.open()
    assert port.path == tmp_path / "line"
    assert await _exchange(port, b"hello") == b"hello"
    await port.close()
    assert not _there(port.path)


async def test_pty_refuses_to_replace_a_file(tmp_path: Path) -> None:
    (tmp_path / "line").write_text("precious")
    with pytest.raises(FileExistsError):
        await PtyPort(Echo(), LinkFaults(random.Random(1)), tmp_path / "line").open()
    assert (tmp_path / "line").read_text() == "precious"


async def test_closing_leaves_a_link_that_another_building_made(pty: PtyPort) -> None:
    pty.path.unlink()
    pty.path.symlink_to("/dev/pts/of-another")
    await pty.close()
    assert pty.path.is_symlink()


async def test_unplugged_pty_ends_the_client_and_restore_brings_the_same_path_back(pty: PtyPort) -> None:
    client = PtyClient(pty.path)
    pty.unplug()
    assert _line_is_dead(client.fd)
    client.close()
    assert not _there(pty.path)
    assert _device(pty).detached == 1
    await pty.restore()
    assert await _exchange(pty, b"again") == b"again"
    assert _device(pty).attached == 2


async def test_unplug_and_open_twice_do_no_harm(pty: PtyPort) -> None:
    await pty.open()
    pty.unplug()
    pty.unplug()
    assert _device(pty).detached == 1
    await pty.restore()
    assert await _exchange(pty, b"again") == b"again"


async def test_client_that_never_reads_costs_bounded_memory(pty: PtyPort) -> None:
    device = _device(pty)
    assert device.send is not None
    for _ in range(64):
        device.send(bytes(8192))
    assert len(pty._out) <= BUFFER_LIMIT
    assert pty.overruns > 0


async def test_after_bytes_nobody_read_a_new_client_gets_fresh_ones(pty: PtyPort, monkeypatch) -> None:
    device = _device(pty)
    assert device.send is not None
    for _ in range(64):
        device.send(b"old " * 2048)
    monkeypatch.setattr(ports, "_STALL_S", -1.0)
    device.send(b"fresh")
    assert pty.overruns > 0
    assert len(pty._out) <= len(b"fresh")


async def test_slow_reader_gets_a_long_answer_whole(pty: PtyPort) -> None:
    client, got, sent = PtyClient(pty.path), bytearray(), random.Random(2).randbytes(50_000)
    device = _device(pty)
    assert device.send is not None
    device.send(sent)

    def all_there() -> bool:
        got.extend(client.read())
        return len(got) >= len(sent)

    await eventually(all_there)
    assert bytes(got) == sent
    client.close()


async def test_delayed_answers_keep_their_order(pty: PtyPort) -> None:
    pty._wire._faults.delay_s = 0.02
    client, got = PtyClient(pty.path), bytearray()
    device = _device(pty)
    assert device.send is not None
    for index in range(50):
        device.send(bytes([index]))

    def all_there() -> bool:
        got.extend(client.read())
        return len(got) >= 50

    await eventually(all_there)
    assert bytes(got) == bytes(range(50))
    client.close()


@pytest.fixture
async def tcp() -> AsyncIterator[TcpPort]:
    port = TcpPort(Echo, LinkFaults(random.Random(1)), "127.0.0.1", 0)
    await port.open()
    yield port
    await port.close()


async def _connect(port: TcpPort) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, number = port.address.rpartition(":")
    return await asyncio.open_connection(host, int(number))


async def test_tcp_port_carries_bytes_and_shows_its_real_address(tcp: TcpPort) -> None:
    reader, writer = await _connect(tcp)
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"hello"
    writer.close()


async def test_second_client_is_turned_away_until_the_first_leaves(tcp: TcpPort) -> None:
    reader, writer = await _connect(tcp)
    writer.write(b"x")
    await reader.readexactly(1)
    second, refused = await _connect(tcp)
    assert await _ended(second)
    refused.close()
    writer.close()
    await eventually(lambda: not tcp._clients)
    third, writer = await _connect(tcp)
    writer.write(b"y")
    assert await third.readexactly(1) == b"y"
    writer.close()


async def test_port_for_many_gives_each_client_a_device_of_its_own() -> None:
    made: list[Echo] = []

    def make() -> Echo:
        made.append(Echo())
        return made[-1]

    port = TcpPort(make, LinkFaults(random.Random(1)), "127.0.0.1", 0, one_client=False)
    await port.open()
    clients = [await _connect(port) for _ in range(3)]
    for index, (reader, writer) in enumerate(clients):
        writer.write(bytes([index]))
        assert await reader.readexactly(1) == bytes([index])
        writer.close()
    assert sorted(bytes(device.received) for device in made) == [b"\x00", b"\x01", b"\x02"]
    await port.close()


async def test_unplugged_tcp_port_drops_clients_refuses_new_ones_and_returns_on_the_same_port(tcp: TcpPort) -> None:
    reader, writer = await _connect(tcp)
    writer.write(b"x")
    await reader.readexactly(1)
    before = tcp.address
    tcp.unplug()
    assert await _ended(reader)
    writer.close()
    with pytest.raises(ConnectionRefusedError):
        await _connect(tcp)
    await tcp.restore()
    assert tcp.address == before
    reader, writer = await _connect(tcp)
    writer.write(b"y")
    assert await reader.readexactly(1) == b"y"
    writer.close()


async def test_tcp_client_that_never_reads_costs_bounded_memory() -> None:
    device = Echo()
    port = TcpPort(lambda: device, LinkFaults(random.Random(1)), "127.0.0.1", 0)
    await port.open()
    _, writer = await _connect(port)
    await eventually(lambda: device.attached)
    assert device.send is not None
    for _ in range(2000):
        device.send(bytes(8192))
    (client,) = port._clients
    assert client._transport is not None
    assert client._transport.get_write_buffer_size() <= BUFFER_LIMIT
    writer.close()
    await port.close()
