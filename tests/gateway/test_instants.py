"""Instants as whole microseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.instants import instant, microseconds


@given(st.datetimes(timezones=st.just(UTC)))
def test_nothing_is_lost_there_and_back(at: datetime) -> None:
    assert instant(microseconds(at)) == at


def test_the_same_instant_is_the_same_number_in_every_zone() -> None:
    at = datetime(2026, 3, 29, 3, 0, 0, 1, tzinfo=timezone(timedelta(hours=8)))
    assert microseconds(at) == microseconds(at.astimezone(UTC)) == 1_774_724_400_000_001


def test_what_no_calendar_knows_is_an_overflow() -> None:
    with pytest.raises(OverflowError):
        instant(1 << 62)
