"""A report as CSV (RFC 4180). Cells that a spreadsheet would take for formulas get an apostrophe before them."""

from __future__ import annotations

import csv
import io
from datetime import date

from server.lending_reports.policy import Cell, Report

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def to_csv(report: Report) -> str:
    """Head and rows; what is unknown is empty, never 0."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(column.name for column in report.columns)
    writer.writerows([plain(cell) for cell in row] for row in report.rows)
    return text.getvalue()


def plain(cell: Cell) -> str:
    """A cell as text that no spreadsheet program takes for a formula."""
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, str) and cell.lstrip(" ").startswith(_FORMULA):
        return f"'{cell}"
    return "" if cell is None else str(cell)
