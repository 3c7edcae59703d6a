"""Whether this task was told to end: libraries and task groups may swallow the cancellation when something else fails
in the same moment, and a loop that then goes on would never end."""

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
