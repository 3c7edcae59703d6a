"""Which buckets an export has."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from server.exports.policy import Wanted, windows

HELSINKI = ZoneInfo("Europe/Helsinki")
START = datetime(2026, 3, 1, 12, 2, 30, tzinfo=UTC)


def wanted(resolution: str, days: float) -> Wanted:
    return Wanted(("a",), ("temp",), START, START + timedelta(days=days), resolution)  # type: ignore[arg-type]


def test_pieces_follow_each_other_from_the_edge_before_the_beginning_to_the_end() -> None:
    for resolution, edge in (("5min", START.replace(minute=0, second=0)), ("1h", START.replace(minute=0, second=0))):
        found = list(windows(wanted(resolution, 70.5), HELSINKI, lambda _: 0))
        assert (found[0].start, found[-1].end) == (edge, START + timedelta(days=70.5))
        assert all(a.end == b.start for a, b in pairwise(found))
        assert all(w.end - w.start <= timedelta(days=30) for w in found)


def test_where_finer_rows_have_gone_buckets_are_hours_and_later_ones_are_not() -> None:
    left = START + timedelta(days=2)
    found = list(windows(wanted("5min", 4), HELSINKI, lambda at: 0 if at >= left else 3600))
    assert [w.bucket_s for w in found] == [3600, 3600, 3600, 300, 300]
    assert all(a.end == b.start for a, b in pairwise(found))


def test_the_days_on_which_clocks_change_have_23_and_25_hours() -> None:
    for day, hours in ((datetime(2026, 3, 29, tzinfo=HELSINKI), 23), (datetime(2026, 10, 25, tzinfo=HELSINKI), 25)):
        start = day - timedelta(days=1)
        asked = Wanted(("a",), ("temp",), start, day + timedelta(days=1), "1d")
        found = list(windows(asked, HELSINKI, lambda _: 0))
        assert [w.bucket_s // 3600 for w in found] == [24, hours]
        assert [w.end for w in found] == [found[1].start, asked.end]
