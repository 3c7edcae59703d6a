"""The log of what terminals and library said to each other, without PINs, passwords and names."""

from __future__ import annotations

import logging
import logging.handlers
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from carrel.logging import UnhurriedHandler
from server.sip2.wire import codec
from server.sip2.wire.messages import PERSONAL, SECRET, F, Message

LIMIT_BYTES, GENERATIONS = 10 << 20, 4
MASK = "****"
SHOWN_OF_CARD = 3
HEARTBEAT = frozenset({"99", "98"})
"""Sent every minute by every terminal; not worth a line."""


class MessageLog:
    """A file that begins anew when it is long; four older ones are kept. Without a file nothing is written."""

    def __init__(self, file: Path | None) -> None:
        self._handler: logging.Handler | None = None
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            target = logging.handlers.RotatingFileHandler(file, "a", LIMIT_BYTES, GENERATIONS, encoding="utf-8")
            self._handler = UnhurriedHandler(target)
            self._target = target

    def write(self, at: datetime, who: str, *, request: Message | None, answer: Message | None, note: str = "") -> None:
        """One exchange; `who` is the terminal, or the address of a stranger."""
        if self._handler is None or (request is not None and request.id in HEARTBEAT and not note):
            return
        stamp = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for arrow, message in ((">", request), ("<", answer)):
            if message is not None:
                self._line(f"{stamp} {who} {arrow} {shown(message)}")
        if note:
            self._line(f"{stamp} {who} ! {note}")

    def close(self) -> None:
        """Write what waits and close the file."""
        if self._handler is not None:
            self._handler.flush()
            self._target.close()

    def _line(self, text: str) -> None:
        assert self._handler is not None
        self._handler.handle(logging.LogRecord(__name__, logging.INFO, "", 0, text, None, None))


def shown(message: Message) -> str:
    """A message as the log may hold it: card numbers keep their last three characters."""
    return codec.encode(codec.masked(message, _hidden(message)))


def _hidden(message: Message) -> Mapping[str, str]:
    hidden = {str(name): MASK for name in SECRET | PERSONAL}
    hidden |= {str(name): MASK + message.get(name)[-SHOWN_OF_CARD:] for name in (F.PATRON, F.HOLD_PATRON)}
    return hidden
