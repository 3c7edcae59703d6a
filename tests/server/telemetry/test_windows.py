"""Which rows answer which question."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.telemetry.store import Window
from server.telemetry.windows import FIVE_MINUTES, HOUR, RAW, Slice, cut, edge_before, fit, to_ms, to_time

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
ODD = NOON + timedelta(minutes=7, seconds=30)

moments = st.timedeltas(-2000 * DAY, 2000 * DAY).map(lambda off: NOON + off)
spans = st.timedeltas(timedelta(milliseconds=1), timedelta(days=400))


def ms(minutes: float) -> int:
    return to_ms(NOON + minutes * MINUTE)


class TestFit:
    @pytest.mark.parametrize(
        ("span", "buckets", "width_s"),
        [
            (timedelta(minutes=4), 2, 120),
            (DAY, 1000, 87),
            (DAY, 288, 300),
            (DAY, 200, 600),
            (7 * DAY, 288, 2100),
            (30 * DAY, 366, 7200),
            (365 * DAY, 1000, 32400),
            (timedelta(milliseconds=1), 1000, 1),
        ],
    )
    def test_narrow_buckets_are_of_any_seconds_and_wide_ones_of_whole_5_minutes_or_hours(
        self, span: timedelta, buckets: int, width_s: int
    ) -> None:
        assert fit(NOON, NOON + span, buckets, finest_s=0) == Window(NOON, NOON + span, width_s)

    def test_wide_buckets_begin_at_an_edge_and_narrow_ones_where_asked(self) -> None:
        assert fit(ODD, ODD + DAY, 1000, finest_s=0).start == ODD
        assert fit(ODD, ODD + DAY, 288, finest_s=0).start == NOON + 5 * MINUTE
        assert fit(ODD, ODD + 30 * DAY, 288, finest_s=0).start == NOON

    def test_no_bucket_is_narrower_than_the_rows_that_are_left(self) -> None:
        assert fit(ODD, ODD + MINUTE, 10, finest_s=300) == Window(NOON + 5 * MINUTE, ODD + MINUTE, 300)
        assert fit(ODD, ODD + DAY, 288, finest_s=3600) == Window(NOON, ODD + DAY, 3600)

    @given(moments, spans, st.integers(1, 1000), st.sampled_from([0, 300, 3600]))
    def test_it_holds_what_was_asked_in_few_enough_buckets(
        self, start: datetime, span: timedelta, buckets: int, finest_s: int
    ) -> None:
        window = fit(start, start + span, buckets, finest_s=finest_s)
        assert window.start <= start < window.end == start + span
        assert start - window.start < timedelta(hours=1)
        count = -((window.start - window.end) // timedelta(seconds=window.bucket_s))
        assert count <= min(buckets + 1, 1000)


class TestCut:
    def test_whole_hours_come_from_hours_and_the_rest_from_finer_rows(self) -> None:
        window = Window(NOON, NOON + 127 * MINUTE, 3600)
        assert cut(window, {}) == [
            Slice(HOUR, ms(0), ms(120)),
            Slice(FIVE_MINUTES, ms(120), ms(125)),
            Slice(RAW, ms(125), ms(127)),
        ]

    def test_rows_are_never_coarser_than_the_buckets(self) -> None:
        assert cut(Window(NOON, NOON + DAY, 301), {}) == [Slice(RAW, ms(0), ms(1440))]
        assert cut(Window(NOON + MINUTE, NOON + DAY, 300), {}) == [Slice(RAW, ms(1), ms(1440))]
        assert cut(Window(NOON + 5 * MINUTE, NOON + DAY, 3600), {})[0].grain == FIVE_MINUTES

    def test_the_end_is_rounded_up_to_a_whole_row_where_finer_ones_have_gone(self) -> None:
        window = Window(NOON, NOON + 127 * MINUTE, 3600)
        assert cut(window, {RAW: ms(126)}) == [Slice(HOUR, ms(0), ms(120)), Slice(FIVE_MINUTES, ms(120), ms(127))]
        assert cut(window, {RAW: ms(500), FIVE_MINUTES: ms(500)}) == [Slice(HOUR, ms(0), ms(127))]

    def test_where_finer_rows_than_the_buckets_have_gone_coarser_ones_answer(self) -> None:
        window = Window(NOON, NOON + DAY, 60)
        assert cut(window, {RAW: ms(1)})[0].grain == FIVE_MINUTES
        assert cut(window, {RAW: ms(0)})[0].grain == RAW
        assert cut(window, {RAW: ms(900), FIVE_MINUTES: ms(1)})[0].grain == HOUR

    @given(moments, spans, st.sampled_from([1, 87, 300, 900, 3600, 86_400]), st.data())
    def test_the_slices_cover_the_window_without_a_gap(
        self, start: datetime, span: timedelta, width_s: int, data: st.DataObject
    ) -> None:
        start = to_time(to_ms(start))
        window = Window(edge_before(start, 3600) if data.draw(st.booleans()) else start, start + span, width_s)
        gone = {RAW: to_ms(data.draw(moments)), FIVE_MINUTES: to_ms(edge_before(data.draw(moments), 300))}
        found = cut(window, gone if data.draw(st.booleans()) else {})
        ends = [to_ms(window.start), *(part.end for part in found)]
        assert [part.start for part in found] == ends[:-1]
        assert ends[-1] == to_ms(window.end)
        assert sorted((part.grain for part in found), reverse=True) == [part.grain for part in found]
