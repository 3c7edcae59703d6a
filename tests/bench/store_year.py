"""A year of 200 sensors in the embedded store's tables, filled quickly: through sqlite3, in the product's schema.

The last 24 h as raw values every 10 s, the last week in 5 minutes, the year in hours: 3.9 million rows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from server.db import Database
from server.migrations.apply import upgrade

ROOMS, QUANTITIES = 50, ("temp", "rh", "lux", "co2")
SERIES = ROOMS * len(QUANTITIES)
RAW_MS, FIVE_MS, HOUR_MS, DAY_MS = 10_000, 300_000, 3_600_000, 86_400_000


@dataclass(frozen=True, slots=True)
class Grain:
    """A table and what is in it."""

    table: str
    every_ms: int
    days: int

    @property
    def rows_each(self) -> int:
        """Of one series."""
        return self.days * DAY_MS // self.every_ms


RAW = Grain("telemetry_point", RAW_MS, 1)
FIVE_MINUTES = Grain("telemetry_five_minute", FIVE_MS, 7)
HOUR = Grain("telemetry_hour", HOUR_MS, 365)


def make_tables(file: Path) -> None:
    """An empty database of the product."""
    database = Database(make_url(f"sqlite:///{file}"))
    try:
        upgrade(database)
    finally:
        database.close()


def fill(file: Path, end_ms: int) -> int:
    """Everything up to `end_ms`, a whole hour; returns how many rows."""
    make_tables(file)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA synchronous = OFF")  # of the filling only; it is a property of the connection
        connection.executemany("INSERT INTO telemetry_series VALUES (?, ?, ?, ?)", _series())
        heads = ((series, end_ms - RAW_MS, 20.0) for series in range(1, SERIES + 1))
        connection.executemany(f"INSERT INTO telemetry_head VALUES (?, ?, ?{', ?' * 10})", map(_head, heads))
        for grain in (RAW, FIVE_MINUTES, HOUR):
            marks = "?, ?, ?" if grain is RAW else "?, ?, ?, ?, ?, ?"
            for series in range(1, SERIES + 1):
                connection.executemany(f"INSERT INTO {grain.table} VALUES ({marks})", _rows(grain, series, end_ms))
        connection.commit()
    return SERIES * sum(grain.rows_each for grain in (RAW, FIVE_MINUTES, HOUR))


def _series() -> Iterator[tuple[int, str, str, str]]:
    names = ((room, quantity) for room in range(ROOMS) for quantity in QUANTITIES)
    return ((n, f"room-{room}", quantity, f"sensor-{room}") for n, (room, quantity) in enumerate(names, 1))


def _head(newest: tuple[int, int, float]) -> tuple[float, ...]:
    nothing = (-(2**62), 0, 0.0, 0.0, 0.0)
    return (*newest, *nothing, *nothing)


def _rows(grain: Grain, series: int, end_ms: int) -> Iterator[tuple[float, ...]]:
    n = grain.every_ms // RAW_MS
    for row in range(grain.rows_each):
        at = end_ms - (grain.rows_each - row) * grain.every_ms
        value = 20.0 + (row * 7 + series * 13) % 101 / 20
        yield (series, at, value) if grain is RAW else (series, at, n, value - 0.4, value + 0.4, value * n)


def site(folder: Path, port: int) -> Path:
    """A configuration with these rooms and sensors, without broker."""
    lines = ["[server]", f"port = {port}", 'database = "sqlite:///server.db"', "demo = false", "[mqtt]", "port = 1"]
    lines += ["embedded = false"]
    for room in range(ROOMS):
        lines += ["[[room]]", f'id = "room-{room}"', f'name = "Room {room}"']
    for room in range(ROOMS):
        for quantity in QUANTITIES:
            lines += ["[[environment.sensor]]", f'id = "{quantity}-{room}"', f'zone = "room-{room}"']
            lines += [f'metric = "{quantity}"', f'device = "sensor-{room}"']
    config = folder / "config.toml"
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return config
