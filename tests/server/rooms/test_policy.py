"""Judgements about rooms."""

from datetime import UTC, datetime, timedelta

import pytest

from server.rooms.policy import RoomValue, Sample, digest, how_ended, room_value

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def ago(seconds: float, value: float) -> Sample:
    return Sample(value, NOON - timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("samples", "value"),
    [
        ([], None),
        ([ago(0, 20.0)], 20.0),
        ([ago(0, 20.0), ago(5, 24.0)], 22.0),
        ([ago(0, 20.0), ago(5, 21.0), ago(9, 85.0)], 21.0),
        ([ago(900, 20.0)], 20.0),
        ([ago(901, 20.0)], None),
        ([ago(901, 20.0), ago(1, 30.0)], 30.0),
        ([ago(-60, 20.0)], 20.0),
    ],
)
def test_the_median_of_what_was_reported_lately(samples: list[Sample], value: float | None) -> None:
    assert room_value(samples, NOON, QUARTER).value == value


def test_the_time_is_that_of_the_newest_report_however_old() -> None:
    assert room_value([ago(5000, 1.0), ago(2000, 2.0)], NOON, QUARTER) == RoomValue(
        None, NOON - timedelta(seconds=2000)
    )


@pytest.mark.parametrize(
    ("cancelled", "replaced", "late", "end"),
    [
        (True, True, True, "cancelled"),
        (False, True, True, "expired"),
        (False, True, False, "replaced"),
        (False, False, False, "ended"),
    ],
)
def test_how_an_override_ended(cancelled: bool, replaced: bool, late: bool, end: str) -> None:
    at = NOON + timedelta(seconds=1 if late else -1)
    assert how_ended(until=NOON, cancelled=cancelled, replaced=replaced, at=at) == end


def test_a_digest_differs_when_the_facts_do() -> None:
    assert digest([1, "a", None]) == digest([1, "a", None]) != digest([1, "a", 0])
