"""Terminals' requests of one moment in one transaction: many share its begin, its end and its wait for the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeAlias, TypeVar

R = TypeVar("R")
A = TypeVar("A")
Outcome: TypeAlias = "A | Exception | asyncio.Future[A | Exception]"

MOST = 50
"""What one transaction carries out; more wait for the next."""
LATELY_S = 0.05
"""Who asked within this time is in the middle of a rush, and probably asks again as soon as it is answered."""
GATHER_S = 0.001
"""How long a transaction waits for those: less than a commit takes on most disks."""


class Together(Generic[R, A]):
    """Carries out what was asked since it last did: `at_once` if that can be, else `in_turn`.

    Both give each request its answer, or the error that becomes of it, or a future of these when others need not wait
    for it; `at_once` None when it can do nothing now.
    """

    def __init__(
        self,
        at_once: Callable[[Sequence[R]], Awaitable[Sequence[Outcome[A]] | None]],
        in_turn: Callable[[Sequence[R]], Awaitable[Sequence[Outcome[A]]]],
    ) -> None:
        self._at_once = at_once
        self._in_turn = in_turn
        self._waiting: list[tuple[R, asyncio.Future[A]]] = []
        self._working: asyncio.Task[None] | None = None
        self._last_asked: dict[Hashable, float] = {}
        self._expected = 0
        self._complete = asyncio.Event()

    async def ask(self, request: R, who: Hashable) -> A:
        """The answer; raises what became of the request. Nobody asks again before they are answered."""
        loop = asyncio.get_running_loop()
        alone = self._working is None and self._last_asked.keys() == {who}  # who asked last, and nobody since
        self._last_asked[who] = loop.time()
        if alone:
            outcomes = await self._at_once([request])
            if outcomes is not None:
                return await _answer(outcomes[0])
        answer: asyncio.Future[A] = loop.create_future()
        self._waiting.append((request, answer))
        if self._working is None:  # it begins after those whose request came in the same moment
            self._working = asyncio.create_task(self._work())
        elif len(self._waiting) >= self._expected:
            self._complete.set()
        return await answer

    async def _gather(self) -> None:
        """Wait a moment for those who are in a rush too: one who is alone waits for nobody."""
        loop = asyncio.get_running_loop()
        since_s = loop.time() - LATELY_S
        self._last_asked = {who: at_s for who, at_s in self._last_asked.items() if at_s > since_s}
        self._expected = min(len(self._last_asked), MOST)
        if len(self._waiting) >= self._expected:
            return
        self._complete.clear()
        enough = loop.call_later(GATHER_S, self._complete.set)
        await self._complete.wait()
        enough.cancel()

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._gather()
                now, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                requests = [request for request, _ in now]
                outcomes = await self._at_once(requests)
                if outcomes is None:
                    outcomes = await self._in_turn(requests)
                for (_, answer), outcome in zip(now, outcomes, strict=True):
                    _tell(answer, outcome)
        finally:
            self._working = None


async def _answer(outcome: Outcome[A]) -> A:
    if isinstance(outcome, asyncio.Future):
        outcome = await outcome
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _tell(answer: asyncio.Future[A], outcome: Outcome[A]) -> None:
    if isinstance(outcome, asyncio.Future):
        outcome.add_done_callback(lambda done: _tell(answer, done.result()))
        return
    if answer.done():  # the terminal has gone; what it asked for is done all the same
        return
    if isinstance(outcome, Exception):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)
