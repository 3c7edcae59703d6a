"""Carries terminals' requests out: which handler, in which thread, in one transaction each.

SQLite has one writer at a time, so that writers queue for one thread here instead of polling for the file's lock;
PostgreSQL sorts its own out. PINs are judged before, since hashing is slow and counts wrong answers by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from server.auth import service as auth
from server.auth.errors import LockedError
from server.deps import Core
from server.errors import DomainError
from server.patrons.service import Patron
from server.sip2 import replies
from server.sip2.listener import LibraryAwayError
from server.sip2.session import Job
from server.sip2.wire.messages import F, Message
from server.sip2.work import checkins, items, loans, patrons, payments, reservations
from server.sip2.work.checkins import Held
from server.sip2.work.task import Handler, Pin, Task, name_of

READING: Mapping[str, Handler] = {
    "23": patrons.status,
    "63": patrons.information,
    "17": items.information,
}
WRITING: Mapping[str, Handler] = {
    "11": loans.checkout,
    "29": loans.renew,
    "65": loans.renew_all,
    "09": checkins.checkin,
    "15": reservations.hold,
    "19": items.update,
    "37": payments.pay,
    "01": patrons.block,
    "25": patrons.enable,
}
PIN_ASKED = frozenset({"23", "63", "11", "29", "65", "15", "37", "25"})
"""Requests in whose AD a PIN is judged."""

READERS, WRITERS = 4, 8


class Desk:
    """Of one server process."""

    def __init__(self, core: Core) -> None:
        self._core = core
        writers = 1 if core.settings.database_url.get_backend_name() == "sqlite" else WRITERS
        self._readers = ThreadPoolExecutor(READERS, "sip2-read")
        self._writers = ThreadPoolExecutor(writers, "sip2-write")

    async def carry_out(self, job: Job) -> Message:
        """The answer, after its transaction is committed; raises LibraryAwayError when the database does not answer."""
        loop, now = asyncio.get_running_loop(), self._core.clock.now()
        try:
            pin = _known_pin(job, now)
            if pin is None:
                pin = await loop.run_in_executor(self._readers, self._judge, job, now)
            if job.request.id in READING:
                return await loop.run_in_executor(self._readers, self._read, job, now, pin)
            return await loop.run_in_executor(self._writers, self._write, job, now, pin)
        except (DBAPIError, PoolTimeoutError) as error:
            raise LibraryAwayError(str(getattr(error, "orig", error)).strip().splitlines()[:1]) from error

    def close(self) -> None:
        """Finish what is under way."""
        self._readers.shutdown()
        self._writers.shutdown()

    def _read(self, job: Job, now: datetime, pin: Pin) -> Message:
        with self._core.database.reading() as session:
            return READING[job.request.id](Task(session, job.request, job.profile, job.visit, now=now, pin=pin))

    def _write(self, job: Job, now: datetime, pin: Pin) -> Message:
        try:
            with self._core.database.writing() as session:
                return WRITING[job.request.id](Task(session, job.request, job.profile, job.visit, now=now, pin=pin))
        except Held as held:
            return held.answer
        except DomainError as refused:
            return replies.refusal(job.request, job.profile, job.visit.language, code=refused.code, now=now)

    def _judge(self, job: Job, now: datetime) -> Pin:
        """Ask whether the PIN is right, and remember it for the visit."""
        card, pin = name_of(job.request.get(F.PATRON)), job.request.get(F.PIN)
        found = auth.verify_pin(self._core.database, card, pin, now=now)
        if isinstance(found, LockedError):
            return Pin.LOCKED
        right = isinstance(found, Patron)
        job.visit.told(card, pin, right=right, now=now)
        return Pin.RIGHT if right else Pin.WRONG


def _known_pin(job: Job, now: datetime) -> Pin | None:
    """What is known without hashing; None when the PIN has to be judged."""
    card, pin = name_of(job.request.get(F.PATRON)), job.request.get(F.PIN)
    known = job.visit.knows(card, pin, now)
    if known is not None:
        return Pin.RIGHT if known else Pin.WRONG
    if not pin or job.request.id not in PIN_ASKED:
        return Pin.VOUCHED if job.profile.terminal.pin == "trusted" else Pin.MISSING
    return None if card else Pin.WRONG
