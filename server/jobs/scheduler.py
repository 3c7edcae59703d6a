"""APScheduler on the server's own database. Imported when jobs are begun, since it is not small."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import STATE_STOPPED
from apscheduler.triggers.interval import IntervalTrigger

from server.db import Database
from server.diligence import tell
from server.jobs import crew as crews
from server.jobs.crew import Crew
from server.jobs.models import STORE

log = logging.getLogger(__name__)
logging.getLogger("apscheduler").setLevel(logging.WARNING)

THREADS = 2
JITTER_S = 5
"""So that processes that were started together do not always ask the database together."""


class Patient(BackgroundScheduler):  # type: ignore[misc]  # the library is not annotated
    """Its thread outlives a database that is away."""

    _told = False

    def _process_jobs(self) -> float | None:
        if self.state == STATE_STOPPED:  # its end wakes it once more, when nobody is left to do a job
            return None
        try:
            wait_s: float | None = super()._process_jobs()
        except Exception as error:  # the base class catches what reading raises, but not what writing does
            again_s = float(self.jobstore_retry_interval)
            if not self._told:
                tell(log, f"jobs wait, this is tried again every {again_s:g} s", error)
            self._told = True
            return again_s
        self._told = False
        return wait_s


def begin(crew: Crew, database: Database, *, zone: ZoneInfo, first_at: datetime, known: tuple[str, ...]) -> Patient:
    """Start a thread that has the crew do its jobs, first at `first_at` (wall clock). Of `known` names, those that
    are not the crew's are taken out of the store: the configuration has switched them off. Nothing is left running
    when it raises what the database does."""
    pool = {"initializer": crews.stand_in, "initargs": (crew,), "thread_name_prefix": "jobs"}
    scheduler = Patient(
        jobstores={"default": SQLAlchemyJobStore(engine=database.writer, tablename=STORE)},
        executors={"default": ThreadPoolExecutor(THREADS, pool_kwargs=pool)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        timezone=zone,
    )
    scheduler.start(paused=True)
    try:
        _arrange(scheduler, crew, zone=zone, first_at=first_at, known=known)
    except BaseException:
        scheduler.shutdown()
        raise
    scheduler.resume()
    return scheduler


def _arrange(scheduler: Patient, crew: Crew, *, zone: ZoneInfo, first_at: datetime, known: tuple[str, ...]) -> None:
    for job in crew.jobs.values():
        scheduler.add_job(
            crews.run, IntervalTrigger(seconds=_seconds(job.every), timezone=zone, jitter=JITTER_S), [job.name],
            id=job.name, replace_existing=True, next_run_time=first_at,
        )  # fmt: skip
    for name in set(known) - set(crew.jobs):
        try:
            scheduler.remove_job(name)
        except JobLookupError:
            continue


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())
