"""The log of what terminals and library said to each other, without PINs, passwords and names."""

from __future__ import annotations

import logging
import logging.handlers
from datetime import UTC, datetime
from pathlib import Path

from carrel.logging import Later
from server.sip2.wire import codec
from server.sip2.wire.messages import PERSONAL, SECRET, F, Message

LIMIT_BYTES, GENERATIONS = 10 << 20, 4
MASK = "****"
SHOWN_OF_CARD = 3
CARDS = frozenset({F.PATRON, F.HOLD_PATRON})
HIDDEN = SECRET | PERSONAL | CARDS
HEARTBEAT = frozenset({"99", "98"})
"""Sent every minute by every terminal; not worth a line."""


class MessageLog:
    """A file that begins anew when it is long; four older ones are kept. Without a file nothing is written.

    What is said in one moment is written together, after it has been answered.
    """

    def __init__(self, file: Path | None) -> None:
        self._file: logging.Handler | None = None
        self._waiting: list[str] = []
        self._later = Later(self._write_down)
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._file = logging.handlers.RotatingFileHandler(file, "a", LIMIT_BYTES, GENERATIONS, encoding="utf-8")

    def write(self, at: datetime, who: str, *, request: Message | None, answer: Message | None, note: str = "") -> None:
        """One exchange; `who` is the terminal, or the address of a stranger."""
        if self._file is None or (request is not None and request.id in HEARTBEAT and not note):
            return
        stamp = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for arrow, message in ((">", request), ("<", answer)):
            if message is not None:
                self._waiting.append(f"{stamp} {who} {arrow} {shown(message)}")
        if note:
            self._waiting.append(f"{stamp} {who} ! {note}")
        if not self._later.ask():
            self._write_down()

    def close(self) -> None:
        """Write what waits and close the file."""
        self._write_down()
        if self._file is not None:
            self._file.close()

    def _write_down(self) -> None:
        if self._file is not None and self._waiting:
            text = "\n".join(self._waiting)
            self._waiting.clear()
            self._file.handle(logging.LogRecord(__name__, logging.INFO, "", 0, text, None, None))


def shown(message: Message) -> str:
    """A message as the log may hold it: card numbers keep their last three characters."""
    fields = tuple(
        (name, _masked(name, value) if value and name in HIDDEN else value)
        for name, value in message.fields
    )  # fmt: skip
    text = f"{message.id}{''.join(message.fixed.values())}{''.join([f'{name}{value}|' for name, value in fields])}"
    return text if text.isprintable() else codec.encode(Message(message.id, message.fixed, fields))


def _masked(name: str, value: str) -> str:
    return MASK + value[-SHOWN_OF_CARD:] if name in CARDS else MASK
