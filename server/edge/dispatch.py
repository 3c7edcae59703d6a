"""Sends the outbox's commands: at once when one was written, then every 2 s until it is answered or runs out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from sqlalchemy.exc import SQLAlchemyError

from carrel.contracts import topics
from carrel.contracts.codec import encode
from server.edge.outbox import Order, Outbox

log = logging.getLogger(__name__)

AGAIN_AFTER_S = 2.0


class Dispatcher:
    """The sending half of one server process; several may send the same command, the edge acts once."""

    def __init__(self, outbox: Outbox, branch: str, publish: Callable[[str, bytes], Awaitable[None]]) -> None:
        """Made in the event loop in which `run` will run."""
        self._outbox = outbox
        self._branch = branch
        self._publish = publish
        self._new = asyncio.Event()
        self._sent_at: dict[str, float] = {}
        loop = asyncio.get_running_loop()
        outbox.on_new = lambda: _wake(loop, self._new)

    async def run(self) -> None:
        """Send while the connection lasts; raises aiomqtt.MqttError when it breaks."""
        self._sent_at.clear()
        while True:
            self._new.clear()
            for order in await self._due():
                await self._send(order)
            try:
                async with asyncio.timeout(AGAIN_AFTER_S):
                    await self._new.wait()
            except TimeoutError:
                continue

    async def _due(self) -> list[Order]:
        try:
            orders = await asyncio.to_thread(self._outbox.due)
        except SQLAlchemyError as error:
            log.warning("commands not read from the database: %s", type(error).__name__)
            return []
        self._sent_at = {o.command.id: self._sent_at[o.command.id] for o in orders if o.command.id in self._sent_at}
        before = asyncio.get_running_loop().time() - AGAIN_AFTER_S * 0.9
        return [order for order in orders if self._sent_at.get(order.command.id, before) <= before]

    async def _send(self, order: Order) -> None:
        self._sent_at[order.command.id] = asyncio.get_running_loop().time()
        name = topics.name(self._branch, order.gateway, topics.COMMAND, order.target)
        await self._publish(name, encode(order.command))
        self._outbox.sent = frozenset(self._sent_at)


def _wake(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    """From any thread; a command written while the server ends waits for the next start."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(event.set)
