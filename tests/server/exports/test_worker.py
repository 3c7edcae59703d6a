"""What becomes of an export when its worker ends, dies, or cannot go on; workers driven by hand."""

import errno
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from carrel.contracts.telemetry import Quantity, TelemetryPoint
from carrel.sections import RoomConfig
from server.db import Database
from server.exports import service, table
from server.exports.policy import KEPT, MOST_ATTEMPTS, REST, SILENT, Wanted
from server.exports.service import Export
from server.exports.worker import Worker
from server.rooms.history import History
from server.rooms.picture import Picture
from server.rooms.plan import Plan, PresentPlan, RoomPlan
from server.telemetry.database import DatabaseStore
from server.telemetry.errors import HistoryUnavailableError
from tests.support.library import NOW, ManualClock

HOUR = timedelta(hours=1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROOM = RoomPlan(RoomConfig(id="stacks", name="Stacks"), {Quantity.TEMP: frozenset({"th-1"})})
WANTED = Wanted(("stacks",), ("temp",), NOON, NOON + HOUR, "raw")


class Bench:
    """A database with a hundred values, and workers of several processes."""

    def __init__(self, database: Database, clock: ManualClock, folder: Path) -> None:
        self.database = database
        self.clock = clock
        self.folder = folder
        self.store = DatabaseStore(database)
        self.history = History(
            PresentPlan(Plan({"stacks": ROOM}, HOUR, simulated=True), Picture()), Picture(), self.store
        )
        self.store.append([_point(n) for n in range(100)])

    def worker(self) -> Worker:
        return Worker(self.database, self.history, self.clock, folder=self.folder, zone=ZoneInfo("Asia/Shanghai"))

    def ask(self, wanted: Wanted = WANTED) -> str:
        with self.database.writing() as session:
            return service.create(session, wanted, subject="user:1", now=self.clock.now()).id

    def find(self, id_: str) -> Export:
        with self.database.reading() as session:
            return service.find(session, id_, self.clock.now())

    def cancel(self, id_: str) -> None:
        with self.database.writing() as session:
            service.cancel(session, id_)

    def files(self) -> list[str]:
        return sorted(file.name for file in self.folder.iterdir()) if self.folder.is_dir() else []


def _point(n: int) -> TelemetryPoint:
    at = NOON + timedelta(seconds=n)
    return TelemetryPoint(ts=at, device="th-1", zone="stacks", quantity=Quantity.TEMP, value=float(n))


@pytest.fixture
def bench(database: Database, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr("server.exports.worker.BEAT_EVERY_S", 0.0)
    monkeypatch.setattr(table, "READ", 10)
    return Bench(database, clock, tmp_path / "exports")


def after(reads: int, bench: Bench, monkeypatch: pytest.MonkeyPatch, do: Callable[[], Any]) -> None:
    """Something happens in the middle of an export."""
    values, count = bench.store.values, iter(range(1000))

    def read(*args: Any, **words: Any) -> Any:
        if next(count) == reads:
            do()
        return values(*args, **words)

    monkeypatch.setattr(bench.store, "values", read)


def fails(error: Exception) -> Callable[[], None]:
    def do() -> None:
        raise error

    return do


def test_it_is_read_in_small_pieces_and_every_value_is_there_once(bench: Bench) -> None:
    id_ = bench.ask()
    worker = bench.worker()
    assert (worker.work(), worker.work()) == (True, False)
    found = bench.find(id_)
    assert (found.state, found.rows, found.done_permille) == ("done", 100, 1000)
    lines = (bench.folder / f"{id_}.csv").read_text(encoding="utf-8").splitlines()
    assert [float(line.split(",")[5]) for line in lines[1:]] == [float(n) for n in range(100)]


def test_how_far_it_is_is_told_on_the_way(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    id_ = bench.ask()
    seen: list[Export] = []
    after(5, bench, monkeypatch, lambda: seen.append(bench.find(id_)))
    bench.worker().work()
    assert [(e.state, e.rows) for e in seen] == [("running", 50)]
    assert 0 < seen[0].done_permille < 1000


def test_a_cancelled_one_stops_and_leaves_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    id_ = bench.ask()
    after(3, bench, monkeypatch, lambda: bench.cancel(id_))
    assert bench.worker().work()
    assert bench.files() == []


def test_a_server_that_ends_lets_it_go_and_the_next_begins_anew(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    id_ = bench.ask()
    ending = bench.worker()
    after(3, bench, monkeypatch, ending.stopping.set)
    ending.work()
    assert (bench.find(id_).state, bench.files()) == ("waiting", [])
    assert bench.worker().work()
    assert bench.find(id_).rows == 100


def test_one_whose_worker_was_killed_is_taken_over_when_it_was_silent_for_a_minute(bench: Bench) -> None:
    id_ = bench.ask()
    with bench.database.writing() as session:
        service.claim(session, "killed", bench.clock.now())
    other = bench.worker()
    assert not other.work()
    bench.clock.advance(seconds=SILENT.total_seconds())
    assert other.work()
    assert bench.find(id_).state == "done"


def test_one_that_kills_every_worker_fails_at_last(bench: Bench) -> None:
    id_ = bench.ask()
    for n in range(MOST_ATTEMPTS):
        with bench.database.writing() as session:
            assert service.claim(session, f"killed-{n}", bench.clock.now())
        bench.clock.advance(seconds=SILENT.total_seconds())
    assert not bench.worker().work()
    assert (bench.find(id_).state, bench.find(id_).code) == ("failed", "worker_lost")


def test_while_the_history_is_away_it_waits_and_is_tried_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    id_ = bench.ask()
    after(3, bench, monkeypatch, fails(HistoryUnavailableError()))
    worker = bench.worker()
    assert worker.work()
    assert (bench.find(id_).state, bench.find(id_).code) == ("waiting", "history_unavailable")
    assert not worker.work()
    bench.clock.advance(seconds=REST.total_seconds())
    assert worker.work()
    assert bench.find(id_).rows == 100


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "full"), "disk_full"),
        (OSError(errno.EACCES, "no"), "file_not_written"),
        (ZeroDivisionError(), "internal_error"),
    ],
)
def test_what_cannot_be_mended_by_waiting_fails_with_its_reason(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: Exception, code: str
) -> None:
    id_ = bench.ask()
    after(3, bench, monkeypatch, fails(error))
    assert bench.worker().work()
    assert (bench.find(id_).state, bench.find(id_).code, bench.files()) == ("failed", code, [])


def test_a_file_may_not_grow_without_end(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.exports.worker.MOST_BYTES", 100)
    monkeypatch.setattr(table, "READ", 99)
    id_ = bench.ask(Wanted(("stacks", "stacks"), ("temp",) * 400, NOON, NOON + HOUR, "raw"))
    assert bench.worker().work()
    assert bench.find(id_).code == "export_too_large"


def test_two_workers_make_each_export_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [bench.ask() for _ in range(4)]
    made: list[str] = []
    write = table.write
    monkeypatch.setattr(table, "write", lambda file, *rest: made.append(file.name) or write(file, *rest))

    def work() -> None:
        worker = bench.worker()
        while worker.work():
            pass

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(Path(name).name.partition(".")[0] for name in made) == sorted(ids)
    assert bench.files() == sorted(f"{id_}.csv" for id_ in ids)


def test_tidying_removes_what_is_over_a_day_old_and_what_nobody_knows(bench: Bench) -> None:
    worker = bench.worker()
    worker.tidy()
    old = bench.ask()
    worker.work()
    bench.clock.at = NOW + KEPT
    new = bench.ask()
    worker.work()
    (bench.folder / f"{'0' * 32}.somebody.part").touch()
    worker.tidy()
    assert bench.files() == [f"{new}.csv"]
    assert old != new


def test_it_works_until_it_is_stopped_even_if_the_database_goes_away(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.diligence.LOOK_EVERY_S", 0.0)
    worker = bench.worker()
    looks: list[int] = []

    def work() -> bool:
        looks.append(1)
        if len(looks) == 3:
            worker.stopping.set()
        raise OSError("away")

    monkeypatch.setattr(worker, "work", work)
    worker.run()
    assert len(looks) == 3
