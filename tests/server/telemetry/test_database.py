"""The default telemetry store, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from carrel.contracts.telemetry import Quantity, TelemetryPoint
from server.db import Database
from server.telemetry import retention
from server.telemetry.database import DatabaseStore
from server.telemetry.store import Bucket, Source, Window

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SOURCE = Source("th-1", "stacks", Quantity.TEMP)
ALWAYS = Window(NOON - timedelta(days=30), NOON + timedelta(days=30), 3600)


def point(seconds: float, value: float, source: Source = SOURCE) -> TelemetryPoint:
    at = NOON + timedelta(seconds=seconds)
    return TelemetryPoint(ts=at, device=source.device, zone=source.zone, quantity=source.quantity, value=value)


@pytest.fixture
def store(database: Database) -> DatabaseStore:
    return DatabaseStore(database)


def count(store: DatabaseStore, *sources: Source) -> int:
    return sum(bucket.count for bucket in store.aggregate(sources or [SOURCE], ALWAYS))


def test_buckets_are_counted_from_the_start_and_empty_ones_left_out(store: DatabaseStore) -> None:
    store.append([point(0, 1.0), point(9.999, 3.0), point(10, 5.0), point(35, 7.0)])
    found = store.aggregate([SOURCE], Window(NOON, NOON + timedelta(seconds=40), 10))
    assert found == [
        Bucket(NOON, 1.0, 2.0, 3.0, 2),
        Bucket(NOON + timedelta(seconds=10), 5.0, 5.0, 5.0, 1),
        Bucket(NOON + timedelta(seconds=30), 7.0, 7.0, 7.0, 1),
    ]


def test_the_end_of_a_window_is_outside(store: DatabaseStore) -> None:
    store.append([point(-0.001, 1.0), point(0, 2.0), point(10, 3.0)])
    (bucket,) = store.aggregate([SOURCE], Window(NOON, NOON + timedelta(seconds=10), 10))
    assert (bucket.count, bucket.mean) == (1, 2.0)


def test_buckets_hold_what_all_sources_measured(store: DatabaseStore) -> None:
    other = Source("th-2", "stacks", Quantity.TEMP)
    store.append([point(0, 1.0), point(0, 3.0, other)])
    (bucket,) = store.aggregate([SOURCE, other], ALWAYS)
    assert (bucket.minimum, bucket.mean, bucket.maximum) == (1.0, 2.0, 3.0)


def test_a_source_never_heard_of_has_no_buckets(store: DatabaseStore) -> None:
    store.append([point(0, 1.0)])
    assert store.aggregate([Source("th-1", "stacks", Quantity.RH)], ALWAYS) == []
    assert store.aggregate([], ALWAYS) == []


def test_a_point_that_comes_again_changes_nothing(store: DatabaseStore) -> None:
    store.append([point(0, 1.0), point(0, 1.0), point(1, 2.0)])
    store.append([point(0, 99.0), point(2, 3.0)])
    assert count(store) == 3
    assert store.aggregate([SOURCE], ALWAYS)[0].maximum == 3.0


def test_the_latest_is_the_newest_whatever_the_order_of_arrival(store: DatabaseStore) -> None:
    store.append([point(10, 5.0)])
    store.append([point(0, 1.0)])
    store.append([point(3, 55.0, Source("th-1", "stacks", Quantity.RH))])
    assert store.latest("stacks") == [point(3, 55.0, Source("th-1", "stacks", Quantity.RH)), point(10, 5.0)]
    assert store.latest("cellar") == []


def test_times_before_1970_and_far_away_are_kept(store: DatabaseStore) -> None:
    old = datetime(1969, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC)
    far = datetime(9999, 12, 31, tzinfo=UTC)
    store.append([point((at - NOON).total_seconds(), 1.0) for at in (old, far)])
    found = store.aggregate([SOURCE], Window(old, old + timedelta(seconds=1), 1))
    assert [bucket.start for bucket in found] == [old]


def test_trimming_takes_a_little_at_a_time_and_only_what_is_old(store: DatabaseStore) -> None:
    other = Source("th-2", "stacks", Quantity.TEMP)
    store.append([point(n, 1.0) for n in range(6)] + [point(n, 1.0, other) for n in range(6)])
    before = NOON + timedelta(seconds=4)
    assert [store.trim(before, 5), store.trim(before, 5), store.trim(before, 5)] == [5, 3, 0]
    assert count(store, SOURCE, other) == 4


def test_writers_beside_each_other_neither_fail_nor_double(database: Database) -> None:
    stores = [DatabaseStore(database) for _ in range(4)]
    sources = [Source(f"th-{n}", "stacks", Quantity.TEMP) for n in range(10)]
    batch = [point(n, float(n), source) for n in range(10) for source in sources]

    def write(n: int) -> None:
        stores[n % 4].append(batch if n % 2 else batch[::-1])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(16)))
    assert count(stores[0], *sources) == 100


async def test_retention_goes_on_until_all_that_is_old_is_gone(store: DatabaseStore) -> None:
    class Clock:
        def now(self) -> datetime:
            return NOON + retention.RAW_KEPT

    store.append([point(-n, 1.0) for n in range(5)] + [point(n, 1.0) for n in range(1, 3)])
    gone = await retention.trim_all(store, Clock().now(), at_once=2, pause_s=0)
    assert (gone, count(store)) == (4, 3)
