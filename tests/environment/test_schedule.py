from datetime import datetime

import pytest

from environment.schedule import DAYS, window

MONDAY = 5  # 2026-01-05 is a Monday


def at(day: int, text: str) -> datetime:
    return datetime.fromisoformat(f"2026-01-{day:02d}T{text}")


@pytest.mark.parametrize(
    ("text", "inside"), [("05:59:59", False), ("06:00", True), ("21:59:59", True), ("22:00", False)]
)
def test_a_day_window_holds_its_start_but_not_its_end(text, inside):
    assert window("06:00", "22:00", DAYS).contains(at(MONDAY, text)) is inside


def test_a_window_holds_only_on_its_days():
    weekdays = window("06:00", "22:00", DAYS[:5])
    assert weekdays.contains(at(MONDAY + 4, "12:00"))
    assert not weekdays.contains(at(MONDAY + 5, "12:00"))


def test_a_night_window_belongs_to_the_day_it_began():
    sunday_night = window("22:00", "06:00", ("sun",))
    assert sunday_night.contains(at(MONDAY - 1, "23:00"))
    assert sunday_night.contains(at(MONDAY, "05:59"))
    assert not sunday_night.contains(at(MONDAY, "06:00"))
    assert not sunday_night.contains(at(MONDAY, "23:00"))
    assert not sunday_night.contains(at(MONDAY - 1, "05:00"))


def test_a_window_to_midnight_ends_with_the_day():
    assert window("00:00", "24:00", ("mon",)).contains(at(MONDAY, "23:59:59"))
    assert not window("00:00", "24:00", ("mon",)).contains(at(MONDAY + 1, "00:00"))
