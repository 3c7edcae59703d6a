"""Finds log calls whose message cannot be put together, at any level, while tests run."""

from __future__ import annotations

import logging

PACKAGES = ("carrel", "gateway", "devices", "rfid", "environment", "security", "server", "firmware_sim")


class LogWatch(logging.Handler):
    """Tries every record of our own packages; `malformed` are those that would print a traceback instead of a line."""

    def __init__(self) -> None:
        super().__init__()
        self.malformed: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Put the message together, as a real handler would."""
        try:
            record.getMessage()
        except Exception as error:
            self.malformed.append(f"{record.pathname}:{record.lineno}: {record.msg!r} % {record.args!r}: {error}")

    def install(self) -> None:
        """Listen to our packages, debug calls included."""
        for name in PACKAGES:
            logging.getLogger(name).addHandler(self)
            logging.getLogger(name).setLevel(logging.DEBUG)
