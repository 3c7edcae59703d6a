"""The default telemetry store, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import text

from carrel.contracts.telemetry import Quantity, TelemetryPoint
from server.db import Database
from server.telemetry import repository, retention
from server.telemetry.database import DatabaseStore
from server.telemetry.store import Bucket, Kept, Source, Value, Window
from server.telemetry.windows import to_ms

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SOURCE = Source("th-1", "stacks", Quantity.TEMP)
ALWAYS = Window(NOON - timedelta(days=30), NOON + timedelta(days=30), 3600)


KEPT = Kept(raw=timedelta(days=7), five_minutes=timedelta(days=90))


def point(seconds: float, value: float, source: Source = SOURCE) -> TelemetryPoint:
    at = NOON + timedelta(seconds=seconds)
    return TelemetryPoint(ts=at, device=source.device, zone=source.zone, quantity=source.quantity, value=value)


@pytest.fixture
def store(database: Database) -> DatabaseStore:
    return DatabaseStore(database)


def count(store: DatabaseStore, *sources: Source) -> int:
    return sum(bucket.count for bucket in store.aggregate(sources or [SOURCE], ALWAYS))


def raw(store: DatabaseStore, source: Source = SOURCE) -> list[float]:
    found = store.values(source, ALWAYS.start, ALWAYS.end, limit=1000)
    return [value.value for value in found]


def test_buckets_are_counted_from_the_start_and_empty_ones_left_out(store: DatabaseStore) -> None:
    store.append([point(0, 1.0), point(9.999, 3.0), point(10, 5.0), point(35, 7.0)])
    found = store.aggregate([SOURCE], Window(NOON, NOON + timedelta(seconds=40), 10))
    assert found == [
        Bucket(to_ms(NOON), 1.0, 2.0, 3.0, 2),
        Bucket(to_ms(NOON + timedelta(seconds=10)), 5.0, 5.0, 5.0, 1),
        Bucket(to_ms(NOON + timedelta(seconds=30)), 7.0, 7.0, 7.0, 1),
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
    later = NOON + timedelta(minutes=5) + KEPT.raw
    store.append([point(300, 2.0), point(300, 2.0, other)])
    assert [store.trim(later, KEPT, 5) for _ in range(4)] == [5, 5, 2, 0]
    assert [len(raw(store, source)) for source in (SOURCE, other)] == [1, 1]


def test_writers_beside_each_other_neither_fail_nor_double(database: Database) -> None:
    stores = [DatabaseStore(database) for _ in range(4)]
    sources = [Source(f"th-{n}", "stacks", Quantity.TEMP) for n in range(10)]
    batch = [point(n, float(n), source) for n in range(10) for source in sources]

    def write(n: int) -> None:
        stores[n % 4].append(batch if n % 2 else batch[::-1])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(16)))
    assert count(stores[0], *sources) == 100


def everything(store: DatabaseStore, window: Window) -> list[Bucket]:
    """The same question to the raw values alone, computed here."""
    found: dict[int, list[float]] = {}
    for value in store.values(SOURCE, window.start, window.end, limit=10_000):
        found.setdefault((value.at - window.start) // timedelta(seconds=window.bucket_s), []).append(value.value)
    return [
        Bucket(to_ms(window.start) + 1000 * n * window.bucket_s, min(v), sum(v) / len(v), max(v), len(v))
        for n, v in sorted(found.items())
    ]


def same(found: list[Bucket], expected: list[Bucket]) -> bool:
    """Alike but for the order in which a mean was summed."""
    exact = [(b.start, b.minimum, b.maximum, b.count) for b in found]
    return exact == [(b.start, b.minimum, b.maximum, b.count) for b in expected] and [
        b.mean for b in found
    ] == pytest.approx([b.mean for b in expected])


QUESTIONS = [
    Window(NOON, NOON + timedelta(hours=5), 3600),
    Window(NOON, NOON + timedelta(hours=5), 300),
    Window(NOON - timedelta(hours=1), NOON + timedelta(minutes=127, seconds=3), 7200),
    Window(NOON - timedelta(minutes=5), NOON + timedelta(minutes=63), 900),
    Window(NOON + timedelta(seconds=1), NOON + timedelta(hours=3), 87),
    Window(NOON - timedelta(days=2), NOON + timedelta(days=2), 86_400),
]


class TestRollups:
    def filled(self, store: DatabaseStore, seed: int = 7) -> None:
        """Five hours in disorder, in batches, with repeats within and between them."""
        chance = Random(seed)
        points = [point(n * 17, chance.uniform(-5, 40)) for n in range(1000)]
        points += chance.choices(points, k=500)
        chance.shuffle(points)
        for at in range(0, len(points), 90):
            store.append(points[at : at + 90])

    def test_they_answer_as_the_raw_values_do(self, store: DatabaseStore) -> None:
        self.filled(store)
        for window in QUESTIONS:
            assert same(store.aggregate([SOURCE], window), everything(store, window)), window

    def test_they_go_on_answering_when_the_raw_values_have_gone(self, store: DatabaseStore) -> None:
        self.filled(store)
        expected = {window: everything(store, window) for window in QUESTIONS[:2]}
        while store.trim(NOON + timedelta(days=8), KEPT, 300):
            pass
        assert raw(store) == []
        for window in QUESTIONS[:2]:
            assert same(store.aggregate([SOURCE], window), expected[window])
        assert store.finest_s(NOON) == 300
        while store.trim(NOON + timedelta(days=100), KEPT, 300):
            pass
        assert same(store.aggregate([SOURCE], QUESTIONS[0]), expected[QUESTIONS[0]])
        assert store.finest_s(NOON) == 3600
        assert store.finest_s(NOON + timedelta(days=12)) == 300
        assert store.finest_s(NOON + timedelta(days=99)) == 0

    def test_values_days_late_are_counted_too(self, store: DatabaseStore) -> None:
        store.append([point(0, 1.0)])
        store.append([point(86_400, 5.0)])
        store.append([point(1, 3.0), point(-3600, 9.0)])
        found = store.aggregate([SOURCE], Window(NOON - timedelta(hours=1), NOON + timedelta(hours=1), 3600))
        assert [(bucket.count, bucket.mean) for bucket in found] == [(1, 9.0), (2, 2.0)]

    def test_processes_beside_each_other_count_every_value_once(self, database: Database) -> None:
        stores = [DatabaseStore(database) for _ in range(4)]
        points = [point(n * 40, float(n)) for n in range(600)]

        def write(n: int) -> None:
            part = [p for i, p in enumerate(points) if (i + n) % 3]
            for at in range(0, len(part), 50):
                stores[n % 4].append(part[at : at + 50])

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(write, range(6)))
        window = Window(NOON, NOON + timedelta(hours=7), 3600)
        assert same(stores[0].aggregate([SOURCE], window), everything(stores[0], window))
        assert sum(bucket.count for bucket in stores[1].aggregate([SOURCE], window)) == 600

    def test_a_batch_that_fails_half_way_leaves_nothing(
        self, store: DatabaseStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.append([point(0, 1.0)])
        with monkeypatch.context() as broken:
            broken.setattr(repository, "set_heads", lambda *_, mark: 1 // (mark * 0))
            with pytest.raises(ZeroDivisionError):
                store.append([point(10, 2.0), point(4000, 3.0)])
        assert (raw(store), count(store)) == ([1.0], 1)
        store.append([point(10, 2.0), point(4000, 3.0)])
        assert (raw(store), count(store)) == ([1.0, 2.0, 3.0], 3)


class TestValues:
    def test_they_come_in_pieces_in_order(self, store: DatabaseStore) -> None:
        store.append([point(n, float(n)) for n in (3, 1, 0, 2, 4)])
        first = store.values(SOURCE, NOON, NOON + timedelta(seconds=4), limit=3)
        assert first == [Value(NOON + timedelta(seconds=n), float(n)) for n in range(3)]
        rest = store.values(SOURCE, first[-1].at + timedelta(milliseconds=1), NOON + timedelta(seconds=4), limit=3)
        assert [value.value for value in rest] == [3.0]

    def test_the_one_before_is_found_in_whatever_is_left(self, store: DatabaseStore) -> None:
        assert store.before(SOURCE, NOON) is None
        store.append([point(0, 1.0), point(100, 3.0), point(10_000, 5.0)])
        later = NOON + timedelta(days=1)
        assert store.before(SOURCE, NOON) is None
        assert store.before(SOURCE, NOON + timedelta(seconds=101)) == Value(NOON + timedelta(seconds=100), 3.0)
        while store.trim(NOON + timedelta(days=9), KEPT, 10):
            pass
        assert store.before(SOURCE, later) == Value(NOON + timedelta(seconds=10_000), 5.0)
        assert store.before(SOURCE, NOON + timedelta(hours=1)) == Value(NOON, 2.0)

    def test_a_devices_sources_are_remembered_wherever_it_stood(self, store: DatabaseStore) -> None:
        moved = Source("th-1", "attic", Quantity.TEMP)
        store.append([point(0, 1.0), point(5, 1.0, moved)])
        assert set(store.sources("th-1")) == {SOURCE, moved}
        assert store.sources("th-2") == []
        assert store.sources_in(moved.zone) == [moved]
        assert store.sources_in("nowhere") == []


def test_newest_values_alone_leave_no_rows(store: DatabaseStore) -> None:
    store.note_newest([point(5, 2.0), point(0, 1.0)])
    store.note_newest([])
    store.note_newest([point(3, 9.0)])
    assert store.latest("stacks") == [point(5, 2.0)]
    assert (raw(store), store.aggregate([SOURCE], ALWAYS)) == ([], [])
    store.append([point(4, 7.0)])
    assert (store.latest("stacks"), raw(store)) == ([point(5, 2.0)], [7.0])


def test_what_lies_empty_in_a_new_sqlite_file_is_given_back(
    store: DatabaseStore, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL vacuums by itself")
    monkeypatch.setattr("server.telemetry.database.EMPTY_PAGES", 3)
    store.append([point(n, float(n)) for n in range(5000)])
    while store.trim(NOON + timedelta(days=8), KEPT, 1000):
        pass
    store.trim(NOON + timedelta(days=8), KEPT, 1000)
    with database.reading() as session:
        assert session.scalar(text("PRAGMA auto_vacuum")) == 2
        assert session.scalar(text("PRAGMA freelist_count")) <= 3


async def test_retention_goes_on_until_all_that_is_old_is_gone(store: DatabaseStore) -> None:
    store.append([point(-n, 1.0) for n in range(1, 6)] + [point(n, 1.0) for n in range(1, 3)])
    gone = await retention.trim_all(store, NOON + KEPT.raw, KEPT, at_once=2, pause_s=0)
    assert (gone, len(raw(store))) == (5, 2)
