"""What is true now, by topic, and the browsers that want to know. Everything here lives in the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from carrel.clock import Clock

DELTA_EVERY_S = 1.0
HEARTBEAT_S = 1.8
"""Below the 2 s that browsers are promised."""
FULL_EVERY_S = 0.1
"""A browser that asks again and again is answered once for all that it asked meanwhile."""
WAITING_LIMIT = 32
TOPICS_LIMIT = 64

Patch = dict[str, Any]


class Feed:
    """The present patches and who hears of changes."""

    def __init__(self, topics: Iterable[str]) -> None:
        self._topics: dict[str, dict[str, Patch]] = {topic: {} for topic in topics}
        self._channels: set[Channel] = set()
        self.old = False
        """The server hears nothing of the building: what is under the topics was true a while ago."""

    def publish(self, topic: str, key: str, patch: Patch, *, at_once: bool = False) -> None:
        """From now on this is true of the key; tells nobody if it was before. Unknown topics are none of ours."""
        known = self._topics.get(topic)
        if known is None or known.get(key) == patch:
            return
        known[key] = patch
        for channel in self._channels:
            channel.offer(topic, key, patch, at_once=at_once)

    def set_old(self, *, old: bool) -> None:
        """Whether what is told is old; tells every browser at once when that changed."""
        if old == self.old:
            return
        self.old = old
        for channel in self._channels:
            channel.hurry()

    def snapshot(self, topics: Iterable[str]) -> dict[str, Patch]:
        """Everything under these topics."""
        return {key: patch for topic in topics for key, patch in self._topics.get(topic, {}).items()}

    def add(self, channel: Channel) -> None:
        """A browser came."""
        self._channels.add(channel)

    def remove(self, channel: Channel) -> None:
        """It went."""
        self._channels.discard(channel)

    def __len__(self) -> int:
        """How many browsers there are."""
        return len(self._channels)


class Channel:
    """One browser: its topics and what it has still to be told, never more than WAITING_LIMIT patches."""

    def __init__(self, feed: Feed, clock: Clock) -> None:
        self._feed = feed
        self._clock = clock
        self._topics: frozenset[str] = frozenset()
        self._waiting: dict[str, Patch] = {}
        self._full = False
        self._at_once = False
        self._wake = asyncio.Event()
        self._seq = 0
        self._sent_at = 0.0

    def subscribe(self, topics: Iterable[str]) -> None:
        """Exactly these from now on; a full message follows."""
        self._topics = frozenset(topics)
        self._ask_full()

    def offer(self, topic: str, key: str, patch: Patch, *, at_once: bool) -> None:
        """Something changed. A newer patch of a key replaces one that waits; too many end in a full message."""
        if topic not in self._topics or self._full:
            return
        self._waiting[key] = patch
        if len(self._waiting) > WAITING_LIMIT:
            self._ask_full()
            return
        self._at_once = self._at_once or at_once
        self._wake.set()

    def hurry(self) -> None:
        """A message is due now, even if no patch waits."""
        self._at_once = True
        self._wake.set()

    async def next(self) -> Patch:
        """Wait until a message is due and make it."""
        while (wait_s := self._due_in()) > 0:
            try:
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            except TimeoutError:
                continue
            self._wake.clear()
        return self._compose()

    def _ask_full(self) -> None:
        self._full = True
        self._waiting.clear()
        self._wake.set()

    def _due_in(self) -> float:
        """Seconds until the next message."""
        if self._full:
            every_s = FULL_EVERY_S
        elif self._at_once:
            every_s = 0.0
        else:
            every_s = DELTA_EVERY_S if self._waiting else HEARTBEAT_S
        return self._sent_at + every_s - asyncio.get_running_loop().time()

    def _compose(self) -> Patch:
        self._seq += 1
        self._sent_at = asyncio.get_running_loop().time()
        message: Patch = {"seq": self._seq}
        if self._full:
            message["full"] = True
        if self._feed.old:
            message["old"] = True
        message["now"] = int(self._clock.now().timestamp() * 1000)
        message["patch"] = self._feed.snapshot(self._topics) if self._full else self._waiting
        self._waiting, self._full, self._at_once = {}, False, False
        return message
