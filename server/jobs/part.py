"""The jobs as a part of the server: the night's work, planning notices and sending them."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from fastapi import FastAPI

from server.circulation import nightly
from server.deps import Core
from server.diligence import tell
from server.feedback import service as feedback
from server.jobs.crew import Crew, Job, once_a_night, once_every
from server.lending.occasion import Occasion
from server.notices import service as notices
from server.notices.sending import Office, office_of

if TYPE_CHECKING:
    from server.jobs.scheduler import Patient

log = logging.getLogger(__name__)

FIRST_AFTER = timedelta(seconds=30)
"""A server that has just started serves people first."""

NAMES = ("nightly", "plan notices", "send notices")
LOOK_EVERY = timedelta(minutes=10)
PLAN_EVERY = timedelta(minutes=10)
SEND_EVERY = timedelta(minutes=1)
BEGIN_AGAIN_S = 10.0


@asynccontextmanager
async def jobs_part(app: FastAPI, core: Core) -> AsyncIterator[None]:
    """Do jobs as long as the server runs, in threads of their own."""
    stopping = threading.Event()
    office = app.state.notices = office_of(core, stopping)
    if not core.settings.server.jobs.enabled:
        yield
        return
    crew = Crew(core.database, core.clock, jobs_of(core, office))
    begun = asyncio.create_task(asyncio.to_thread(_begin_in_time, core, crew, stopping))
    try:
        yield
    finally:
        stopping.set()
        if scheduler := await begun:
            await asyncio.to_thread(scheduler.shutdown, wait=True)


def jobs_of(core: Core, office: Office) -> tuple[Job, ...]:
    """What there is to do; notices only where the configuration says how they go out."""
    zone, begin = core.settings.common.library.zone, core.settings.server.jobs.nightly_from
    night = Job("nightly", LOOK_EVERY, partial(_night, core, office), once_a_night(begin, zone))
    if not office.channels:
        return (night,)
    return (
        night,
        Job("plan notices", PLAN_EVERY, office.plan, once_every(PLAN_EVERY)),
        Job("send notices", SEND_EVERY, office.send),
    )


def _begin_in_time(core: Core, crew: Crew, stopping: threading.Event) -> Patient | None:
    """Begin as soon as the database takes it; one on a full disk does not, and people are served meanwhile."""
    from server.jobs import scheduler  # noqa: PLC0415  # APScheduler is loaded only where jobs are done

    zone, told = core.settings.common.library.zone, False
    while not stopping.is_set():
        first_at = datetime.now(UTC) + FIRST_AFTER
        try:
            return scheduler.begin(crew, core.database, zone=zone, first_at=first_at, known=NAMES)
        except Exception as error:  # whatever it is, people must be served
            if not told:
                tell(log, f"the night's work and notices wait, this is tried again every {BEGIN_AGAIN_S:g} s", error)
            told = True
        stopping.wait(BEGIN_AGAIN_S)
    return None


def _night(core: Core, office: Office, now: datetime) -> None:
    library = core.settings.common.library
    nightly.run(core.database, Occasion("nightly", now, library.zone, library.branch))
    with core.database.writing() as session:
        notices.forget(session, now, keep_days=office.keep_days)
        feedback.escalate(session, now)
