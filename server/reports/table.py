"""A report as a table for spreadsheets: one figure a row, the month before beside it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping

from environment.preservation.zone import Figure
from server.reports.policy import ACTUATOR_UNITS, ROOM_UNITS
from server.reports.service import Report, RoomReport

HEAD = (
    "month",
    "room",
    "actuator",
    "figure",
    "unit",
    "value",
    "coverage_percent",
    "previous_value",
    "previous_coverage_percent",
)
DIGITS = 6


def to_csv(report: Report) -> str:
    """RFC 4180; an unknown value is empty, never 0."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEAD)
    month = str(report.now.month)
    for room in report.rooms:
        writer.writerows((month, *row) for row in _rows(room))
    return text.getvalue()


def _rows(room: RoomReport) -> Iterator[tuple[str, ...]]:
    for name, unit in ROOM_UNITS.items():
        yield (room.config.id, "", name, unit, *_cells(room.now, room.before, name))
    for actuator in room.actuators:
        for name, unit in ACTUATOR_UNITS.items():
            yield (room.config.id, actuator.config.id, name, unit, *_cells(actuator.now, actuator.before, name))


def _cells(now: Mapping[str, Figure], before: Mapping[str, Figure], name: str) -> tuple[str, ...]:
    return (*_cell(now[name]), *_cell(before[name]))


def _cell(figure: Figure) -> tuple[str, str]:
    value = "" if figure.value is None else f"{round(figure.value, DIGITS)}"
    return value, f"{figure.coverage * 100:.1f}"
