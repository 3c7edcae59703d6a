import asyncio
import os
import socket
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.errors import LinkLostError
from gateway.links.transport import Parity, open_stream


@pytest.fixture
def pty() -> Iterator[tuple[int, str]]:
    master, slave = os.openpty()
    tty.setraw(slave)
    yield master, os.ttyname(slave)
    os.close(slave)
    try:
        os.close(master)
    except OSError:
        pass  # the test pulled the plug


@pytest.mark.parametrize("parity", ["none", "even", "odd"])
async def test_bytes_cross_a_pseudo_terminal_that_has_no_modem_lines(pty: tuple[int, str], parity: Parity) -> None:
    master, path = pty
    stream = await open_stream(path, baud=38400, parity=parity)
    stream.write(b"\x02\x00\x05")
    await stream.drain()
    assert os.read(master, 16) == b"\x02\x00\x05"
    os.write(master, b"\x00\xff\x11\x13")
    assert await stream.read(16) == b"\x00\xff\x11\x13"
    await stream.close()


async def test_a_line_may_be_named_by_a_link_to_it(pty: tuple[int, str], tmp_path: Path) -> None:
    (tmp_path / "kiosk-1").symlink_to(pty[1])
    stream = await open_stream(str(tmp_path / "kiosk-1"), baud=38400)
    os.write(pty[0], b"x")
    assert await stream.read(1) == b"x"
    await stream.close()


async def test_a_closed_line_can_be_opened_again(pty: tuple[int, str]) -> None:
    for _ in range(2):
        stream = await open_stream(pty[1], baud=9600)
        await stream.close()


async def test_a_pulled_plug_is_the_end_of_the_line(pty: tuple[int, str]) -> None:
    stream = await open_stream(pty[1], baud=9600)
    os.close(pty[0])
    try:
        assert await asyncio.wait_for(stream.read(16), 5) == b""
    except OSError:
        pass  # either is the end
    await stream.close()


async def test_bytes_cross_a_socket() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(16))
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    stream = await open_stream(f"socket://127.0.0.1:{port}", baud=9600)
    stream.write(b"hello")
    assert await stream.read(16) == b"hello"
    assert await stream.read(16) == b""
    await stream.close()
    server.close()


async def test_a_port_that_nobody_serves_is_a_lost_link() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    with pytest.raises(LinkLostError, match="cannot open socket"):
        await open_stream(f"socket://127.0.0.1:{free}", baud=9600)


@pytest.mark.parametrize("url", ["/dev/no-such-port", "socket://127.0.0.1:none", "socket://nowhere"])
async def test_a_port_that_does_not_exist_is_a_lost_link(url: str) -> None:
    with pytest.raises(LinkLostError, match="cannot open"):
        await open_stream(url, baud=9600)


async def test_a_file_is_no_line(tmp_path: Path) -> None:
    file = tmp_path / "notes"
    file.write_text("")
    with pytest.raises(LinkLostError):
        await open_stream(str(file), baud=9600)
