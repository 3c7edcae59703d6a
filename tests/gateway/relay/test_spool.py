"""The durable log of readings and its cursors, on a real disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from carrel.contracts.telemetry import Quantity, Reading
from gateway.instants import instant
from gateway.relay import spool as module
from gateway.relay.spool import INFLUX, SERVER, Refused, Spool
from gateway.store import Store
from tests.support.clock import NOON

BOTH = (SERVER, INFLUX)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "gateway.db"


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    opened = Store(file)
    yield opened
    opened.close()


def reading(value: float, seconds: float = 0) -> Reading:
    at = NOON + timedelta(seconds=seconds)
    return Reading(device="room-th", zone="room", quantity=Quantity.TEMP, value=value, at=at)


def fill(spool: Spool, *values: float) -> None:
    assert spool.append(reading(value) for value in values) == {}


def values(spool: Spool, consumer: str, limit: int = 1000) -> list[float]:
    return [row.value for row in spool.waiting(consumer, limit)]


def held(store: Store) -> int:
    return int(store.read("SELECT count(*) FROM reading")[0][0])


def test_a_reading_comes_back_as_it_was(store: Store) -> None:
    spool = Spool(store)
    at = NOON + timedelta(microseconds=123_456)
    spool.append([Reading(device="out", zone="roof", quantity=Quantity.LUX, value=0.1, at=at)])
    (row,) = spool.waiting(SERVER, 10)
    assert (row.device, row.zone, row.quantity, row.value, instant(row.at_us)) == ("out", "roof", "lux", 0.1, at)


def test_each_consumer_reads_at_its_own_pace_and_rows_go_when_all_have_them(store: Store) -> None:
    spool = Spool(store, BOTH)
    fill(spool, *range(10))
    assert values(spool, SERVER, 4) == [0, 1, 2, 3]
    spool.confirm(SERVER, spool.waiting(SERVER, 4)[-1].seq)
    assert values(spool, SERVER) == list(range(4, 10))
    assert values(spool, INFLUX) == list(range(10))
    assert held(store) == 10
    spool.confirm(INFLUX, spool.waiting(INFLUX, 3)[-1].seq)
    assert held(store) == 7
    spool.confirm(INFLUX, spool.waiting(INFLUX, 100)[-1].seq)
    assert (values(spool, INFLUX), values(spool, SERVER)) == ([], list(range(4, 10)))
    assert held(store) == 6


def test_cursors_are_where_they_were_after_a_restart(file: Path) -> None:
    store = Store(file)
    spool = Spool(store, BOTH)
    fill(spool, *range(6))
    spool.confirm(SERVER, 2)
    spool.confirm(INFLUX, 5)
    store.close()
    again = Store(file)
    assert values(Spool(again, BOTH), SERVER) == [2, 3, 4, 5]
    assert values(Spool(again, BOTH), INFLUX) == [5]
    again.close()


def test_a_consumer_left_out_of_the_configuration_holds_nothing_up(file: Path) -> None:
    store = Store(file)
    spool = Spool(store, BOTH)
    fill(spool, *range(6))
    spool.confirm(SERVER, 6)
    assert held(store) == 6
    store.close()
    again = Store(file)
    spool = Spool(again, (SERVER,))
    assert held(again) == 0
    assert spool.waiting(INFLUX, 10) == []
    again.close()


def test_a_new_consumer_gets_what_is_still_there(store: Store) -> None:
    spool = Spool(store)
    fill(spool, *range(6))
    spool.confirm(SERVER, 2)
    assert values(Spool(store, BOTH), INFLUX) == [2, 3, 4, 5]


def test_a_late_or_repeated_confirmation_does_not_set_a_cursor_back(store: Store) -> None:
    spool = Spool(store, BOTH)
    fill(spool, *range(6))
    spool.confirm(SERVER, 5)
    spool.confirm(SERVER, 2)
    assert values(spool, SERVER) == [5]


@pytest.mark.parametrize("before", [0, 3])
def test_a_confirmation_of_rows_that_are_yet_to_come_confirms_none_of_them(store: Store, before: int) -> None:
    spool = Spool(store)
    fill(spool, *range(before))
    spool.confirm(SERVER, 1_000_000)
    assert values(spool, SERVER) == []
    fill(spool, 7)
    assert values(spool, SERVER) == [7]


def test_rows_are_given_out_without_a_gap(store: Store) -> None:
    spool = Spool(store)
    fill(spool, *range(5))
    spool.discard(3)
    assert values(spool, SERVER) == [0, 1]
    spool.confirm(SERVER, 2)
    assert values(spool, SERVER) == [3, 4]


def test_beyond_the_bound_the_oldest_go_and_are_counted_for_whom_they_are_lost(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROWS_KEPT", 10)
    store = Store(file)
    spool = Spool(store, BOTH)
    fill(spool, *range(8))
    spool.confirm(SERVER, 4)
    assert spool.append(reading(n) for n in range(8, 15)) == {INFLUX: 5, SERVER: 1}
    assert values(spool, INFLUX) == values(spool, SERVER) == list(range(5, 15))
    assert spool.append([reading(15)]) == {INFLUX: 1, SERVER: 1}
    store.close()
    again = Store(file)
    spool = Spool(again, BOTH)
    assert (spool.lost(INFLUX), spool.lost(SERVER)) == (6, 2)
    again.close()


def test_a_clock_set_back_changes_nothing_in_the_order_and_times_stay_as_they_were(store: Store) -> None:
    spool = Spool(store)
    for value, seconds in enumerate((0, 3600, 1, 2, -3600, 3)):
        spool.append([reading(value, seconds)])
    assert values(spool, SERVER) == [0, 1, 2, 3, 4, 5]
    spool.confirm(SERVER, 2)
    times = [(instant(row.at_us) - NOON).total_seconds() for row in spool.waiting(SERVER, 10)]
    assert times == [1, 2, -3600, 3]


def test_refused_readings_are_kept_for_people_but_not_for_ever(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REFUSED_KEPT", 3)
    spool = Spool(store, BOTH)
    fill(spool, *range(6))
    spool.confirm(INFLUX, 3, [Refused(1, "a", "because"), Refused(2, "b", "so")])
    spool.confirm(INFLUX, 6, [Refused(4, "c", "x"), Refused(6, "d", "y")])
    assert spool.refused() == [Refused(2, "b", "so"), Refused(4, "c", "x"), Refused(6, "d", "y")]
    assert values(spool, INFLUX) == []


def test_a_full_disk_raises_and_changes_nothing(store: Store) -> None:
    spool = Spool(store, BOTH)
    fill(spool, *range(10))
    spool.confirm(SERVER, 3)
    store.read("PRAGMA wal_checkpoint(TRUNCATE)")
    pages = store.read("PRAGMA page_count")[0][0]
    store.read(f"PRAGMA max_page_count = {pages}")
    for _ in range(2):
        with pytest.raises(sqlite3.Error, match="full"):
            spool.append(reading(n) for n in range(10_000))
    assert values(spool, SERVER) == list(range(3, 10))
    store.read("PRAGMA max_page_count = 1000000")
    fill(spool, 10)
    assert values(spool, SERVER) == list(range(3, 11))
