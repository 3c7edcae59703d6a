"""A report as a table for spreadsheets: one figure a row, the month before beside it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from environment.preservation.zone import Figure
from server.reports.policy import ACTUATOR_UNITS, ROOM_UNITS
from server.reports.service import ActuatorReport, Report, RoomReport

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
    "basis",
    "previous_basis",
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
        yield (room.config.id, "", name, unit, *_cells(room, name))
    for actuator in room.actuators:
        for name, unit in ACTUATOR_UNITS.items():
            yield (room.config.id, actuator.config.id, name, unit, *_cells(actuator, name))


def _cells(one: RoomReport | ActuatorReport, name: str) -> tuple[str, ...]:
    bases = (one.basis, one.basis_before) if name == "energy" else ("", "")
    return (*_cell(one.now[name]), *_cell(one.before[name]), *bases)


def _cell(figure: Figure) -> tuple[str, str]:
    value = "" if figure.value is None else f"{round(figure.value, DIGITS)}"
    return value, f"{figure.coverage * 100:.1f}"
