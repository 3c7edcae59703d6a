"""The control socket: good requests, bad lines, rude clients."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from firmware_sim.control import LINE_LIMIT, ControlServer, NoBuildingError, Request, call
from firmware_sim.settings import Port, SettingsError


async def _echo(request: Request) -> dict[str, Any]:
    return {"echo": request}


async def _refuse(request: Request) -> dict[str, Any]:
    raise KeyError("no room 'x'; there are: a, b")


async def _break(request: Request) -> dict[str, Any]:
    raise RuntimeError("planted")


@pytest.fixture
async def server() -> AsyncIterator[ControlServer]:
    control = ControlServer(Port("127.0.0.1", 0), {"echo": _echo, "refuse": _refuse, "break": _break})
    await control.open()
    yield control
    await control.close()


class Talk:
    """One connection to the control socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, line: bytes) -> dict[str, Any]:
        self.writer.write(line + b"\n")
        return json.loads(await asyncio.wait_for(self.reader.readline(), 5))


@pytest.fixture
async def talk(server: ControlServer) -> AsyncIterator[Talk]:
    host, _, port = server.address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1 << 20)
    yield Talk(reader, writer)
    writer.close()


async def test_each_request_of_a_connection_gets_its_answer(talk: Talk) -> None:
    for number in range(3):
        answer = await talk.say(b'{"cmd": "echo", "n": %d}' % number)
        assert answer == {"ok": True, "echo": {"n": number}}


async def test_refusal_carries_the_command_s_own_sentence(talk: Talk) -> None:
    assert await talk.say(b'{"cmd": "refuse"}') == {"ok": False, "error": "no room 'x'; there are: a, b"}


async def test_failing_command_is_answered_and_logged(talk: Talk, caplog) -> None:
    answer = await talk.say(b'{"cmd": "break"}')
    assert answer == {"ok": False, "error": "the virtual building failed: planted"}
    assert "planted" in caplog.text


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"hello", "not a line of JSON"),
        (b"", "not a line of JSON"),
        (b"\xff\xfe", "not a line of JSON"),
        (b"[" * 60000, "not a line of JSON"),
        (b'["cmd"]', "not a JSON object"),
        (b"{}", "no command None; there are: echo, refuse, break"),
        (b'{"cmd": "dance"}', "no command 'dance'; there are: echo, refuse, break"),
        (b'{"cmd": ["echo"]}', "no command ['echo']"),
        (b'{"cmd": "echo", "x": "' + b"a" * LINE_LIMIT + b'"}', "longer than 65536 bytes"),
        (b"b" * (5 * LINE_LIMIT), "longer than 65536 bytes"),
    ],
    ids=lambda value: value[:20] if isinstance(value, bytes) else "",
)
async def test_bad_line_gets_a_clear_error_and_the_connection_stays(talk: Talk, line: bytes, complaint: str) -> None:
    answer = await talk.say(line)
    assert answer["ok"] is False
    assert complaint in answer["error"]
    assert (await talk.say(b'{"cmd": "echo"}'))["ok"] is True


async def test_web_page_that_posts_here_reaches_no_command(talk: Talk) -> None:
    talk.writer.write(b'POST / HTTP/1.1\r\n{"cmd": "echo"}\n')
    assert await asyncio.wait_for(talk.reader.read(), 5) == b""


async def test_client_that_leaves_in_mid_line_harms_nobody(server: ControlServer, talk: Talk) -> None:
    host, _, port = server.address.rpartition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(b'{"cmd": "ec')
    writer.transport.abort()
    assert (await talk.say(b'{"cmd": "echo"}'))["ok"] is True


async def test_taken_port_is_left_for_a_free_one_unless_it_was_asked_for(server: ControlServer) -> None:
    host, _, port = server.address.rpartition(":")
    other = ControlServer(Port(host, int(port)), {"echo": _echo})
    await other.open()
    assert other.address != server.address
    await other.close()
    with pytest.raises(SettingsError, match=f"cannot listen at {server.address}: Address already in use"):
        await ControlServer(Port(host, int(port), explicit=True), {}).open()


async def test_call_returns_the_answer_and_raises_refusals(server: ControlServer) -> None:
    host, _, number = server.address.rpartition(":")
    port = Port(host, int(number))
    assert await asyncio.to_thread(call, port, {"cmd": "echo", "a": 1}) == {"echo": {"a": 1}}
    with pytest.raises(ValueError, match="no room 'x'"):
        await asyncio.to_thread(call, port, {"cmd": "refuse"})


def test_call_says_that_no_building_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = Port("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(NoBuildingError, match=r"no virtual building at 127.0.0.1:\d+; start one with `carrel run`"):
        call(port, {"cmd": "observe"})
