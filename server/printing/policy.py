"""Where labels lie on a sheet, and how a call number is broken into a spine's lines. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

A4_MM = (210.0, 297.0)

_PARTS = re.compile(r"[\s/]+")
_LETTERS_FIRST = re.compile(r"^([A-Z]{1,3})([0-9][0-9.]*)$")
_BREAK_AFTER = re.compile(r"(?<=[.\-=:;,，、])|(?=\()")


@dataclass(frozen=True, slots=True)
class Grid:
    """Labels on a sheet of A4, lengths in mm; `left` and `top` are the sheet's margins."""

    columns: int
    rows: int
    width: float
    height: float
    left: float = 0.0
    top: float = 0.0
    gap_x: float = 0.0
    gap_y: float = 0.0

    @property
    def labels(self) -> int:
        """How many lie on a sheet."""
        return self.columns * self.rows

    @property
    def fits(self) -> bool:
        """Whether the labels lie on the sheet."""
        wide = self.left + self.columns * self.width + (self.columns - 1) * self.gap_x
        high = self.top + self.rows * self.height + (self.rows - 1) * self.gap_y
        return wide <= A4_MM[0] + 0.5 and high <= A4_MM[1] + 0.5

    def place(self, number: int) -> tuple[int, float, float]:
        """(sheet, from the left, from the top) of a label's corner; both count from 0, row by row."""
        sheet, on_sheet = divmod(number, self.labels)
        row, column = divmod(on_sheet, self.columns)
        return sheet, self.left + column * (self.width + self.gap_x), self.top + row * (self.height + self.gap_y)


GRIDS = {
    "24": Grid(3, 8, 70.0, 37.0, top=0.5),
    "40": Grid(4, 10, 52.5, 29.7),
    "65": Grid(5, 13, 38.1, 21.2, left=4.75, top=10.7, gap_x=2.5),
}
"""Sheets that every stationer has, by the number of labels."""


LATIN, CHINESE = "latin-1", "gbk"
"""Character sets of the fonts: nobody sees letters that are in neither."""


def charset(text: str) -> str | None:
    """Which of them has all letters of a text; Latin where both do. None: it cannot be printed."""
    for name in (LATIN, CHINESE):
        try:
            text.replace("…", "").encode(name)
        except UnicodeEncodeError:
            continue
        return name
    return None


def legible(text: str) -> str:
    """A title as far as it can be printed: letters without their marks where need be, nothing of another script."""
    composed = unicodedata.normalize("NFC", text)
    bare = "".join(one for one in unicodedata.normalize("NFD", text) if not unicodedata.combining(one))
    return next((one for one in (composed, bare) if charset(one)), "")


def spine_lines(call_number: str, fits: Callable[[str], bool]) -> list[str]:
    """A call number as a spine shows it: its parts below each other, those that are too wide broken where they may.

    `I242.47/1` is two lines, `QA76.73 .P98 B43 2018` four; a part is broken behind a full stop or before a bracket,
    at last between any two characters.
    """
    lines: list[str] = []
    for part in _PARTS.split(unicodedata.normalize("NFC", call_number).strip()):
        if part:
            lines += _broken(part, fits)
    return lines


def _broken(part: str, fits: Callable[[str], bool]) -> list[str]:
    if fits(part):
        return [part]
    letters = _LETTERS_FIRST.match(part)
    pieces = [letters[1], letters[2]] if letters else [piece for piece in _BREAK_AFTER.split(part) if piece]
    lines = [""]
    for piece in pieces if all(map(fits, pieces)) else part:
        if lines[-1] and not fits(lines[-1] + piece):
            lines.append("")
        lines[-1] += piece
    return lines


def packed(lines: list[str], fits: Callable[[str], bool]) -> list[str]:
    """As many lines of a spine beside each other as there is room for, with blanks between them."""
    found: list[str] = []
    for line in lines:
        if found and fits(f"{found[-1]} {line}"):
            found[-1] += f" {line}"
        else:
            found.append(line)
    return found


def shortened(text: str, fits: Callable[[str], bool]) -> str:
    """A text cut so that it fits, with an ellipsis where it was cut."""
    if fits(text):
        return text
    for length in range(len(text), 0, -1):
        if fits(text[:length] + "…"):
            return text[:length] + "…"
    return ""
