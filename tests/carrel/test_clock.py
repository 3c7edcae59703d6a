"""The library's own day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from carrel.clock import end_of_day, local_date
from carrel.system_clock import SystemClock

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


def test_the_day_is_that_of_the_library_not_of_greenwich() -> None:
    late = datetime(2026, 3, 1, 16, 30, tzinfo=UTC)
    assert local_date(late, SHANGHAI) == date(2026, 3, 2)
    assert local_date(late, BERLIN) == date(2026, 3, 1)


def test_a_day_ends_with_its_last_second_also_when_clocks_change() -> None:
    assert end_of_day(date(2026, 3, 2), SHANGHAI).astimezone(UTC) == datetime(2026, 3, 2, 15, 59, 59, tzinfo=UTC)
    assert end_of_day(date(2026, 3, 29), BERLIN).astimezone(UTC) == datetime(2026, 3, 29, 21, 59, 59, tzinfo=UTC)
    assert end_of_day(date(2026, 10, 25), BERLIN).astimezone(UTC) == datetime(2026, 10, 25, 22, 59, 59, tzinfo=UTC)
    cairo, apia = ZoneInfo("Africa/Cairo"), ZoneInfo("Pacific/Apia")
    assert end_of_day(date(2026, 10, 29), cairo).astimezone(UTC) == datetime(2026, 10, 29, 21, 59, 59, tzinfo=UTC)
    nuuk = ZoneInfo("America/Nuuk")
    assert end_of_day(date(2026, 3, 28), nuuk).astimezone(UTC) == datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC)
    left_out, after = (end_of_day(date(2011, 12, day), apia).astimezone(UTC) for day in (30, 31))
    assert left_out == after


def test_the_real_clock_is_aware_and_in_utc() -> None:
    now = SystemClock().now()
    assert now.utcoffset() == timedelta(0)
