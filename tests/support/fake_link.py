"""A link without a wire: it keeps what it is told, and answers what the test lines up."""

from __future__ import annotations

import asyncio
from collections import deque

from devices.orders import DONE, Command, OrderResult
from gateway.links.link import Emit


class FakeLink:
    """Satisfies `gateway.links.link.Link`. `answers` come first, then `otherwise`; exceptions among them are raised."""

    kind = "fake"

    def __init__(self, name: str = "io-1", otherwise: OrderResult = DONE) -> None:
        self.name = name
        self.told: list[Command] = []
        self.answers: deque[OrderResult | Exception] = deque()
        self.otherwise = otherwise
        self.gate: asyncio.Event | None = None

    async def run(self, emit: Emit) -> None:
        """Nothing to do."""
        await asyncio.Event().wait()

    async def execute(self, command: Command) -> OrderResult:
        """Keep the command and answer."""
        self.told.append(command)
        if self.gate is not None:
            await self.gate.wait()
        answer = self.answers.popleft() if self.answers else self.otherwise
        if isinstance(answer, Exception):
            raise answer
        return answer
