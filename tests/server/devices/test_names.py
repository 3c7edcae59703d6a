"""Under which names a device's past is found: renamed, replaced, swapped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from carrel.contracts.network import NetworkDevice, NetworkState
from server.db import Database
from server.devices.names import Held, Names, Span, spans_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
A, B = "02:ca:77:e1:00:00:00:0a", "02:ca:77:e1:00:00:00:0b"


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def told(minutes: int, **names: str | None) -> NetworkState:
    devices = tuple(
        NetworkDevice(ieee={"a": A, "b": B}[which], id=name, state="online") for which, name in names.items()
    )
    return NetworkState(ts=at(minutes), state="running", devices=devices)


def test_a_device_that_nobody_told_of_has_its_own_name() -> None:
    assert spans_of([], "desk-air") == [Span("desk-air")]


def test_a_renamed_device_takes_its_past_along_and_the_old_name_still_leads_to_it() -> None:
    held = [Held(A, "old", at(0), at(5)), Held(A, "new", at(5))]
    assert spans_of(held, "new") == [Span("old", None, at(5)), Span("new")]
    assert spans_of(held, "old") == [Span("old")]


def test_who_replaces_a_device_that_is_gone_takes_over_its_past() -> None:
    held = [Held(A, "desk-air", at(0), at(5)), Held(B, "desk-air", at(9))]
    assert spans_of(held, "desk-air") == [Span("desk-air")]


def test_two_devices_that_swap_names_keep_each_its_own_past() -> None:
    held = [Held(A, "x", at(0), at(5)), Held(B, "y", at(0), at(5)), Held(B, "x", at(5)), Held(A, "y", at(5))]
    assert spans_of(held, "x") == [Span("y", None, at(5)), Span("x", at(5))]
    assert spans_of(held, "y") == [Span("x", None, at(5)), Span("y", at(5))]


def test_a_name_taken_back_counts_once() -> None:
    held = [Held(A, "x", at(0), at(5)), Held(A, "y", at(5), at(9)), Held(A, "x", at(9))]
    assert spans_of(held, "x") == [Span("x", None, at(5)), Span("y", None, at(9)), Span("x", at(5))]


def test_names_are_recorded_when_they_change(database: Database) -> None:
    names = Names(database)
    for state in (told(0, a="x"), told(1, a="x"), told(2, a="y", b=None), told(3, a="y", b="x"), told(4, b="x")):
        names.record("gw-1", state)
    another = Names(database)  # another process, or the same one started again
    another.record("gw-1", told(9, b="x"))
    assert another.spans("x") == [Span("x")]  # the first one is gone from the network
    assert another.spans("y") == [Span("y")]
    another.record("gw-1", told(10, a="y", b="x"))
    assert another.spans("x") == [Span("x", at(2))]
    assert another.spans("y") == [Span("x", None, at(2)), Span("y", None, at(4)), Span("y", at(4))]
