"""An import's report as CSV: one line for each thing that is wrong, with what it means and what to do."""

from __future__ import annotations

import csv
from typing import TextIO

from sqlalchemy.orm import Session

from server.catalogue.imports import repository
from server.catalogue.imports.service import Import
from server.catalogue.marc.problems import WORDS, Language

COLUMNS = ("record", "byte", "control_number", "taken_over", "code", "detail", "what_is_wrong", "what_to_do")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(session: Session, job: Import, file: TextIO, language: Language) -> int:
    """The lines; returns how many. Cells that a spreadsheet would take for formulas get an apostrophe before them."""
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    count = 0
    for line in repository.problems(session, job.id):
        what, to_do = WORDS[line.code].said(language)
        taken = "no" if line.fatal else "yes"
        cells = (line.number, line.offset, line.control_number, taken, line.code, line.detail, what, to_do)
        writer.writerow([_plain(cell) for cell in cells])
        count += 1
    return count


def _plain(cell: str | int) -> str | int:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
