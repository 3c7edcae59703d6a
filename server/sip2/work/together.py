"""Terminals' requests of one moment in one transaction: many share its begin, its end and its wait for the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

R = TypeVar("R")
A = TypeVar("A")

MOST = 50
"""What one transaction carries out; more wait for the next."""


class Together(Generic[R, A]):
    """Carries out what was asked since it last did: `at_once` if that can be, else `in_turn`.

    Both give each request its answer, or the error that becomes of it; `at_once` None when it can do nothing now.
    """

    def __init__(
        self,
        at_once: Callable[[Sequence[R]], Sequence[A | Exception] | None],
        in_turn: Callable[[Sequence[R]], Awaitable[Sequence[A | Exception]]],
    ) -> None:
        self._at_once = at_once
        self._in_turn = in_turn
        self._waiting: list[tuple[R, asyncio.Future[A]]] = []
        self._working: asyncio.Task[None] | None = None

    async def ask(self, request: R) -> A:
        """The answer; raises what became of the request."""
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, answer))
        if self._working is None:  # it begins after those whose request came in the same moment
            self._working = asyncio.create_task(self._work())
        return await answer

    async def _work(self) -> None:
        try:
            while self._waiting:
                now, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                requests = [request for request, _ in now]
                outcomes = self._at_once(requests)
                if outcomes is None:
                    outcomes = await self._in_turn(requests)
                for (_, answer), outcome in zip(now, outcomes, strict=True):
                    _tell(answer, outcome)
        finally:
            self._working = None


def _tell(answer: asyncio.Future[A], outcome: A | Exception) -> None:
    if answer.done():  # the terminal has gone; what it asked for is done all the same
        return
    if isinstance(outcome, Exception):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)
