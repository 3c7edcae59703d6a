"""zigpy's database of devices, as this library keeps it: private, and written seldom."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

from zigpy.application import ControllerApplication
from zigpy.zcl import AttributeReportedEvent, AttributeUpdatedEvent

GATHER_S = 10.0
"""zigpy commits every 30 s, so a power cut costs little more for it; what it read and wrote waits for nothing."""

Write = tuple[str, tuple[Any, ...]]
"""The name of a handler of zigpy's, and what it is given."""


def keep_private(database: Path) -> None:
    """It holds the network's key, so only its owner may read it; SQLite makes later companions alike."""
    for companion in ("", "-wal", "-shm"):
        file = database.with_name(database.name + companion)
        if file.exists():
            file.chmod(0o600)


def write_seldom(app: ControllerApplication) -> None:
    """zigpy hands each report to its database's thread twice, and where that falls behind they wait in memory without
    an end. From now on only the newest of each device and attribute waits, and goes every GATHER_S."""
    listener: Any = app._dblistener
    gathered = Gathered(listener.enqueue)
    shutdown = listener.shutdown

    async def last_then_shutdown() -> None:
        gathered.hand_over()
        await shutdown()

    vars(listener).update(enqueue=gathered.enqueue, shutdown=last_then_shutdown)


class Gathered:
    """Stands before `write`, zigpy's queue: the newest of what devices say by themselves is kept back for GATHER_S, all
    else passes at once, behind what came before it."""

    def __init__(self, write: Callable[..., None]) -> None:
        self._write = write
        self._waiting: dict[Hashable, Write] = {}
        self._timer: asyncio.TimerHandle | None = None

    def enqueue(self, name: str, *args: Any) -> None:
        """In the place of zigpy's own."""
        key = _what_is_said(name, args)
        if key is None:
            self.hand_over()
            self._write(name, *args)
            return
        self._waiting[key] = (name, args)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHER_S, self.hand_over)

    def hand_over(self) -> None:
        """All that waits, now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, {}
        for name, args in waiting.values():
            self._write(name, *args)


def _what_is_said(name: str, args: tuple[Any, ...]) -> Hashable | None:
    """What a newer one of its kind makes needless; None for what must not wait."""
    if name == "_save_device_last_seen":
        ieee: Hashable = args[0]
        return ieee
    if name == "_save_attribute" and isinstance(args[0], AttributeReportedEvent | AttributeUpdatedEvent):
        said = args[0]
        place = (said.device_ieee, said.endpoint_id, said.cluster_type, said.cluster_id)
        return (*place, said.attribute_id, said.manufacturer_code)
    return None
