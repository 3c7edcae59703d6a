"""The jobs as a part of the server: the night's work, planning notices and sending them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

from fastapi import FastAPI

from server.circulation import nightly
from server.deps import Core
from server.feedback import service as feedback
from server.jobs.crew import Crew, Job, once_a_night, once_every
from server.lending.occasion import Occasion
from server.notices import service as notices
from server.notices.sending import Office, office_of

FIRST_AFTER = timedelta(seconds=30)
"""A server that has just started serves people first."""

NAMES = ("nightly", "plan notices", "send notices")
LOOK_EVERY = timedelta(minutes=10)
PLAN_EVERY = timedelta(minutes=10)
SEND_EVERY = timedelta(minutes=1)


@asynccontextmanager
async def jobs_part(app: FastAPI, core: Core) -> AsyncIterator[None]:
    """Do jobs as long as the server runs, in threads of their own."""
    stopping = threading.Event()
    office = app.state.notices = office_of(core, stopping)
    if not core.settings.server.jobs.enabled:
        yield
        return
    crew = Crew(core.database, core.clock, jobs_of(core, office))
    end = await asyncio.to_thread(_begin, core, crew)
    try:
        yield
    finally:
        stopping.set()
        await asyncio.to_thread(end)


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


def _begin(core: Core, crew: Crew) -> partial[None]:
    from server.jobs import scheduler  # noqa: PLC0415  # APScheduler is loaded only where jobs are done

    first_at = datetime.now(UTC) + FIRST_AFTER
    zone = core.settings.common.library.zone
    begun = scheduler.begin(crew, core.database, zone=zone, first_at=first_at, known=NAMES)
    return partial(begun.shutdown, wait=True)


def _night(core: Core, office: Office, now: datetime) -> None:
    library = core.settings.common.library
    nightly.run(core.database, Occasion("nightly", now, library.zone, library.branch))
    with core.database.writing() as session:
        notices.forget(session, now, keep_days=office.keep_days)
        feedback.escalate(session, now)
