"""What a report is and what it may tell. Pure.

A report is a table. It never crosses two groupings, so that no cell gets smaller than its row; a class of patrons or a
branch with few people behind it is told together with others.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo

from server.db import QUARTER_S

Name = Literal["circulation", "top-titles", "dead-stock", "hold-ratio", "fees"]
By = Literal["day", "month", "class", "branch", "type"]
Kind = Literal["text", "count", "money", "ratio", "date"]
Cell = str | int | Decimal | date | None

NAMES: Final[tuple[str, ...]] = get_args(Name)
MOST_DAYS: Final = 366
OTHER: Final = "*other"
"""Stands for what is told together; no class or branch is called so."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column's name in files, and what its cells are; money has 2 places, dates are the library's."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Span:
    """Days of the library, both ends among them."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1

    @property
    def year_before(self) -> Span:
        """The same days a year earlier; for 29 February the 28th."""
        return Span(_moved(self.first, -1), _moved(self.last, -1))

    def start(self, zone: ZoneInfo) -> datetime:
        """Its first instant, in UTC."""
        return _midnight(self.first, zone)

    def end(self, zone: ZoneInfo) -> datetime:
        """The first instant after it, in UTC."""
        return _midnight(self.last + timedelta(days=1), zone)


@dataclass(frozen=True, slots=True)
class Report:
    """A report as a table; `total` is how many rows there are in all, `group_least` what small groups were judged by.

    `span` is None where the report tells of the present.
    """

    name: str
    columns: tuple[Column, ...]
    rows: Sequence[tuple[Cell, ...]]
    total: int
    group_least: int
    span: Span | None = None
    by: By | None = None
    currency: str | None = None


def day_of(quarter: int, zone: ZoneInfo) -> date:
    """The library's day in which a quarter of an hour since 1970 lies."""
    return datetime.fromtimestamp(quarter * QUARTER_S, UTC).astimezone(zone).date()


def bucket_of(day: date, by: By) -> date:
    """The day itself, or the first of its month."""
    return day.replace(day=1) if by == "month" else day


def buckets(span: Span, by: By) -> list[date]:
    """Every day or every month of a time, in order."""
    days = (span.first + timedelta(days=number) for number in range(span.days))
    return list(dict.fromkeys(bucket_of(day, by) for day in days))


def year_later(day: date) -> date:
    """The day beside which one of last year is told; 29 February is told with the 28th."""
    return _moved(day, 1)


def months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or the last one of a month that is shorter."""
    count = day.year * 12 + day.month - 1 - months
    year, month = divmod(count, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def counted(quarters: Mapping[int, int], zone: ZoneInfo, by: By, *, last_year: bool = False) -> dict[date, int]:
    """Quarters of an hour as days or months, those of last year as the ones they are told beside."""
    sums: dict[date, int] = {}
    for quarter, count in quarters.items():
        day = day_of(quarter, zone)
        bucket = bucket_of(year_later(day) if last_year else day, by)
        sums[bucket] = sums.get(bucket, 0) + count
    return sums


def together(sizes: Mapping[str, Iterable[int]], least: int) -> frozenset[str]:
    """The groups that are told as one: each with fewer than `least` people behind any figure of a period.

    `sizes` are a group's people in each period, 0 where nothing happened. So that the one group that is left out
    cannot be told from the rest, the next smallest joins it until `least` people are together.
    """
    known = {group: [size for size in several if size] for group, several in sizes.items()}
    ordered = sorted(known, key=lambda group: (min(known[group], default=0), group))
    small = [group for group in ordered if known[group] and min(known[group]) < least]
    if not small:
        return frozenset()
    for group in ordered:
        if len(small) > 1 and sum(min(known[one]) for one in small) >= least:
            break
        if group not in small and known[group]:
            small.append(group)
    return frozenset(small)


def ratio(waiting: int, copies: int) -> Decimal | None:
    """How many wait for each copy; None where there is none to wait for."""
    return (Decimal(waiting) / copies).quantize(Decimal("0.01")) if copies else None


def _moved(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, datetime.min.time(), zone).astimezone(UTC)
