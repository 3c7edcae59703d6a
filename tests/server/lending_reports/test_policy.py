"""What a report is reckoned by: days, years, and who is told together."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from server.lending_reports import policy
from server.lending_reports.policy import Span

SHANGHAI, KATHMANDU, BERLIN = (ZoneInfo(name) for name in ("Asia/Shanghai", "Asia/Kathmandu", "Europe/Berlin"))


def quarter(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp()) // policy.QUARTER_S


def test_days_are_those_of_the_library() -> None:
    span = Span(date(2026, 3, 1), date(2026, 3, 2))
    assert span.start(SHANGHAI) == datetime(2026, 2, 28, 16, tzinfo=UTC)
    assert span.end(SHANGHAI) == datetime(2026, 3, 2, 16, tzinfo=UTC)
    assert span.days == 2


def test_a_day_begins_at_its_own_midnight_even_when_it_is_a_quarter_past() -> None:
    assert policy.day_of(quarter(2026, 3, 1, 18, 0), KATHMANDU) == date(2026, 3, 1)
    assert policy.day_of(quarter(2026, 3, 1, 18, 15), KATHMANDU) == date(2026, 3, 2)


def test_a_day_of_25_hours_is_one_day() -> None:
    counts = {quarter(2026, 10, 24, 22, 0): 1, quarter(2026, 10, 25, 22, 45): 2, quarter(2026, 10, 25, 23, 0): 4}
    assert policy.counted(counts, BERLIN, "day") == {date(2026, 10, 25): 3, date(2026, 10, 26): 4}


@pytest.mark.parametrize(
    ("span", "before"),
    [
        (("2026-03-01", "2026-03-31"), ("2025-03-01", "2025-03-31")),
        (("2028-02-01", "2028-02-29"), ("2027-02-01", "2027-02-28")),
        (("2029-01-01", "2029-12-31"), ("2028-01-01", "2028-12-31")),
    ],
)
def test_last_year_is_the_same_days(span: tuple[str, str], before: tuple[str, str]) -> None:
    first, last = map(date.fromisoformat, span)
    assert Span(first, last).year_before == Span(*map(date.fromisoformat, before))


def test_a_29th_of_february_last_year_is_told_beside_the_28th() -> None:
    counts = {quarter(2028, 2, 28, 4, 0): 1, quarter(2028, 2, 29, 4, 0): 2}
    assert policy.counted(counts, SHANGHAI, "day", last_year=True) == {date(2029, 2, 28): 3}


def test_buckets_are_every_day_or_every_month() -> None:
    span = Span(date(2025, 12, 30), date(2026, 2, 1))
    assert len(policy.buckets(span, "day")) == 34
    assert policy.buckets(span, "month") == [date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1)]


@pytest.mark.parametrize(
    ("day", "months", "before"),
    [("2026-03-31", 1, "2026-02-28"), ("2026-03-02", 24, "2024-03-02"), ("2026-01-15", 1, "2025-12-15")],
)
def test_months_are_counted_back(day: str, months: int, before: str) -> None:
    assert policy.months_before(date.fromisoformat(day), months) == date.fromisoformat(before)


@pytest.mark.parametrize(
    ("sizes", "told_together"),
    [
        ({"adult": (50, 40), "child": (20, 9)}, set()),
        ({"adult": (50, 40), "child": (20, 9), "staff": (2, 3)}, {"staff", "child"}),
        ({"adult": (50, 40), "child": (20, 9), "staff": (4, 4), "guest": (3, 0)}, {"staff", "guest"}),
        ({"adult": (50, 40), "child": (20, 4)}, {"child", "adult"}),
        ({"staff": (2, 0)}, {"staff"}),
        ({}, set()),
    ],
)
def test_a_small_group_is_told_with_others_and_never_alone(sizes: dict, told_together: set) -> None:
    assert policy.together(sizes, 5) == told_together


def test_holds_per_copy() -> None:
    assert policy.ratio(5, 2) == Decimal("2.50")
    assert policy.ratio(5, 0) is None
