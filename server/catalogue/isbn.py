"""International Standard Book Numbers (ISO 2108): found in dirty text, checked, in both forms. Pure."""

from __future__ import annotations

import re
import unicodedata

_DASHES = dict.fromkeys(map(ord, "‐‒–—―⁃−"), "-") | dict.fromkeys(map(ord, "\u00ad\u200b\u200e\u200f\u2060\ufeff"), "")
"""Word processors write these for hyphens; the others cannot be seen and come with what is copied from a page."""
_LABEL = re.compile(r"\s*(?:urn:)?isbn(?:[\s-]*\(?1[03]\)?(?=[\s:]))?\s*:?", re.IGNORECASE)
"""`ISBN`, also `ISBN-13:` and `ISBN (10)`, as book shops write it."""
_CANDIDATE = re.compile(r"(?<![0-9])(?:[0-9][ -]?){9,12}[0-9Xx](?![0-9])")


def isbn13(text: str) -> str | None:
    """The 13 digits of the first valid ISBN in a text such as `7-5006-1234-5 (pbk.) : CNY12.00`; else None."""
    for found in _CANDIDATE.finditer(_folded(text)):
        bare = re.sub("[ -]", "", found[0]).upper()
        if len(bare) == 13 and bare[:3] in ("978", "979") and bare[-1] == check_13(bare[:12]):
            return bare
        if len(bare) == 10 and bare[:9].isdigit() and bare[-1] == check_10(bare[:9]):
            return "978" + bare[:9] + check_13("978" + bare[:9])
    return None


def pasted(text: str) -> str:
    """An ISBN as people paste it, in ASCII and without its label, so that what is stored is it and no more."""
    return _LABEL.sub("", _folded(text), count=1).strip()


def isbn10(isbn: str) -> str | None:
    """The older form of a valid ISBN of 13 digits; None for one that has none, as those that begin with 979."""
    return isbn[3:12] + check_10(isbn[3:12]) if isbn.startswith("978") else None


def looks_like_one(text: str) -> bool:
    """Whether somebody meant an ISBN here: enough digits, right or wrong."""
    return len(re.findall("[0-9]", _folded(text).partition("(")[0])) >= 8


def _folded(text: str) -> str:
    """With digits, blanks, brackets and hyphens as ASCII has them."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text).translate(_DASHES)


def check_10(body: str) -> str:
    """The check digit of nine digits: weights 10 to 2, modulo 11."""
    rest = -sum(int(digit) * weight for digit, weight in zip(body, range(10, 1, -1), strict=True)) % 11
    return "X" if rest == 10 else str(rest)


def check_13(body: str) -> str:
    """The check digit of twelve digits: weights 1 and 3 in turn, modulo 10."""
    return str(-sum(int(digit) * (3 if n % 2 else 1) for n, digit in enumerate(body)) % 10)
