"""One log shape for our own and third-party logs: console lines or JSON."""

from __future__ import annotations

import asyncio
import json
import logging
import logging.handlers
import sys
from collections.abc import Callable
from datetime import UTC, datetime

QUIET = ("amqtt", "transitions", "pymodbus", "zigpy", "zigpy_znp", "httpx", "httpcore", "aiosqlite", "mqtt")
"""Libraries whose information lines are of no use to a librarian."""


FRAMES = "zigpy_znp.uart"
"""Tells frames that mean nothing with a stack trace; noise on a wire makes some, as their checksum has eight bits."""

WRITE_AFTER_S = 0.1


class Later:
    """Has something called a moment from now by the event loop that runs here: once, however often it is asked for."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._due: asyncio.TimerHandle | None = None

    def ask(self) -> bool:
        """False where no loop runs: nothing will be called."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return False
        if self._due is None or self._due.when() < loop.time() - WRITE_AFTER_S:  # left by a loop that has ended
            self._due = loop.call_later(WRITE_AFTER_S, self._call)
        return True

    def _call(self) -> None:
        self._due = None
        self._work()


class UnhurriedHandler(logging.handlers.MemoryHandler):
    """In an event loop, lines below a warning are written a moment later: never while an event is being handled.

    Warnings, and whatever is logged outside a loop, are written at once, after what waits.
    """

    def __init__(self, target: logging.Handler) -> None:
        super().__init__(capacity=1000, flushLevel=logging.WARNING, target=target)
        self._later = Later(self.flush)

    def shouldFlush(self, record: logging.LogRecord) -> bool:  # noqa: N802  the base class's name
        """Whether this line cannot wait; one that can is given its time."""
        return super().shouldFlush(record) or not self._later.ask()


class JsonFormatter(logging.Formatter):
    """One JSON object a line: ts, level, logger, message, error."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        row = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            row["error"] = self.formatException(record.exc_info)
        return json.dumps(row, ensure_ascii=False)


def configure(level: str, style: str) -> None:
    """Set up logging to standard error for a whole process; call once, from a program's main."""
    handler = logging.StreamHandler(sys.stderr)
    plain = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")
    handler.setFormatter(JsonFormatter() if style == "json" else plain)
    logging.basicConfig(level=level.upper(), handlers=[UnhurriedHandler(handler)], force=True)
    if level != "debug":
        for name in QUIET:
            logging.getLogger(name).setLevel(logging.ERROR if name in ("amqtt", "transitions") else logging.WARNING)
        logging.getLogger(FRAMES).addFilter(_without_trace)


def _without_trace(record: logging.LogRecord) -> bool:
    record.exc_info = None
    return True
