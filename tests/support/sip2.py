"""Terminals for tests: profiles, frames as text, and a client that speaks them over a socket."""

from __future__ import annotations

import socket
import ssl
from typing import Any
from zoneinfo import ZoneInfo

from server.sip2.profile import Profile, TerminalConfig
from server.sip2.wire import codec
from server.sip2.wire.codec import Frame
from server.sip2.wire.framing import Framer
from server.sip2.wire.messages import F, Message

DATE = "20260302    123000"
NO_DATE = " " * 18
LOGIN, PASSWORD = "self-1", "s3cret"


def profile(language: str = "en", **terminal: Any) -> Profile:
    """A terminal with every right, unless told otherwise."""
    known: dict[str, Any] = {
        "id": "self-1", "login": LOGIN, "password": PASSWORD,
        "rights": ("patron", "checkout", "checkin", "renew", "hold", "item", "item_update", "fee", "block", "enable"),
    }  # fmt: skip
    config = TerminalConfig.model_validate(known | terminal)
    return Profile(
        config, "MAIN", "main", language, library="市图书馆", zone=ZoneInfo("Asia/Shanghai"), timeout_s=3, retries=3
    )


def sealed(text: str, sequence: int | None = None, encoding: str = "utf-8") -> bytes:
    """A frame without terminator; with a sequence number it gets a checksum too."""
    like = Frame(b"") if sequence is None else Frame(b"", str(sequence), "0000")
    return codec.seal(text, encoding, like=like, checksum="bytes")


class Client:
    """One terminal's connection: `ask` sends a frame and waits for the answer."""

    def __init__(self, port: int, *, encoding: str = "utf-8", timeout_s: float = 20, tls: ssl.SSLContext | None = None):
        plain = socket.create_connection(("127.0.0.1", port), timeout_s)
        self.socket: socket.socket = tls.wrap_socket(plain, server_hostname="localhost") if tls else plain
        self.encoding = encoding
        self._framer = Framer()
        self._waiting: list[bytes] = []
        self._sequence = -1
        self.raw = b""

    def ask(self, text: str, *, checked: bool = True) -> Message:
        """The answer to a message, whose sequence number and checksum are judged."""
        self._sequence = (self._sequence + 1) % 10
        self.send(sealed(text, self._sequence if checked else None, self.encoding) + b"\r")
        frame = codec.split(self.receive())
        if checked:
            assert frame.sequence == str(self._sequence)
            assert codec.checksum_of(frame.covered) == frame.checksum
        return codec.decode(frame.body, self.encoding)

    def send(self, data: bytes) -> None:
        """Bytes as they are."""
        self.socket.sendall(data)

    def receive(self) -> bytes:
        """The next frame; raises EOFError when the library has closed the line."""
        while not self._waiting:
            data = self.socket.recv(4096)
            if not data:
                raise EOFError
            self._waiting += self._framer.feed(data)
        self.raw = self._waiting.pop(0)
        return self.raw

    def login(self, user: str = LOGIN, password: str = PASSWORD) -> Client:
        """Sign in."""
        assert self.ask(f"9300CN{user}|CO{password}|").fixed["ok"] == "1"
        return self

    def close(self) -> None:
        """Go."""
        self.socket.close()

    def checkout(self, card: str, item: str, *, pin: str = "", more: str = "") -> Message:
        """11, as an ordinary self-check sends it."""
        return self.ask(f"11NN{DATE}{NO_DATE}AOMAIN|AA{card}|AB{item}|AC|AD{pin}|{more}")

    def checkin(self, item: str, *, more: str = "", returned: str = DATE, no_block: str = "N") -> Message:
        """09."""
        return self.ask(f"09{no_block}{DATE}{returned}APhall|AOMAIN|AB{item}|AC|{more}")

    def patron(self, card: str, *, pin: str = "", summary: int | None = None, more: str = "") -> Message:
        """63; `summary` is the place of the Y."""
        asked = "".join("Y" if place == summary else " " for place in range(10))
        return self.ask(f"63001{DATE}{asked}AOMAIN|AA{card}|AC|AD{pin}|{more}")

    def item(self, barcode: str) -> Message:
        """17."""
        return self.ask(f"17{DATE}AOMAIN|AB{barcode}|AC|")


def screen(message: Message) -> str:
    """What the terminal shows."""
    return " ".join(message.all(F.SCREEN))
