"""Serves SIP2 over TCP: a task a connection, and a clerk who sees to it that no terminal waits for another."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from carrel.clock import Clock
from server.sip2.message_log import MessageLog
from server.sip2.profile import Directory, Profile, Sip2Config
from server.sip2.session import Job, Reply, Session
from server.sip2.terminals import Terminals
from server.sip2.wire.framing import Framer, FrameTooLongError
from server.sip2.wire.messages import LAYOUTS, Message

log = logging.getLogger(__name__)

READ_BYTES = 4096
SEND_WITHIN_S = 30.0
"""A terminal that takes no answer for this long is gone."""
UNREAD_BYTES = 16_384
"""So much may be on its way to a terminal before it is waited for."""
HANDSHAKE_S = 10.0
KEEPALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}
"""A peer that vanished without a word is noticed after two minutes."""


class LibraryAwayError(Exception):
    """The database does not answer; nothing was done."""


class Clerk(Protocol):
    """Who carries requests out; satisfied by `server.sip2.desk`."""

    async def carry_out(self, job: Job) -> Message:
        """The answer; raises LibraryAwayError."""


@dataclass(frozen=True, slots=True)
class House:
    """What all connections share."""

    config: Sip2Config
    directory: Directory
    common: Profile
    clerk: Clerk
    clock: Clock
    terminals: Terminals
    messages: MessageLog


class Listener:
    """Of one server process: `start`, then `stop`."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], Connection] = {}
        self._told_full = False

    @property
    def port(self) -> int | None:
        """Where it listens, if it does."""
        sockets = self._server.sockets if self._server else ()
        return int(sockets[0].getsockname()[1]) if sockets else None

    async def start(self) -> None:
        """Listen; raises OSError when the port is taken, ssl.SSLError when the certificate cannot be used."""
        config = self._house.config
        context = _tls(config)
        self._server = await asyncio.start_server(
            self._accept, config.host, config.port,
            limit=READ_BYTES, ssl=context, ssl_handshake_timeout=HANDSHAKE_S if context else None,
        )  # fmt: skip

    async def stop(self) -> None:
        """Stop listening and end every connection; work under way is finished by its thread."""
        if self._server is not None:
            self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        self._server = None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._connections) >= self._house.config.connections and not self._make_room():
            self._house.terminals.turned_away += 1
            writer.close()
            return
        connection = Connection(self._house, reader, writer)
        self._connections[task] = connection
        try:
            await connection.serve()
        except asyncio.CancelledError:
            return  # the server ends, or another needs the room; the task has nobody who waits for it
        except Exception:
            log.exception("a terminal's connection ended by a fault of ours")
        finally:
            del self._connections[task]
            writer.close()

    def _make_room(self) -> bool:
        """End the oldest connection that has not signed in."""
        if not self._told_full:
            self._told_full = True
            log.warning("SIP2: %d connections, more than [server.sip2] connections allows", len(self._connections) + 1)
        oldest = next((task for task, one in self._connections.items() if not one.signed_in), None)
        if oldest is None:
            return False
        oldest.cancel()
        self._house.terminals.turned_away += 1
        return True


class Connection:
    """One terminal's connection."""

    def __init__(self, house: House, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._house = house
        self._reader = reader
        self._writer = writer
        peer = writer.get_extra_info("peername") or ("?",)
        self._address = str(peer[0])
        self._session = Session(house.directory, address=self._address, common=house.common)
        self._known_as: str | None = None
        self._framer = Framer()
        self._login_until = asyncio.get_running_loop().time() + house.config.login_within_s
        _keep_alive(writer.get_extra_info("socket"))

    @property
    def signed_in(self) -> bool:
        """Whether we know which terminal this is."""
        return self._session.profile is not None

    async def serve(self) -> None:
        """Until either side ends it."""
        terminals = self._house.terminals
        terminals.strangers += 1
        self._notice_login()
        try:
            while data := await self._read():
                for raw in self._framer.feed(data):
                    if not await self._take(raw):
                        return
        except FrameTooLongError:
            self._turn_away("sent more than any message has, without an end")
        except TimeoutError:
            self._turn_away("signed in too late, or was silent for too long")
        except (ConnectionError, ssl.SSLError) as error:
            log.debug("a terminal is gone: %s", type(error).__name__)
        finally:
            if self._known_as is None:
                terminals.strangers -= 1
            else:
                terminals.went(self._known_as, self._address)

    async def _read(self) -> bytes:
        """What has come; empty at the end. Raises TimeoutError."""
        until_s = self._patience()
        if until_s is None:
            return await self._reader.read(READ_BYTES)
        async with asyncio.timeout_at(until_s):
            return await self._reader.read(READ_BYTES)

    def _patience(self) -> float | None:
        """Until when we wait, on the loop's clock."""
        config, now_s = self._house.config, asyncio.get_running_loop().time()
        if self.signed_in:
            return now_s + config.idle_close_s if config.idle_close_s else None
        return self._login_until

    async def _take(self, raw: bytes) -> bool:
        """Answer one frame; False when the connection is to end."""
        now = self._house.clock.now()
        outcome = self._session.receive(raw, now)
        reply = await self._ask(outcome) if isinstance(outcome, Job) else outcome
        self._notice_login()
        if reply.pause_s:
            await asyncio.sleep(reply.pause_s)
        self._count(reply, now)  # before the answer leaves: who has it finds it counted
        if reply.data:
            await self._send(reply.data)
        self._house.messages.write(
            now, self._known_as or self._address, request=reply.request, answer=reply.answer, note=reply.note
        )  # while the answer is on its way
        if reply.close:
            self._turn_away("three wrong logins")
        return not reply.close

    async def _send(self, data: bytes) -> None:
        """Raises TimeoutError."""
        self._writer.write(data)
        if self._writer.transport.get_write_buffer_size() < UNREAD_BYTES:
            await asyncio.sleep(0)  # it leaves now
            return
        async with asyncio.timeout(SEND_WITHIN_S):
            await self._writer.drain()

    async def _ask(self, job: Job) -> Reply:
        try:
            return self._session.answer(await self._house.clerk.carry_out(job))
        except LibraryAwayError as error:
            log.error("terminal %s: the database does not answer: %s", job.profile.id, error)
        except Exception:  # a fault of ours: the terminal gets its answer all the same
            log.exception("terminal %s: message %s could not be carried out", job.profile.id, job.request.id)
        return self._session.failed(self._house.clock.now())

    def _notice_login(self) -> None:
        """Count the connection to its terminal as soon as that is known."""
        profile = self._session.profile
        if profile is None or profile.id == self._known_as:
            return
        terminals = self._house.terminals
        if self._known_as is None:
            terminals.strangers -= 1
        else:
            terminals.went(self._known_as, self._address)
        self._known_as = profile.id
        terminals.came(profile.id, self._address)
        log.info("terminal %s signed in from %s", profile.id, self._address)

    def _count(self, reply: Reply, now: datetime) -> None:
        """Keep what staff see of the terminal up to date."""
        who = self._known_as
        if who is None:
            return
        if reply.request is None:
            self._house.terminals.garbled(who)
            return
        if reply.request.id == "99":
            self._house.terminals.told(who, reply.request.fixed["status"], now)
        refused = reply.answer is not None and reply.answer.fixed.get("ok", "1") in ("0", "N")
        self._house.terminals.heard(who, LAYOUTS[reply.request.id].title, now, refused=refused)

    def _turn_away(self, why: str) -> None:
        self._house.terminals.turned_away += 1
        log.warning("terminal %s %s: connection closed", self._known_as or self._address, why)


def _tls(config: Sip2Config) -> ssl.SSLContext | None:
    if config.tls_cert is None or config.tls_key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(config.tls_cert, config.tls_key)
    return context


def _keep_alive(connected: socket.socket | None) -> None:
    if connected is None:
        return
    try:
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in KEEPALIVE.items():
            if hasattr(socket, name):
                connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    except OSError:
        return  # the peer is gone already; reading will tell
