"""Ends tasks of a test, within an honest time: one that does not heed its cancellation is a failure, not a wait."""

from __future__ import annotations

import asyncio

WITHIN_S = 10.0


async def end(task: asyncio.Task[None]) -> None:
    """Tell a task to end and wait until it has, however it ends; AssertionError when it goes on."""
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=WITHIN_S)
    assert done, f"told to end, it goes on after {WITHIN_S:g} s: {task.get_coro()!r}"
    if not task.cancelled():
        task.exception()  # is nobody's concern
