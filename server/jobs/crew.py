"""The jobs of one server process and how each is done: when it is its turn, and never in two processes at once."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from carrel.clock import Clock, local_date
from server.db import Database
from server.diligence import tell
from server.jobs import service

log = logging.getLogger(__name__)

Slot = Callable[[datetime], str | None]
"""The slot of time for which a job is done once; None while it is not due."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do every so often. Without a `slot`, `work` itself sees to it that processes do not collide."""

    name: str
    every: timedelta
    work: Callable[[datetime], object]
    slot: Slot | None = None


class Crew:
    """Does jobs by name, in whatever thread calls; a job that fails is told and tried again the next time."""

    def __init__(self, database: Database, clock: Clock, jobs: tuple[Job, ...]) -> None:
        self.jobs = {job.name: job for job in jobs}
        self._holder = uuid.uuid4().hex
        self._database = database
        self._clock = clock
        self._failing: set[str] = set()

    def run(self, name: str) -> bool:
        """Do a job if it is due; whether it was done."""
        job = self.jobs.get(name)
        if job is None:  # another process, with another configuration, has put it into the store
            return False
        try:
            done = self._run(job)
        except Exception as error:  # whatever it is, the next job must be done
            if name not in self._failing:
                tell(log, f"'{name}' was not done, it is tried again within {job.every}", error)
            self._failing.add(name)
            return False
        self._failing.discard(name)
        return done

    def _run(self, job: Job) -> bool:
        now = self._clock.now()
        if job.slot is None:
            job.work(now)
            return True
        slot = job.slot(now)
        if slot is None or not self._take(job.name, slot, now):
            return False
        try:
            job.work(now)
        except BaseException:
            with self._database.writing() as session:
                service.give_up(session, job.name, holder=self._holder)
            raise
        with self._database.writing() as session:
            service.done(session, job.name, slot=slot, holder=self._holder, now=self._clock.now())
        return True

    def _take(self, name: str, slot: str, now: datetime) -> bool:
        with self._database.writing() as session:
            return service.take(session, name, slot=slot, holder=self._holder, now=now)


def once_a_night(begin: str, zone: ZoneInfo) -> Slot:
    """Once for each of the library's days, from a time of day (`02:00`) on; later when nobody was there to do it."""
    begins = time.fromisoformat(begin)

    def slot(now: datetime) -> str | None:
        return local_date(now, zone).isoformat() if now.astimezone(zone).time() >= begins else None

    return slot


def once_every(span: timedelta) -> Slot:
    """Once for each span since 1970."""
    return lambda now: str(int(now.timestamp() // span.total_seconds()))


_here = threading.local()


def stand_in(crew: Crew) -> None:
    """Whose jobs this thread does."""
    _here.crew = crew


def run(name: str) -> None:
    """What the job store knows of a job: this function and the job's name."""
    _here.crew.run(name)
