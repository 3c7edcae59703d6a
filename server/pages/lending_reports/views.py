"""A circulation report as the page shows it: cells in words, and a plot of its first figure beside last year's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Literal

from carrel.web.i18n import Words
from server.lending.names import Names
from server.lending_reports.policy import OTHER, Cell, Column, Kind, Report
from server.pages.lending_reports import words as report_words

STEP, BAR, HEIGHT = 10, 6, 100
"""A plot's own units: the width of a day, of its bar, and the height of the greatest value."""
HIDDEN = {"record"}
DECIMALS: Mapping[Kind, int] = {"count": 0, "money": 2, "ratio": 2}


@dataclass(frozen=True, slots=True)
class Head:
    """A column's heading; `last_year` when it belongs to the year before."""

    label: str
    numeric: bool
    last_year: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A cell in words; `href` where there is a page about it; `share` (0..100) where a bar is drawn; a date stays in
    one line."""

    text: str
    numeric: bool
    href: str = ""
    share: float | None = None
    date: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of this year; x, y and height in a plot's own units."""

    x: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Plot:
    """Bars of this year and the line of last year; `said` tells it to who cannot see it."""

    name: str
    bars: tuple[Bar, ...]
    line: str
    width: int
    top: str
    first: str
    last: str
    said: str


def heads(words: Words, report: Report) -> list[Head]:
    """The headings of the columns that are shown."""
    return [
        Head(_label(words, column.name), column.kind in DECIMALS, column.name.endswith(report_words.LAST_YEAR))
        for column in report.columns
        if column.name not in HIDDEN
    ]


def rows(words: Words, report: Report, names: Names) -> list[list[Shown]]:
    """Every row; `names` tells what its codes stand for."""
    greatest = max((_size(row[1]) for row in report.rows), default=0) if report.by in ("class", "branch", "type") else 0
    return [_row(words, report, row, names=names, greatest=greatest) for row in report.rows]


def is_empty(report: Report) -> bool:
    """Whether there is nothing to show: no rows, or days on which nothing happened."""
    figures = [cell for row in report.rows for cell in row[1:]] if report.by else list(report.rows)
    return not any(figures)


def plot(words: Words, report: Report) -> Plot | None:
    """Of a report by day or month."""
    if report.by not in ("day", "month") or len(report.rows) < 2:
        return None
    index = 1 if report.name == "circulation" else 3  # fees: what was paid
    column = report.columns[index]
    now, before = ([_size(row[place]) for row in report.rows] for place in (index, index + 1))
    greatest = max(*now, *before) or 1.0
    days = [row[0] for row in report.rows]
    heights = [HEIGHT * value / greatest for value in now]
    line = " ".join(
        f"{n * STEP + STEP / 2:g},{HEIGHT - HEIGHT * value / greatest:.2f}" for n, value in enumerate(before)
    )
    return Plot(
        name=_label(words, column.name),
        bars=tuple(
            Bar(n * STEP + (STEP - BAR) / 2, round(HEIGHT - height, 2), round(height, 2))
            for n, height in enumerate(heights)
        ),
        line=line,
        width=STEP * len(now),
        top=_number(words, column.kind, greatest),
        first=_text(words, days[0], report),
        last=_text(words, days[-1], report),
        said=words.gettext(
            "%(name)s: %(sum)s in all, at most %(most)s on %(day)s. In the year before: %(before)s in all.",
            name=_label(words, column.name),
            sum=_number(words, column.kind, sum(now)),
            most=_number(words, column.kind, max(now)),
            day=_text(words, days[now.index(max(now))], report),
            before=_number(words, column.kind, sum(before)),
        ),
    )


def moment_of(words: Words, day: date, style: Literal["date", "month"] = "date") -> str:
    """A day of the library in words."""
    return words.moment(datetime.combine(day, time(12), words.zone), style)


def _row(words: Words, report: Report, row: tuple[Cell, ...], *, names: Names, greatest: float) -> list[Shown]:
    told = {"class": names.patron_class, "branch": names.branch, "type": names.item_type}
    record = row[0] if report.columns[0].name == "record" else None
    shown = []
    for column, cell in zip(report.columns, row, strict=True):
        if column.name in HIDDEN:
            continue
        text = told[column.name](cell) if column.name in told and isinstance(cell, str) else cell
        share = 100 * _size(cell) / greatest if greatest and column.name == "loans" else None
        href = f"/titles/{record}" if record is not None and column.name == "title" else ""
        said = _said(words, column, text, report)
        shown.append(Shown(said, column.kind in DECIMALS, href, share, isinstance(cell, date)))
    return shown


def _said(words: Words, column: Column, cell: Cell, report: Report) -> str:
    if cell == OTHER:
        return words.gettext(report_words.OTHERS)
    if column.name == "group_basis":
        return words.gettext(report_words.BASES[str(cell)])
    if cell is None:
        missing = {"last_lent": report_words.NEVER, "holds_per_copy": report_words.NO_COPY}.get(column.name)
        return words.gettext(missing) if missing else "–"
    return _number(words, column.kind, _size(cell)) if column.kind in DECIMALS else _text(words, cell, report)


def _text(words: Words, cell: Cell, report: Report) -> str:
    return moment_of(words, cell, "month" if report.by == "month" else "date") if isinstance(cell, date) else str(cell)


def _number(words: Words, kind: Kind, value: float) -> str:
    return words.number(value, DECIMALS[kind])


def _label(words: Words, name: str) -> str:
    label = words.gettext(report_words.COLUMNS[name.removesuffix(report_words.LAST_YEAR)])
    return words.gettext("%(figure)s, year before", figure=label) if name.endswith(report_words.LAST_YEAR) else label


def _size(cell: Cell) -> float:
    return float(cell) if isinstance(cell, int | Decimal) else 0.0
