"""How much of a patron's name a kiosk shows. Pure."""

from __future__ import annotations

import unicodedata


def shown_name(name: str) -> str:
    """`张*` of a Chinese name, `L. W.` of others; never enough to tell who it is."""
    words = name.split()
    if not words:
        return "*"
    if _is_han(words[0][0]):
        return f"{words[0][0]}*"
    return " ".join(f"{word[0].upper()}." for word in words[:3])


def _is_han(character: str) -> bool:
    return "CJK" in unicodedata.name(character, "")
