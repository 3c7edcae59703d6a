"""Readings -> the durable log for the server, once a second in one transaction, off the hot path."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable

from carrel.contracts.codec import encode
from carrel.contracts.telemetry import Reading, TelemetryPoint
from gateway.store import Store

log = logging.getLogger(__name__)

FLUSH_EVERY_S = 1.0
BATCH = 5000
"""Rows in one transaction, so that a backlog does not keep others off the disk for long."""
WAITING_LIMIT = 50_000
"""Readings held while the disk refuses to take them; beyond that the oldest are dropped and counted."""


class TelemetryLog:
    """`offer` is instant; `run` writes. All methods belong to the event loop; only the writing is in a thread."""

    def __init__(
        self, store: Store, stored: Callable[[], None], *, every_s: float = FLUSH_EVERY_S, limit: int = WAITING_LIMIT
    ) -> None:
        """`stored()` is called in the event loop after each write."""
        self._store = store
        self._stored = stored
        self._every_s = every_s
        self._limit = limit
        self._waiting: deque[Reading] = deque()
        self._refused = False
        self.dropped = 0

    def offer(self, reading: Reading) -> None:
        """Take a reading."""
        if len(self._waiting) >= self._limit:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(reading)

    async def run(self) -> None:
        """Write what waits until cancelled; what waits then is written too."""
        try:
            while True:
                await asyncio.sleep(self._every_s)
                if await self._flush():
                    self._stored()
        finally:
            await self._flush()

    async def _flush(self) -> bool:
        """Write some of what waits, True if something was; what a full or failing disk refuses goes on waiting."""
        batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
        if not batch:
            return False
        writing = asyncio.ensure_future(asyncio.to_thread(self._write, batch))
        try:
            written = await asyncio.shield(writing)
        except asyncio.CancelledError:
            self._settle(batch, written=await writing)  # a thread cannot be stopped; the store must outlive it
            raise
        return self._settle(batch, written=written)

    def _settle(self, batch: list[Reading], *, written: bool) -> bool:
        if not written:
            room = max(0, self._limit - len(self._waiting))
            kept = batch[len(batch) - min(room, len(batch)) :]
            self.dropped += len(batch) - len(kept)
            self._waiting.extendleft(reversed(kept))
        return written

    def _write(self, batch: list[Reading]) -> bool:
        try:
            self._store.append_telemetry(encode(_point(reading)).decode() for reading in batch)
        except sqlite3.Error as error:
            if not self._refused:
                log.error("telemetry is not written and waits in memory: %s", error)
            self._refused = True
            return False
        if self._refused:
            log.warning("telemetry is written again")
        self._refused = False
        return True


def _point(reading: Reading) -> TelemetryPoint:
    return TelemetryPoint(
        ts=reading.at, device=reading.device, zone=reading.zone, quantity=reading.quantity, value=reading.value
    )
