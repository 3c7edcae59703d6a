"""What waits to be published: the newest payload per topic, so that a slow broker cannot grow memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from carrel.contracts.base import Contract
from carrel.contracts.codec import encode
from carrel.contracts.topics import DEVICE_STATE, Topic

GATHER_S = 0.01
"""Publishing waits so long, so that the orders an event leads to are on their wire first."""
VALUES_S = 0.25
"""Values of devices are gathered so long: many reports, few awakenings."""
VALUES_REST_S = 0.01
"""After values were published there is a rest of so long for each, up to `VALUES_MOST_S`: on a busy network a device
reports again meanwhile, and only its newest value has to go."""
VALUES_MOST_S = 1.0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One publication below the gateway's root; an empty payload clears a retained topic."""

    topic: Topic
    id: str
    message: Contract | Callable[[], Contract] | None

    @property
    def payload(self) -> bytes:
        """As it goes to the broker; made only then, as a newer one may take its place."""
        message = self.message() if callable(self.message) else self.message
        return b"" if message is None else encode(message)


class Outbox:
    """Latest-wins queue; retained topics are kept to be published again after a reconnect."""

    def __init__(self) -> None:
        self._pending: dict[tuple[str, str], Outgoing] = {}
        self._retained: dict[tuple[str, str], Outgoing] = {}
        self._wake = asyncio.Event()
        self._pressing = asyncio.Event()
        self._values_at: float | None = None  # when the values that wait are due, on the loop's clock
        self._rest_until = 0.0

    def put(self, topic: Topic, message: Contract | Callable[[], Contract] | None, id_: str = "") -> None:
        """Publish a message soon, or what makes it then (None clears a retained topic)."""
        item = Outgoing(topic, id_, message)
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
        if item.message is None and self._retained.get(key) is item:
            del self._retained[key]

    def stands(self, topic: Topic, id_: str) -> bool:
        """Whether a retained topic has a message of ours."""
        item = self._retained.get((topic.path, id_))
        return item is not None and item.message is not None

    def repeat_retained(self) -> None:
        """After a reconnect: everything retained once more, as the broker may have forgotten it."""
        self._pending = {**self._retained, **self._pending}
        self._values_at = 0.0
        self._wake.set()
        self._pressing.set()

    async def take(self) -> list[Outgoing]:
        """Everything that is due, at least one."""
        await self._wake.wait()
        loop_s = asyncio.get_running_loop().time
        if self._values_at is None and any(item.topic is DEVICE_STATE for item in self._pending.values()):
            self._values_at = max(loop_s() + VALUES_S, self._rest_until)
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._values_at):
                await self._pressing.wait()
        await asyncio.sleep(GATHER_S)
        return self._due(loop_s())

    def _due(self, now_s: float) -> list[Outgoing]:
        self._pressing.clear()
        items, waiting = list(self._pending.values()), dict[tuple[str, str], Outgoing]()
        if self._values_at is None or now_s < self._values_at:
            waiting = {key: item for key, item in self._pending.items() if item.topic is DEVICE_STATE}
            items = [item for item in items if item.topic is not DEVICE_STATE]
        else:
            self._values_at = None
            self._rest_until = now_s + min(VALUES_MOST_S, len(items) * VALUES_REST_S)
        self._pending = waiting
        if not waiting:
            self._wake.clear()
        return items
