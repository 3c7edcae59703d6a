"""One moment for each reading of a series: stores of history keep one value a millisecond, each another one of two."""

from __future__ import annotations

from carrel.contracts.telemetry import Quantity, Reading
from gateway.instants import instant, microseconds

SERIES_LIMIT = 10_000
"""Series remembered."""
RUNS = 4
"""Runs of milliseconds without a gap that are remembered of each series, so that a clock may go back a little."""
_MS = 1000

_Series = tuple[str, str, Quantity]
_Run = tuple[int, int]


class Moments:
    """Moves a reading that falls into the millisecond of another of its series to the first free one after it.

    A clock that is set back may come again to a millisecond that is forgotten: of two such readings the server keeps
    the first and InfluxDB the last.
    """

    def __init__(self) -> None:
        self._taken: dict[_Series, tuple[_Run, ...]] = {}

    def own(self, reading: Reading) -> Reading:
        """The reading at a moment of its own; mostly as it is."""
        series = (reading.device, reading.zone, reading.quantity)
        wanted = microseconds(reading.at) // _MS
        runs = self._taken.get(series, ())
        ms = _free(wanted, runs)
        if not runs and len(self._taken) >= SERIES_LIMIT:
            self._taken.clear()
        longer = next((run for run in runs if run[1] == ms - 1), None)
        kept = tuple(run for run in runs if run is not longer)[-(RUNS - 1) :]
        self._taken[series] = (*kept, (longer[0] if longer else ms, ms))
        return reading if ms == wanted else reading.model_copy(update={"at": instant(ms * _MS)})


def _free(ms: int, runs: tuple[_Run, ...]) -> int:
    """The first millisecond from `ms` on that is in none of these runs."""
    while (in_the_way := next((last for first, last in runs if first <= ms <= last), None)) is not None:
        ms = in_the_way + 1
    return ms
