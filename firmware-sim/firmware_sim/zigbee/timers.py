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
        self._pending: set[asyncio.TimerHandle] = set()

    def now(self) -> float:
        """The loop's own clock."""
        return asyncio.get_running_loop().time()

    def after(self, delay_s: float, call: Callable[[], None]) -> Timer:
        """RuntimeError when no loop runs."""
        loop = asyncio.get_running_loop()

        def ring() -> None:
            self._pending.discard(handle)
            call()

        handle = loop.call_later(max(0.0, delay_s), ring)
        self._pending = {timer for timer in self._pending if not timer.cancelled()}
        self._pending.add(handle)
        return handle

    def cancel_all(self) -> None:
        """Call off what is pending."""
        for handle in self._pending:
            handle.cancel()
        self._pending.clear()
