"""Brings the rule book to the gateway: retained on the broker, told again at the begin of each session."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from sqlalchemy.exc import SQLAlchemyError

from carrel.config import ConfigError
from carrel.contracts import topics
from carrel.contracts.codec import encode
from carrel.contracts.config import ConfigDocument
from server.rules.book import Books

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
"""So soon is seen what another server process has saved."""
AGAIN_AFTER_S = 30.0
"""What the gateway has not taken is sent again: a full disk or a missing token file may have been mended."""


class BookSender:
    """The sending half of one server process; several may send the same version."""

    def __init__(self, books: Books, branch: str, publish: Callable[[str, bytes], Awaitable[None]]) -> None:
        """Made in the event loop in which `run` will run. `publish` keeps what it sends on the broker."""
        self._books = books
        self._topic = topics.name(branch, books.gateway, topics.CONFIG, "rules")
        self._publish = publish
        self._new = asyncio.Event()
        loop = asyncio.get_running_loop()
        books.on_new = lambda: None if loop.is_closed() else _set(loop, self._new)

    async def run(self) -> None:
        """Send while the connection lasts; raises aiomqtt.MqttError when it breaks."""
        told, told_at = 0, 0.0
        while True:
            self._new.clear()
            document, now = await self._document(), asyncio.get_running_loop().time()
            if document is not None and (document.version != told or self._again(told, now - told_at)):
                await self._publish(self._topic, encode(document))
                told = self._books.sent = document.version
                told_at = now
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._new.wait()
            except TimeoutError:
                continue

    def _again(self, told: int, for_s: float) -> bool:
        return for_s >= AGAIN_AFTER_S and self._books.delivery(told).stage in ("sent", "refused")

    async def _document(self) -> ConfigDocument | None:
        try:
            return await asyncio.to_thread(self._books.document)
        except (SQLAlchemyError, ConfigError) as error:
            log.warning("the rules are not sent, tried again: %s", type(error).__name__)
            return None


def _set(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    loop.call_soon_threadsafe(event.set)
