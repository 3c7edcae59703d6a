"""Timers as the virtual devices see them, so that tests can hand in a clock of their own."""

import asyncio
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """A call that is still to come."""

    def cancel(self) -> None:
        """Call it off; harmless when it has already happened."""


class Timers(Protocol):
    """A monotonic clock in seconds and calls at a later time."""

    def now(self) -> float:
        """Seconds since some fixed moment."""

    def after(self, delay_s: float, call: Callable[[], None]) -> Timer:
        """Have `call` made once, `delay_s` from now."""


class LoopTimers:
    """Timers of the running asyncio loop that can all be called off together."""

    def __init__(self) -> None:
        self._pending: set[_LoopTimer] = set()

    def now(self) -> float:
        """The loop's own clock."""
        return asyncio.get_running_loop().time()

    def after(self, delay_s: float, call: Callable[[], None]) -> Timer:
        """RuntimeError when no loop runs."""
        return _LoopTimer(self._pending, max(0.0, delay_s), call)

    def cancel_all(self) -> None:
        """Call off what is pending."""
        for timer in tuple(self._pending):
            timer.cancel()


class _LoopTimer:
    """One call of the loop; it stands in `pending` as long as it is to come."""

    def __init__(self, pending: "set[_LoopTimer]", delay_s: float, call: Callable[[], None]) -> None:
        self._pending = pending
        self._call = call
        self._handle = asyncio.get_running_loop().call_later(delay_s, self._ring)
        pending.add(self)

    def cancel(self) -> None:
        """Call it off."""
        self._handle.cancel()
        self._pending.discard(self)

    def _ring(self) -> None:
        self._pending.discard(self)
        self._call()
