"""A reader's account as plain values: what is shown half hidden, and the card as a QR code."""

from __future__ import annotations

import importlib
from functools import lru_cache

from carrel.web.i18n import N_

DONE = {
    "contact": N_("Your contact details are saved."),
    "history": N_("Your choice is saved."),
    "pin": N_("The new PIN counts from now on. You were signed out everywhere else."),
    "language": N_("Your language is saved."),
    "session": N_("You are signed out there."),
}
QUIET = 4
"""White modules around a QR code (ISO/IEC 18004)."""


def masked(text: str, *, first: int, last: int) -> str:
    """Only the first and last characters; what is too short for that is hidden altogether."""
    hidden = len(text) - first - last
    return text[:first] + "•" * hidden + text[len(text) - last :] if hidden >= first + last else "•" * len(text)


def masked_email(address: str) -> str:
    """The first letter and the provider: z•••@example.org."""
    name, _, provider = address.partition("@")
    return f"{name[:1]}•••@{provider}" if provider else ""


@lru_cache(maxsize=256)
def qr(text: str) -> tuple[int, str]:
    """A QR code, error correction M: how many modules wide with its margin, and an SVG path of the dark ones."""
    encoder = importlib.import_module("reportlab.graphics.barcode.qrencoder")  # 18 MB, so not before it is needed
    code = encoder.QRCode(None, encoder.QRErrorCorrectLevel.M)
    code.addData(text)
    code.make()
    parts = []
    for y, row in enumerate(code.modules, QUIET):
        parts += [f"M{x} {y}h1v1h-1z" for x, dark in enumerate(row, QUIET) if dark]
    return code.getModuleCount() + 2 * QUIET, "".join(parts)
