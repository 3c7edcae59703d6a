"""What waits to be published: the newest payload per topic, so that a slow broker cannot grow memory."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from carrel.contracts.base import Contract
from carrel.contracts.codec import encode
from carrel.contracts.topics import DEVICE_STATE, Topic

GATHER_S = 0.01
"""Publishing waits so long, so that the orders an event leads to are on their wire first."""
STATES_S = 0.25
"""Values of devices are gathered so long when nothing else is to be published: many reports, few awakenings."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One publication below the gateway's root; an empty payload clears a retained topic."""

    topic: Topic
    id: str
    payload: bytes


class Outbox:
    """Latest-wins queue; retained topics are kept to be published again after a reconnect."""

    def __init__(self) -> None:
        self._pending: dict[tuple[str, str], Outgoing] = {}
        self._retained: dict[tuple[str, str], Outgoing] = {}
        self._wake = asyncio.Event()
        self._pressing = asyncio.Event()

    def put(self, topic: Topic, message: Contract | None, id_: str = "") -> None:
        """Publish a message soon (None clears a retained topic)."""
        item = Outgoing(topic, id_, encode(message) if message is not None else b"")
        key = (topic.path, id_)
        self._pending.pop(key, None)
        self._pending[key] = item
        if topic.retained:
            self._retained[key] = item
        self._wake.set()
        if topic is not DEVICE_STATE:
            self._pressing.set()

    def published(self, item: Outgoing) -> None:
        """The broker has taken it: a topic that was cleared need not be cleared again."""
        key = (item.topic.path, item.id)
        if not item.payload and self._retained.get(key) is item:
            del self._retained[key]

    def stands(self, topic: Topic, id_: str) -> bool:
        """Whether a retained topic has a message of ours."""
        item = self._retained.get((topic.path, id_))
        return item is not None and bool(item.payload)

    def repeat_retained(self) -> None:
        """After a reconnect: everything retained once more, as the broker may have forgotten it."""
        self._pending = {**self._retained, **self._pending}
        self._wake.set()
        self._pressing.set()

    async def take(self) -> list[Outgoing]:
        """Everything that waits, at least one."""
        await self._wake.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(STATES_S):
                await self._pressing.wait()
        await asyncio.sleep(GATHER_S)
        self._wake.clear()
        self._pressing.clear()
        items, self._pending = list(self._pending.values()), {}
        return items
