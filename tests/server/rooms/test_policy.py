"""Judgements about rooms."""

from datetime import UTC, datetime, timedelta

import pytest

from server.rooms import policy
from server.rooms.policy import RoomValue, Sample, dew_point, digest, how_ended, room_value

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


def test_what_cannot_be_true_does_not_count_and_makes_no_dew_point() -> None:
    lying = room_value([ago(0, 655.34)], NOON, QUARTER, plausible=(0.0, 100.0))
    assert lying == RoomValue(None, NOON)
    assert room_value([ago(0, 655.34), ago(5, 50.0)], NOON, QUARTER, plausible=(0.0, 100.0)).value == 50.0
    assert dew_point(room_value([ago(0, 20.0)], NOON, QUARTER), lying) == RoomValue(None, NOON)


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


@pytest.mark.parametrize(
    ("age_s", "sent", "stage"),
    [
        (0, False, "queued"),
        (0, True, "sent"),
        (10, True, "sent"),
        (10.1, True, "unanswered"),
        (11, False, "queued"),
    ],
)
def test_a_wish_without_an_answer_is_queued_then_sent_then_unanswered(age_s: float, sent: bool, stage: str) -> None:
    assert policy.stage_of_order(NOON - timedelta(seconds=age_s), NOON, sent=sent) == stage


@pytest.mark.parametrize(
    ("commanded", "reported", "age_s", "stage"),
    [
        (None, None, 0, "held"),  # the gateway has not told what the device was told
        (0.0, 0.0, 0, "held"),
        (0.0, 60.0, 99, "held"),  # the device is there by chance: it was not told
        (60.0, 0.0, 10, "moving"),
        (60.0, None, 10, "moving"),
        (60.0, 0.0, 11, "unconfirmed"),
        (60.0, None, 11, "unconfirmed"),
        (60.0, 55.0, 99, "confirmed"),
        (60.0, 54.9, 99, "unconfirmed"),
        (60.0, 60.0, 99, "confirmed"),
    ],
)
def test_only_the_devices_own_report_confirms_a_wish(
    commanded: float | None, reported: float | None, age_s: float, stage: str
) -> None:
    at = NOON - timedelta(seconds=age_s)
    doing = policy.Doing(commanded, reported, at, at, tolerance=5.0)
    assert policy.stage_of_override(60.0, doing, NOON) == stage


def test_a_device_that_still_moves_is_given_time() -> None:
    long_ago, lately = NOON - timedelta(minutes=2), NOON - timedelta(seconds=9)
    doing = policy.Doing(60.0, 20.0, long_ago, lately, tolerance=5.0)
    assert policy.stage_of_override(60.0, doing, NOON) == "moving"


def test_the_dew_point_is_unknown_while_a_part_of_it_is() -> None:
    temp, rh = RoomValue(20.0, NOON), RoomValue(50.0, NOON - timedelta(seconds=5))
    found = policy.dew_point(temp, rh)
    assert found.value == pytest.approx(9.26, abs=0.02)
    assert found.at == NOON - timedelta(seconds=5)
    assert policy.dew_point(temp, RoomValue(None, NOON)) == RoomValue(None, NOON)
    assert policy.dew_point(temp, RoomValue(0.0, NOON)).value is None
    assert policy.dew_point(RoomValue(), rh) == RoomValue()
