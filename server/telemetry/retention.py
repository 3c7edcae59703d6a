"""Keeps the raw values of a week and lets older ones go, a little at a time."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

from carrel.clock import Clock
from server.telemetry.store import TelemetryStore

log = logging.getLogger(__name__)

RAW_KEPT = timedelta(days=7)
AT_ONCE = 2000
"""Points deleted in one transaction: short enough that no lending waits for it."""
EVERY_S = 600.0
PAUSE_S = 0.2


async def run(store: TelemetryStore, clock: Clock) -> None:
    """Trim now and then, until cancelled."""
    while True:
        try:
            await trim_all(store, clock.now())
        except Exception as error:  # any back-end's error means the same here: try again later
            log.warning("old telemetry not deleted: %s", type(error).__name__)
        await asyncio.sleep(EVERY_S)


async def trim_all(store: TelemetryStore, now: datetime, *, at_once: int = AT_ONCE, pause_s: float = PAUSE_S) -> int:
    """Let everything older than a week go; returns how much."""
    gone = 0
    while True:
        batch = await asyncio.to_thread(store.trim, now - RAW_KEPT, at_once)
        gone += batch
        if batch < at_once:
            return gone
        await asyncio.sleep(pause_s)
