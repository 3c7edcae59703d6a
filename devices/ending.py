"""How a task ends: libraries and task groups may swallow the cancellation when something else fails in the same moment,
and a loop that then goes on would never end; what closes a port or a database must not be cut off by it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def told_to_end() -> bool:
    """True once the current task was cancelled, whatever became of the CancelledError."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def end_if_told() -> None:
    """Raise the CancelledError that was swallowed."""
    if told_to_end():
        raise asyncio.CancelledError


async def apart(work: Coroutine[Any, Any, T]) -> T:
    """Run work that may hold a task group as a task of its own.

    A task group of Python 3.11 whose member failed leaves its task marked as cancelled, which nobody told it to be.
    """
    return await asyncio.ensure_future(work)


async def to_the_end(work: Coroutine[Any, Any, T] | asyncio.Future[T]) -> T:
    """Do all of this, which must end by itself soon, however often this task is cancelled meanwhile; CancelledError
    afterwards."""
    task = asyncio.ensure_future(work)
    told: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            told = error
    if told is None:
        return task.result()
    if not task.cancelled():
        task.exception()  # else asyncio traces that nobody looked
    raise told
