"""Label sheets as PDF, through reportlab. Chinese text is in STSong-Light, a font that viewers and printers bring."""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from server.printing import policy
from server.printing.errors import LabelOverfullError, LabelTooSmallError
from server.printing.policy import Grid, charset, legible, packed, shortened, spine_lines

MM = 72 / 25.4
LATIN, LATIN_BOLD, CHINESE = "Helvetica", "Helvetica-Bold", "STSong-Light"
SPINE_SIZES = (14.0, 12.0, 11.0, 10.0, 9.0, 8.0, 7.0, 6.0)
SMALL = 7.0
LEADING = 1.2
PAD_MM = 2.0
QUIET_MODULES = 20
NARROWEST_MM, WIDEST_MM = 0.19, 0.4
"""Of a bar: narrower ones are not read by common scanners, wider ones only look clumsy."""
LOWEST_MM = 5.0
"""Of the bars: a scanner is hard to aim at lower ones."""


@dataclass(frozen=True, slots=True)
class Label:
    """What a label says."""

    barcode: str
    call_number: str
    title: str


@dataclass(frozen=True, slots=True)
class _Cell:
    """The room for a label on the canvas, in points, margins taken off; `middle` and `bottom` are places."""

    canvas: Any
    middle: float
    bottom: float
    width: float
    height: float

    def centred(self, text: str, above: float) -> None:
        """A line of small letters."""
        said = shortened(legible(text), partial(_fits, SMALL, self.width))
        self.canvas.setFont(_font(said, LATIN), SMALL)
        self.canvas.drawCentredString(self.middle, self.bottom + above, said)


Draw = Callable[[_Cell, Label], None]


def spines(labels: Sequence[Label], grid: Grid, start: int) -> bytes:
    """Spine labels, the first on place `start` (from 0) of the first sheet; raises LabelOverfullError."""
    return _sheets(labels, grid, start, _spine)


def barcodes(labels: Sequence[Label], grid: Grid, start: int, *, library: str) -> bytes:
    """Barcode labels (Code 128) with the library's name and the title; raises LabelTooSmallError."""
    return _sheets(labels, grid, start, partial(_barcode, library))


def _sheets(labels: Sequence[Label], grid: Grid, start: int, draw: Draw) -> bytes:
    file = io.BytesIO()
    canvas = _reportlab("pdfgen.canvas").Canvas(file, pagesize=(210 * MM, 297 * MM), invariant=1)
    canvas.setTitle("Labels")
    sheet = 0
    width, height = (grid.width - 2 * PAD_MM) * MM, (grid.height - 2 * PAD_MM) * MM
    for number, label in enumerate(labels, start):
        on_sheet, left, top = grid.place(number)
        for _ in range(on_sheet - sheet):
            canvas.showPage()
        sheet = on_sheet
        bottom = 297 - top - grid.height + PAD_MM
        draw(_Cell(canvas, (left + grid.width / 2) * MM, bottom * MM, width, height), label)
    canvas.save()
    return file.getvalue()


def _spine(cell: _Cell, label: Label) -> None:
    """In the largest letters with which all its parts fit below each other, or else beside each other."""
    size, lines = _lines(cell, label)
    y = cell.bottom + (cell.height + len(lines) * size * LEADING) / 2
    for line in lines:
        y -= size * LEADING
        cell.canvas.setFont(_font(line, LATIN_BOLD), size)
        cell.canvas.drawString(cell.middle - cell.width / 2, y + size * 0.25, line)


def _lines(cell: _Cell, label: Label) -> tuple[float, list[str]]:
    """The size of the letters, and the lines."""
    for beside in (False, True):
        for size in SPINE_SIZES:
            fits = partial(_fits, size, cell.width)
            lines = spine_lines(label.call_number, fits)
            if beside:
                lines = packed(lines, fits)
            if len(lines) * size * LEADING <= cell.height and all(map(fits, lines)):
                return size, lines
    raise LabelOverfullError(barcode=label.barcode)


def _barcode(library: str, cell: _Cell, label: Label) -> None:
    """From the top: whose it is, the bars, their characters, the title; of low labels bars and characters alone."""
    line = SMALL * LEADING
    low = cell.height < LOWEST_MM * MM + 3 * line + 2
    under = line if low else 2 * line
    room = cell.height - 2 - (line if low else 3 * line)
    if room < LOWEST_MM * MM:
        raise LabelTooSmallError(barcode=label.barcode)
    bars = _bars(label.barcode, cell.width, room)
    bars.drawOn(cell.canvas, cell.middle - bars.width / 2, cell.bottom + under)
    if not low:
        cell.centred(library, cell.height - SMALL)
    cell.centred(label.barcode, under - line + 1)
    if not low:
        cell.centred(label.title, 1)


def _bars(barcode: str, width: float, height: float) -> Any:
    """Bars as wide as the label allows, with the quiet zones that the symbol needs."""
    code128 = _reportlab("graphics.barcode.code128").Code128
    modules = code128(barcode, barWidth=1, quiet=False).width + QUIET_MODULES
    bar = min(width / modules, WIDEST_MM * MM)
    if bar < NARROWEST_MM * MM:
        raise LabelTooSmallError(barcode=barcode)
    return code128(barcode, barWidth=bar, barHeight=height, quiet=False)


def _fits(size: float, width: float, text: str) -> bool:
    return float(_reportlab("pdfbase.pdfmetrics").stringWidth(text, _font(text, LATIN_BOLD), size)) <= width


def _font(text: str, latin: str) -> str:
    """Latin letters look foreign in the Chinese font, so it is taken only where it is needed."""
    return latin if charset(text) == policy.LATIN else _chinese()


@cache
def _chinese() -> str:
    font = _reportlab("pdfbase.cidfonts").UnicodeCIDFont(CHINESE)
    _reportlab("pdfbase.pdfmetrics").registerFont(font)
    return CHINESE


@cache
def _reportlab(module: str) -> Any:
    """Loaded when the first label is printed: it is large, and it has no types."""
    return importlib.import_module(f"reportlab.{module}")
