"""Daily time windows in the library's local time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Window:
    """[start, end) in minutes after local midnight; start > end crosses midnight and belongs to the day it began."""

    start_min: int
    end_min: int
    days: frozenset[int]

    def contains(self, local: datetime) -> bool:
        """Whether the local wall-clock time lies in the window."""
        minute, day = local.hour * 60 + local.minute, local.weekday()
        if self.start_min < self.end_min:
            return day in self.days and self.start_min <= minute < self.end_min
        if minute >= self.start_min:
            return day in self.days
        return minute < self.end_min and (day - 1) % 7 in self.days


def window(start: str, end: str, days: tuple[str, ...]) -> Window:
    """Build a window from "HH:MM" texts (end may be "24:00") and day names of DAYS."""
    return Window(_minutes(start), _minutes(end), frozenset(DAYS.index(day) for day in days))


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)
