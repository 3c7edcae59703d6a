"""What a month is judged by. Pure; an hour is the grain of a room's climate."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from environment.preservation.zone import Figure
from environment.schedule import Window

HOUR: Final = timedelta(hours=1)
MEAN_H: Final = 24
MEAN_KNOWN_H: Final = 12
"""Of the 24 hours of a running mean, so many must be known for a deviation from it to count."""
SEASON_H: Final = 30 * 24
YEAR_H: Final = 365 * 24
KNOWN_LEAST: Final = 0.5
"""Of 30 days or of a year, so much must be known for its mean to count."""
LOOK_MIN: Final = 5
"""Opening hours are told apart to this many minutes."""
FIRST_YEAR: Final = 1971
UNKNOWN: Final = Figure(None, 0.0)

ROOM_UNITS: Final[Mapping[str, str]] = {
    "temp_in_band": "%",
    "rh_in_band": "%",
    "both_in_band": "%",
    "temp_in_band_open": "%",
    "rh_in_band_open": "%",
    "both_in_band_open": "%",
    "temp_deviation": "K",
    "rh_deviation": "%",
    "temp_season": "K",
    "rh_season": "%",
    "energy": "kWh",
    "twpi": "years",
    "emc": "%",
    "mould_index": "",
    "mould_hours": "h",
    "light_dose": "lx·h",
    "light_year": "lx·h",
    "light_year_end": "lx·h",
}
"""The figures of a room and their units, in the order they are told."""
ACTUATOR_UNITS: Final[Mapping[str, str]] = {"running": "h", "energy": "kWh", "switches_per_day": "1/d"}
"""The figures of an actuator. `running` is hours at full output: half output counts half."""

Values = Sequence[float | None]
"""One mean an hour; None is unknown."""
Band = tuple[float, float]


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month of the library."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    @property
    def previous(self) -> Month:
        """The month before."""
        return Month(self.year, self.number - 1) if self.number > 1 else Month(self.year - 1, 12)

    @property
    def following(self) -> Month:
        """The month after."""
        return Month(self.year, self.number + 1) if self.number < 12 else Month(self.year + 1, 1)

    def start(self, zone: ZoneInfo) -> datetime:
        """Its first instant, in UTC."""
        return datetime.combine(date(self.year, self.number, 1), datetime.min.time(), zone).astimezone(UTC)

    def year_start(self, zone: ZoneInfo) -> datetime:
        """The first instant of its year, in UTC."""
        return Month(self.year, 1).start(zone)


@dataclass(frozen=True, slots=True)
class Period:
    """The whole hours of a month that are over; `complete` when the month is."""

    month: Month
    start: datetime
    hours: int
    complete: bool

    @property
    def end(self) -> datetime:
        """The first instant that no longer belongs to it."""
        return self.start + self.hours * HOUR


def parse_month(text: str) -> Month | None:
    """Of a text such as 2026-11; None when it is none."""
    found = re.fullmatch(r"([0-9]{4})-(0[1-9]|1[0-2])", text)
    if found is None or not FIRST_YEAR <= int(found[1]) <= 9998:
        return None
    return Month(int(found[1]), int(found[2]))


def month_of(at: datetime, zone: ZoneInfo) -> Month:
    """The library's month at an instant."""
    local = at.astimezone(zone)
    return Month(local.year, local.month)


def period_of(month: Month, now: datetime, zone: ZoneInfo) -> Period:
    """The part of a month that is over."""
    start, following = month.start(zone), month.following.start(zone)
    end = min(following, max(start, now))
    return Period(month, start, (end - start) // HOUR, now >= following)


def open_shares(period: Period, opening: Sequence[Window], zone: ZoneInfo) -> list[float]:
    """For each hour of the period the share of it (0..1) in which the library is open, to 5 minutes."""
    looks = 60 // LOOK_MIN
    return [
        sum(
            any(window.contains((at + look * timedelta(minutes=LOOK_MIN)).astimezone(zone)) for window in opening)
            for look in range(looks)
        )
        / looks
        for at in (period.start + hour * HOUR for hour in range(period.hours))
    ]


def in_band(series: Sequence[Values], bands: Sequence[Band | None], weights: Sequence[float]) -> Figure:
    """Per cent of the known time in which every series lies in its band; unknown without bands."""
    if not bands or None in bands:
        return UNKNOWN
    known = inside = 0.0
    for values, weight in zip(zip(*series, strict=True), weights, strict=True):
        if None not in values:
            known += weight
            inside += weight * all(
                band[0] <= value <= band[1]
                for band, value in zip(bands, values, strict=True)
                if band is not None and value is not None
            )
    return Figure(100.0 * inside / known, known / sum(weights)) if known else UNKNOWN


def largest_deviation(values: Values, first: int) -> Figure:
    """The largest distance of an hour, from number `first` on, from the mean of the 24 hours that end with it."""
    largest, judged = 0.0, 0
    for hour in range(first, len(values)):
        value = values[hour]
        day = [known for known in values[max(0, hour + 1 - MEAN_H) : hour + 1] if known is not None]
        if value is not None and len(day) >= MEAN_KNOWN_H:
            largest = max(largest, abs(value - sum(day) / len(day)))
            judged += 1
    return Figure(largest, judged / (len(values) - first)) if judged else UNKNOWN


def largest_season(values: Values, first: int) -> Figure:
    """The largest distance of a mean of 30 days, from that which ends with hour `first` on, from that of the year that
    ends with the last hour."""
    sums, counts = [0.0], [0]
    for value in values:
        sums.append(sums[-1] + (value or 0.0))
        counts.append(counts[-1] + (value is not None))

    def mean(end: int, hours: int) -> float | None:
        begin = max(0, end - hours)
        known = counts[end] - counts[begin]
        return (sums[end] - sums[begin]) / known if known >= KNOWN_LEAST * hours else None

    year = mean(len(values), YEAR_H)
    means = [mean(hour + 1, SEASON_H) for hour in range(first, len(values))]
    judged = [month for month in means if month is not None]
    if year is None or not judged:
        return UNKNOWN
    known_of_year = (counts[-1] - counts[max(0, len(values) - YEAR_H)]) / YEAR_H
    return Figure(max(abs(month - year) for month in judged), min(len(judged) / len(means), known_of_year))


def together(parts: Sequence[Figure]) -> Figure:
    """The sum of what is known, known as far as the least known part."""
    known = [part.value for part in parts if part.value is not None]
    return Figure(sum(known), min(part.coverage for part in parts)) if known else UNKNOWN
