"""A reading pad on a serial wire: a FEIG reader whose field holds the tags laid on it, in real time."""

import asyncio
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Final

from firmware_sim.rfid.feig import BROADCAST, Answer, Framer, Request, encode_answer
from firmware_sim.rfid.host_commands import BlockBytes, Pause, Steps
from firmware_sim.rfid.reader import Reader
from firmware_sim.rfid.tags import TagStore

PSST_S: Final = 0.005

_BITS_PER_BYTE: Final = 11  # 8E1
_QUEUE_LIMIT: Final = 4


@dataclass(slots=True)
class Timing:
    """Which times are modelled: commands on air, bytes on the serial line at `baud`. May be changed at any time."""

    air: bool = True
    serial: bool = True
    baud: int = 38400

    def serial_s(self, length: int) -> float:
        """Seconds that so many bytes take on the line; 0 when not modelled."""
        return length * _BITS_PER_BYTE / self.baud if self.serial else 0.0


class FeigPad:
    """A `ports.Device`. Bytes reach it at once; it adds the time they would have taken.

    The reader is deaf for 5 ms after an answer: a request that comes earlier waits and is counted in
    `early_requests`. More than four waiting requests are dropped and counted in `overruns`.
    """

    def __init__(self, pad_id: str, tags: TagStore, *, block_bytes: BlockBytes = "direct") -> None:
        tags.add_pad(pad_id)
        self.timing = Timing()
        self.framer = Framer()
        self.early_requests = 0
        self.overruns = 0
        self._reader = Reader(lambda: tags.on_pad(pad_id), block_bytes)
        self._send: Callable[[bytes], None] | None = None
        self._queue: deque[tuple[float, Request]] = deque()
        self._work: Generator[float, None, None] | None = None
        self._due_s = 0.0
        self._free_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def attach(self, send: Callable[[bytes], None]) -> None:
        """The wire is connected."""
        self._send = send

    def receive(self, data: bytes) -> None:
        """Bytes came from the host, cut anywhere."""
        now_s = asyncio.get_running_loop().time()
        for request in self.framer.feed(data, now_s):
            if request.com_adr not in (BROADCAST, self._reader.com_adr):
                continue
            if len(self._queue) >= _QUEUE_LIMIT:
                self.overruns += 1
            else:
                self._queue.append((now_s, request))
        if self._work is None:
            self._next()

    def detach(self) -> None:
        """The wire is gone: what was under way is forgotten."""
        self._send = None
        self._queue.clear()
        self.framer.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._work is not None:
            self._work.close()
            self._work = None

    def _next(self) -> None:
        while self._work is None and self._queue:
            arrived_s, request = self._queue.popleft()
            if self.timing.serial and arrived_s < self._free_s:
                self.early_requests += 1
                arrived_s = self._free_s
            self._due_s = arrived_s
            self._work = self._serve(request)
            self._go_on()

    def _go_on(self) -> None:
        """Do the steps that are due; come back for the next. Deadlines add up, so late timers do not."""
        self._timer = None
        loop = asyncio.get_running_loop()
        while self._work is not None:
            if self._due_s > loop.time():
                self._timer = loop.call_at(self._due_s, self._resume)
                return
            wait_s = next(self._work, None)
            if wait_s is None:
                self._work = None
            else:
                self._due_s += wait_s

    def _resume(self) -> None:
        self._go_on()
        if self._work is None:
            self._next()

    def _serve(self, request: Request) -> Generator[float, None, None]:
        yield self.timing.serial_s(request.length)
        com_adr = self._reader.com_adr
        answer = yield from self._in_time(self._reader.handle(request))
        frame = encode_answer(com_adr, request.command, answer, advanced=request.advanced)
        yield self.timing.serial_s(len(frame))
        self._free_s = self._due_s + PSST_S
        if self._send is not None:
            self._send(frame)

    def _in_time(self, steps: Steps) -> Generator[float, None, Answer]:
        """The same steps, without the air time when that is switched off."""
        while True:
            try:
                wait_s = next(steps)
            except StopIteration as done:
                answer: Answer = done.value
                return answer
            if self.timing.air or isinstance(wait_s, Pause):
                yield wait_s
