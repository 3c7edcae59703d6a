"""Jobs are done when it is their turn, by one of several processes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from server.db import Database
from server.jobs import service
from server.jobs.crew import Crew, Job, once_a_night, once_every
from tests.support.library import NOW, ManualClock

ZONE = ZoneInfo("Asia/Shanghai")
HOUR = timedelta(hours=1)
NIGHTLY = once_a_night("02:00", ZONE)


class Work:
    """Counts when it was done; fails as long as it is told to."""

    def __init__(self) -> None:
        self.done: list[datetime] = []
        self.failing = False
        self.hold: threading.Event | None = None
        self.begun = threading.Event()

    def __call__(self, now: datetime) -> None:
        self.begun.set()
        if self.hold is not None:
            self.hold.wait(30)
        if self.failing:
            raise OSError("no")
        self.done.append(now)


def crew_of(database: Database, work: Work, clock: ManualClock) -> Crew:
    return Crew(database, clock, (Job("night", HOUR, work, NIGHTLY),))


def test_the_night_is_done_once_whoever_asks(database: Database) -> None:
    work, clock = Work(), ManualClock()
    crews = [crew_of(database, work, clock) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda crew: crew.run("night"), crews * 3))
    assert (sum(done), len(work.done)) == (1, 1)
    clock.advance(hours=11, minutes=30)  # midnight has passed, 02:00 not yet
    assert crews[0].run("night") is False
    clock.advance(hours=2)
    assert [crew.run("night") for crew in crews] == [True, False, False, False]


def test_what_failed_is_done_again_and_told_once(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    work = Work()
    crew = crew_of(database, work, ManualClock())
    work.failing = True
    assert [crew.run("night"), crew.run("night")] == [False, False]
    assert len(caplog.records) == 1
    work.failing = False
    assert [crew.run("night"), crew.run("night")] == [True, False]


def test_nobody_does_what_another_process_has_in_hand(database: Database) -> None:
    work, clock = Work(), ManualClock()
    work.hold = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(crew_of(database, work, clock).run, "night")
        assert work.begun.wait(30)
        assert crew_of(database, work, clock).run("night") is False
        work.hold.set()
        assert first.result() is True


def test_the_job_of_a_process_that_died_is_taken_over(database: Database) -> None:
    work, clock = Work(), ManualClock()
    with database.writing() as session:
        slot = NIGHTLY(NOW)
        assert slot is not None
        assert service.take(session, "night", slot=slot, holder="dead", now=NOW)
    crew = crew_of(database, work, clock)
    assert crew.run("night") is False
    clock.at = NOW + service.LEASE
    assert crew.run("night") is True
    with database.writing() as session:
        assert service.done(session, "night", slot=slot, holder="dead", now=clock.at) is False


def test_a_job_that_another_configuration_knew_is_passed_over(database: Database) -> None:
    assert crew_of(database, Work(), ManualClock()).run("gone") is False


def test_spans_are_the_same_for_all_processes() -> None:
    slot = once_every(timedelta(minutes=10))
    assert slot(NOW) == slot(NOW + timedelta(minutes=9)) != slot(NOW + timedelta(minutes=10))
    assert once_a_night("02:00", ZONE)(datetime(2026, 3, 2, 18, 0, tzinfo=ZoneInfo("UTC"))) == "2026-03-03"
