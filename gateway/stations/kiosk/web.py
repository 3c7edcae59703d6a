"""The kiosk's page and its WebSocket on 127.0.0.1 (docs/kiosk.md): sends screens, takes touches, decides nothing."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse
from starlette.responses import Response

from gateway.stations.kiosk.events import Touch

log = logging.getLogger(__name__)

MESSAGE_LIMIT = 1024
TAKEN_OVER = 4000
"""Close code for a browser whose place another one took."""
FAULT = 1011
"""Close code when a screen could not be made (RFC 6455, 7.4.1: internal error)."""


STEADY = frozenset({Touch.BORROW, Touch.RETURN, Touch.DONE})
"""What means the same whatever a screen lists: it counts while the items that a person lays down still appear."""


@dataclass(slots=True, eq=False)
class _Browser:
    """The one browser that is the kiosk; `seq` is that of the screen on show, `since` of the first one of its name."""

    socket: WebSocket
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    seq: int = 0
    since: int = 0
    looks: dict[str, Any] = field(default_factory=dict)


class KioskWeb:
    """One kiosk's routes. `message()` is the screen now, without its seq; `touch` takes what was touched."""

    def __init__(
        self,
        *,
        shell: Callable[[Request], Response],
        message: Callable[[], dict[str, Any]],
        touch: Callable[[Touch], None],
    ) -> None:
        self._message = message
        self._touch = touch
        self._browser: _Browser | None = None
        self.bad_messages = 0
        self.router = APIRouter()
        self.router.add_api_route("/", shell, methods=["GET"], include_in_schema=False)
        self.router.add_api_route("/kiosk", shell, methods=["GET"], include_in_schema=False)
        self.router.add_api_route("/healthz", _healthz, methods=["GET"])
        self.router.add_api_websocket_route("/kiosk/live", self._live)

    def changed(self) -> None:
        """The session changed: send the screen soon, if it looks different."""
        if self._browser is not None:
            self._browser.wake.set()

    async def _live(self, socket: WebSocket) -> None:
        await socket.accept()
        before, mine = self._browser, _Browser(socket)
        self._browser = mine
        if before is not None:
            await _quietly(before.socket.close(TAKEN_OVER))
        sender = asyncio.create_task(self._send(mine))
        try:
            await self._receive(mine)
        except (WebSocketDisconnect, RuntimeError):
            log.debug("a kiosk browser went away")
        finally:
            sender.cancel()
            if self._browser is mine:
                self._browser = None

    async def _send(self, browser: _Browser) -> None:
        while True:
            try:
                message = self._message()
            except Exception:  # the browser must not go on showing an old screen: it wipes it when the socket is lost
                log.exception("fault while making a kiosk's screen")
                await _quietly(browser.socket.close(FAULT))
                return
            looks = {**message, "countdown_s": message["countdown_s"] is not None}  # the browser counts by itself
            if looks != browser.looks:
                browser.seq += 1
                if any(looks[part] != browser.looks.get(part) for part in ("screen", "lang")):
                    browser.since = browser.seq
                browser.looks = looks
                await _quietly(browser.socket.send_text(json.dumps({"seq": browser.seq, **message})))
            await browser.wake.wait()
            browser.wake.clear()

    async def _receive(self, browser: _Browser) -> None:
        while True:
            received = await browser.socket.receive()
            if received["type"] == "websocket.disconnect":
                return
            match _parse(received.get("text") or ""):  # a binary message has no text
                case {"ping": int(number)}:
                    await browser.socket.send_text(json.dumps({"pong": number}))
                case {"touch": str(name), "seq": int(seq)} if name in set(Touch):
                    oldest = browser.since if name in STEADY else browser.seq
                    if oldest <= seq <= browser.seq or name == Touch.ACTIVITY:
                        self._touch(Touch(name))
                case _:
                    self.bad_messages += 1


def _parse(text: str) -> Any:
    if len(text) > MESSAGE_LIMIT:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


async def _healthz() -> JSONResponse:
    return JSONResponse({"ok": True})


async def _quietly(sending: Awaitable[None]) -> None:
    """Send to a browser that may have gone away."""
    try:
        await sending
    except (WebSocketDisconnect, RuntimeError, OSError):
        log.debug("a kiosk browser went away")
