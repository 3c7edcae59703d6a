"""Readings -> the durable log for server and InfluxDB, a few times a second in one transaction, off the hot path."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import Counter, deque
from collections.abc import Callable, Mapping

from carrel.contracts.health import LinkErrorCode
from carrel.contracts.telemetry import Reading
from gateway.moments import Moments
from gateway.relay.spool import Spool

log = logging.getLogger(__name__)

TELEMETRY = "telemetry"
"""Its name in health reports."""

FLUSH_EVERY_S = 0.25
FLUSH_AT = 200
"""Readings that are written at once: so few or so young are those that a power cut takes along."""
BATCH = 5000
"""Rows in one transaction, so that a backlog does not keep others off the disk for long."""
WAITING_LIMIT = 50_000
"""Readings held while the disk refuses to take them; beyond that the oldest are dropped and counted."""


class TelemetryLog:
    """`offer` is instant; `run` writes. All methods belong to the event loop; only the writing is in a thread."""

    def __init__(
        self,
        spool: Spool,
        stored: Callable[[], None],
        *,
        on_trouble: Callable[[str, LinkErrorCode], None] = lambda _text, _what: None,
        every_s: float = FLUSH_EVERY_S,
        limit: int = WAITING_LIMIT,
    ) -> None:
        """`stored()` is called in the event loop after each write; `on_trouble(text, what)` when something begins to
        keep readings from being stored or from being kept until they are sent, with an empty text when it is over.
        """
        self._spool = spool
        self._stored = stored
        self._on_trouble = on_trouble
        self._every_s = every_s
        self._limit = limit
        self._waiting: deque[Reading] = deque()
        self._moments = Moments()
        self._many = asyncio.Event()
        self._trouble = ""
        self._lost: Counter[str] = Counter()
        self.dropped = 0

    def offer(self, reading: Reading) -> None:
        """Take a reading."""
        if len(self._waiting) >= self._limit:
            self._waiting.popleft()
            self._drop(1)
        self._waiting.append(self._moments.own(reading))
        if len(self._waiting) >= FLUSH_AT:
            self._many.set()

    async def run(self) -> None:
        """Write what waits until cancelled; what waits then is written too."""
        try:
            while True:
                await self._rest()
                if await self._flush():
                    self._stored()
        finally:
            await self._flush()

    async def _rest(self) -> None:
        if self._trouble:  # a disk that refuses is not asked for each reading
            await asyncio.sleep(self._every_s)
            return
        try:
            async with asyncio.timeout(self._every_s):
                await self._many.wait()
        except TimeoutError:
            return

    async def _flush(self) -> bool:
        """Write some of what waits, True if something was; what a full or failing disk refuses goes on waiting."""
        self._many.clear()
        batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
        if not batch:
            return False
        writing = asyncio.ensure_future(asyncio.to_thread(self._write, batch))
        try:
            lost = await asyncio.shield(writing)
        except asyncio.CancelledError:
            self._settle(batch, await writing)  # a thread cannot be stopped; the store must outlive it
            raise
        return self._settle(batch, lost)

    def _write(self, batch: list[Reading]) -> Mapping[str, int] | sqlite3.Error:
        """What was lost to whom, or why nothing was written."""
        try:
            return self._spool.append(batch)
        except sqlite3.Error as error:
            return error

    def _settle(self, batch: list[Reading], outcome: Mapping[str, int] | sqlite3.Error) -> bool:
        if isinstance(outcome, sqlite3.Error):
            room = max(0, self._limit - len(self._waiting))
            kept = batch[len(batch) - min(room, len(batch)) :]
            self._drop(len(batch) - len(kept))
            self._waiting.extendleft(reversed(kept))
            self._tell(f"telemetry is not written and waits in memory: {outcome}{_losses(self._lost)}", "not_written")
            return False
        if len(self._waiting) >= FLUSH_AT:
            self._many.set()
        if outcome:
            self._lost.update(outcome)
            losses = _losses(self._lost)
            self._tell(f"too many readings wait to be sent, the oldest are dropped{losses}", "readings_dropped")
        elif self._trouble:
            log.warning("telemetry is written and kept again%s", _losses(self._lost))
            self._lost.clear()
            self._tell("")
        return True

    def _drop(self, count: int) -> None:
        if count:
            self.dropped += count
            self._lost["all"] += count

    def _tell(self, text: str, what: LinkErrorCode = "not_written") -> None:
        if text != self._trouble:
            if text:
                log.error("%s", text)
            self._trouble = text
            self._on_trouble(text, what)


def _losses(lost: Mapping[str, int]) -> str:
    """In powers of two, so that what is lost is told when it begins and each time it has doubled."""
    told = (f"{1 << (count.bit_length() - 1)} to {name}" for name, count in sorted(lost.items()))
    return f"; lost, at least: {', '.join(told)}" if lost else ""
