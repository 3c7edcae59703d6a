"""Receipts as text files in a folder, for a print queue to pick up; kept for a day."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path

log = logging.getLogger(__name__)

KEPT_S = 24 * 3600


class ReceiptFolder:
    """One kiosk's folder; None prints nothing."""

    def __init__(self, kiosk: str, folder: Path | None) -> None:
        self._kiosk = kiosk
        self._folder = folder

    async def write(self, text: str, at: datetime) -> None:
        """Write one receipt; what goes wrong is logged, as the loan stands without it."""
        if self._folder is None:
            return
        try:
            await asyncio.to_thread(self._write, self._folder, text, at)
        except OSError as error:
            log.error("kiosk %s: no receipt written: %s", self._kiosk, error)

    def _write(self, folder: Path, text: str, at: datetime) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{self._kiosk}-{at:%Y%m%dT%H%M%S}-{at.microsecond // 1000:03}"
        half = folder / f".{name}"
        half.write_text(text, encoding="utf-8")
        half.replace(folder / f"{name}.txt")  # whole or not at all
        for old in (*folder.glob(f"{self._kiosk}-*.txt"), *folder.glob(f".{self._kiosk}-*")):
            with suppress(FileNotFoundError):  # a print queue may take it away at any moment
                if old.stat().st_mtime < time.time() - KEPT_S:
                    old.unlink()
