"""InfluxQL as all of InfluxDB 1, 2 (through a database mapping) and 3 understand it. Pure.

One measurement per quantity with tags branch, gateway, zone, device and one field, value; times in ms.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from server.telemetry.store import Source

FIRST_MS, LAST_MS = -9_223_372_036_853, 9_223_372_036_853
"""What InfluxDB can tell: 64 bits of nanoseconds."""


def identifier(name: str) -> str:
    """A measurement, tag or field name."""
    return f'"{_escaped(name, chr(34))}"'


def string(text: str) -> str:
    """A tag's value."""
    return f"'{_escaped(text, chr(39))}'"


def buckets(branch: str, sources: Sequence[Source], *, start: int, end: int, width: int) -> str:
    """Mean, least, greatest and number of values in buckets of `width` counted from `start`; empty ones left out."""
    figures = ", ".join(f'{name}("value")' for name in ("mean", "min", "max", "count"))
    every = f"GROUP BY time({width}ms, {start % width}ms) fill(none)"
    return f"SELECT {figures} {_from(branch, sources)} AND {_between(start, end)} {every}"


def values(branch: str, source: Source, *, start: int, end: int, limit: int) -> str:
    """The first values of start <= time < end."""
    return f'SELECT "value" {_from(branch, [source])} AND {_between(start, end)} ORDER BY time ASC LIMIT {limit}'


def before(branch: str, source: Source, at: int) -> str:
    """The last value before."""
    return f'SELECT "value" {_from(branch, [source])} AND {_between(FIRST_MS, at)} ORDER BY time DESC LIMIT 1'


def _from(branch: str, sources: Iterable[Source]) -> str:
    measurements = sorted({source.quantity.value for source in sources})
    places = sorted({(source.zone, source.device) for source in sources})
    where = " OR ".join(f'("zone" = {string(zone)} AND "device" = {string(device)})' for zone, device in places)
    return f'FROM {", ".join(map(identifier, measurements))} WHERE "branch" = {string(branch)} AND ({where})'


def _between(start: int, end: int) -> str:
    first, last = (min(max(ms, FIRST_MS), LAST_MS) for ms in (start, end))
    return f"time >= {first}ms AND time < {last}ms"


def _escaped(text: str, quote: str) -> str:
    return text.replace("\\", "\\\\").replace(quote, "\\" + quote).replace("\n", "\\n")
