"""Labels for copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from unicodedata import normalize

from sqlalchemy.orm import Session

from server.catalogue import service as catalogue
from server.printing import pdf
from server.printing.errors import (
    LabelEmptyError,
    LabelGridError,
    LabelLettersError,
    LabelStartError,
    UnknownItemsError,
)
from server.printing.policy import Grid, charset

Kind = Literal["spine", "barcode"]
NAMED = 20
"""Copies in a refusal."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Labels of copies in this order, the first on place `start` of the sheet, counted from 1."""

    kind: Kind
    barcodes: tuple[str, ...]
    grid: Grid
    start: int


def labels(session: Session, barcodes: Sequence[str]) -> list[pdf.Label]:
    """What the labels say; raises UnknownItemsError."""
    items = catalogue.items_by_barcode(session, barcodes)
    unknown = [barcode for barcode in dict.fromkeys(barcodes) if barcode not in items]
    if unknown:
        raise UnknownItemsError(barcodes=", ".join(unknown[:NAMED]))
    return [pdf.Label(code, normalize("NFC", items[code].call_number), items[code].title) for code in barcodes]


def sheets(session: Session, wanted: Wanted, *, library: str) -> bytes:
    """The PDF; raises LabelGridError, LabelStartError, UnknownItemsError, LabelEmptyError, LabelLettersError,
    LabelOverfullError, LabelTooSmallError."""
    if not wanted.grid.fits:
        raise LabelGridError
    if wanted.start > wanted.grid.labels:
        raise LabelStartError(labels=wanted.grid.labels)
    found = labels(session, wanted.barcodes)
    if wanted.kind == "spine":
        empty = [one.barcode for one in found if not one.call_number.strip()]
        if empty:
            raise LabelEmptyError(copies=", ".join(empty[:NAMED]))
        foreign = [f"{one.barcode} ({one.call_number})" for one in found if charset(one.call_number) is None]
        if foreign:
            raise LabelLettersError(copies=", ".join(foreign[:NAMED]))
        return pdf.spines(found, wanted.grid, wanted.start - 1)
    return pdf.barcodes(found, wanted.grid, wanted.start - 1, library=library)
