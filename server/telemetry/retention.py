"""Lets old values go, a little at a time: raw ones first, the 5-minute rollups later, the hourly ones never."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

from carrel.clock import Clock
from server.telemetry.store import Kept, TelemetryStore

log = logging.getLogger(__name__)

AT_ONCE = 2000
"""Rows deleted in one transaction: short enough that no lending waits for it."""
EVERY_S = 600.0
PAUSE_S = 0.2


async def run(store: TelemetryStore, clock: Clock, kept: Kept) -> None:
    """Trim now and then, until cancelled."""
    while True:
        try:
            await trim_all(store, clock.now(), kept)
        except Exception as error:  # any back-end's error means the same here: try again later
            log.warning("old telemetry not deleted: %s", type(error).__name__)
        await asyncio.sleep(EVERY_S)


async def trim_all(
    store: TelemetryStore, now: datetime, kept: Kept, *, at_once: int = AT_ONCE, pause_s: float = PAUSE_S
) -> int:
    """Let everything go that is older than it is kept; returns how many rows."""
    gone = 0
    while True:
        batch = await asyncio.to_thread(store.trim, now, kept, at_once)
        gone += batch
        if batch < at_once:
            return gone
        await asyncio.sleep(pause_s)
