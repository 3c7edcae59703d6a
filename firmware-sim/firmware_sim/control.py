"""The control socket: one JSON object a line, each answered by one. README.md of firmware-sim describes it."""

import asyncio
import json
import logging
import os
import re
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from firmware_sim.settings import Port, SettingsError

PROTOCOL: Final = 1
LINE_LIMIT: Final = 64 * 1024
_ANSWER_LIMIT: Final = 16 * 1024 * 1024
_TIMEOUT_S: Final = 10.0
_HTTP: Final = re.compile(rb"[A-Z]+ \S+ HTTP/\d")

_log = logging.getLogger(__name__)

Request = dict[str, Any]
Command = Callable[[Request], Awaitable[dict[str, Any]]]


class NoBuildingError(Exception):
    """No virtual building answers at the address."""


class ControlServer:
    """Listens on `port` and hands each request to its command; commands raise ValueError or KeyError to refuse."""

    def __init__(self, port: Port, commands: Mapping[str, Command]) -> None:
        self._port = port
        self._commands = commands
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """`host:port`; the port is the real one once open."""
        return str(self._port)

    async def open(self) -> None:
        """Listen; when the port is taken, SettingsError if it was asked for explicitly, else a free port is used."""
        try:
            self._server = await self._listen(self._port.port)
        except OSError as error:
            if self._port.explicit:
                raise SettingsError(f"cannot listen at {self._port}: {os.strerror(error.errno or 0)}") from None
            self._server = await self._listen(0)
        self._port = Port(self._port.host, self._server.sockets[0].getsockname()[1], explicit=True)

    async def close(self) -> None:
        """Stop listening and drop the clients."""
        if self._server is not None:
            self._server.close()
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _listen(self, port: int) -> asyncio.Server:
        return await asyncio.start_server(self._client, self._port.host, port, limit=LINE_LIMIT)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client or the building went away; either way the talk is over
        finally:
            self._clients.discard(task)
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            line = await _read_line(reader)
            if line == b"" or (line is not None and _HTTP.match(line)):
                return  # a browser tricked into posting here must not reach its second line
            reply = await self._answer(line)
            writer.write(json.dumps(reply, ensure_ascii=False).encode() + b"\n")
            await writer.drain()

    async def _answer(self, line: bytes | None) -> dict[str, Any]:
        try:
            request = _parse(line)
            name = request.pop("cmd", None)
            command = self._commands.get(name) if isinstance(name, str) else None
            if command is None:
                raise ValueError(f"no command {name!r}; there are: {', '.join(self._commands)}")
            return {"ok": True, **await command(request)}
        except (ValueError, KeyError, OSError) as error:
            return {"ok": False, "error": str(error.args[0]) if isinstance(error, KeyError) else str(error)}
        except Exception as error:
            _log.exception("control command failed")
            return {"ok": False, "error": f"the virtual building failed: {error}"}


def call(port: Port, request: Request) -> dict[str, Any]:
    """Send one request and return its answer; NoBuildingError when nobody answers, ValueError when it is refused."""
    nobody = f"no virtual building at {port}; start one with `carrel run` or `carrel sim serve`"
    try:
        with socket.create_connection((port.host, port.port), timeout=_TIMEOUT_S) as wire:
            wire.sendall(json.dumps(request).encode() + b"\n")
            with wire.makefile("rb") as lines:
                answer = json.loads(lines.readline(_ANSWER_LIMIT))
    except (OSError, ValueError):
        raise NoBuildingError(nobody) from None
    if not isinstance(answer, dict) or "ok" not in answer:
        raise NoBuildingError(nobody)
    if not answer.pop("ok"):
        raise ValueError(answer.get("error", "refused without a reason"))
    return answer


async def _read_line(reader: asyncio.StreamReader) -> bytes | None:
    """The next line, b"" at the end, None for a line over the limit (which is read away whole)."""
    too_long = False
    while True:
        try:
            line = await reader.readuntil(b"\n")
        except asyncio.LimitOverrunError as error:
            await reader.readexactly(error.consumed)
            too_long = True
            continue
        except asyncio.IncompleteReadError as error:
            return error.partial
        return None if too_long else line


def _parse(line: bytes | None) -> Request:
    if line is None:
        raise ValueError(f"the line is longer than {LINE_LIMIT} bytes")
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError("not a line of JSON") from None
    if not isinstance(request, dict):
        raise ValueError('not a JSON object like {"cmd": "observe"}')
    return request
