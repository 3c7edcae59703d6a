"""Carries terminals' requests out: which handler, in which thread, in which transaction.

What is asked in one moment is done in one transaction. SQLite answers within the process and has one writer at a time:
its work is done in the thread in which terminals are served, unless another has the file: a thread waits for it then.
PostgreSQL's is done in a thread; who is alone, or meets a row that another has locked, gets a thread and a transaction.
PINs are judged before, in threads, since hashing is slow and counts wrong answers by itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from server.auth import service as auth
from server.auth.errors import LockedError
from server.db import AWAY
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
from server.sip2.work.together import Outcome, Together

log = logging.getLogger(__name__)

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


class Asked(NamedTuple):
    """A job that can be carried out."""

    job: Job
    now: datetime
    pin: Pin

    def task(self, session: Session) -> Task:
        """In a transaction."""
        job = self.job
        card, barcode = name_of(job.request.get(F.PATRON)), name_of(job.request.get(F.ITEM))
        return Task(
            session, job.request, job.profile, job.visit,
            now=self.now, pin=self.pin, card=card, barcode=barcode,
        )  # fmt: skip


class Desk:
    """Of one server process."""

    def __init__(self, core: Core) -> None:
        self._core = core
        embedded = core.settings.database_url.get_backend_name() == "sqlite"
        self._readers = ThreadPoolExecutor(READERS, "sip2-read")
        self._writers = ThreadPoolExecutor(1 if embedded else WRITERS, "sip2-write")
        self._batches = ThreadPoolExecutor(1, "sip2-batch")
        self._embedded = embedded
        self._together = (
            Together(self._here, self._in_turn) if embedded else Together(self._in_a_thread, self._each_alone)
        )

    async def carry_out(self, job: Job) -> Message:
        """The answer, after its transaction is committed; raises LibraryAwayError when the database does not answer."""
        loop, now = asyncio.get_running_loop(), self._core.clock.now()
        try:
            pin = _known_pin(job, now)
            if pin is None:
                pin = await loop.run_in_executor(self._readers, self._judge, job, now)
            asked = Asked(job, now, pin)
            if job.request.id not in READING:
                return await self._together.ask(asked, id(job.visit))
            if self._embedded:
                return self._read(asked)
            return await loop.run_in_executor(self._readers, self._read, asked)
        except (DBAPIError, PoolTimeoutError) as error:
            raise LibraryAwayError(str(getattr(error, "orig", error)).strip().splitlines()[:1]) from error

    def close(self) -> None:
        """Finish what is under way."""
        for threads in (self._readers, self._batches, self._writers):
            threads.shutdown()

    def _read(self, asked: Asked) -> Message:
        with self._core.database.reading() as session:
            return READING[asked.job.request.id](asked.task(session))

    def _write(self, asked: Asked) -> Message:
        try:
            with self._core.database.writing() as session:
                return WRITING[asked.job.request.id](asked.task(session))
        except Held as held:
            return held.answer
        except DomainError as refused:
            job = asked.job
            return replies.refusal(job.request, job.profile, job.visit.language, code=refused.code, now=asked.now)

    def _at_once(self, asked: Sequence[Asked]) -> Sequence[Message | Exception] | None:
        """All in one transaction; None when another has the file, or one of them cannot be done like this."""
        try:
            with self._core.database.writing(at_once=True) as session:
                return [self._within(session, one) for one in asked]
        except Exception as error:
            if isinstance(error, DBAPIError) and error.connection_invalidated:
                return [error] * len(asked)  # perhaps it was committed: who asks again is told
            log.debug("%d requests wait for their turn: %r", len(asked), error)
            return None

    async def _here(self, asked: Sequence[Asked]) -> Sequence[Message | Exception] | None:
        return self._at_once(asked)

    async def _in_a_thread(self, asked: Sequence[Asked]) -> Sequence[Outcome[Message]] | None:
        if len(asked) == 1:
            return await self._each_alone(asked)
        return await asyncio.get_running_loop().run_in_executor(self._batches, self._at_once, asked)

    async def _each_alone(self, asked: Sequence[Asked]) -> Sequence[asyncio.Future[Message | Exception]]:
        loop = asyncio.get_running_loop()
        return [loop.run_in_executor(self._writers, self._tried, one) for one in asked]

    async def _in_turn(self, asked: Sequence[Asked]) -> Sequence[Message | Exception]:
        return await asyncio.get_running_loop().run_in_executor(self._writers, self._write_all, asked)

    def _write_all(self, asked: Sequence[Asked]) -> Sequence[Message | Exception]:
        """All in one transaction; when one of them undoes it, each in its own."""
        if len(asked) > 1:
            try:
                with self._core.database.writing() as session:
                    return [self._within(session, one) for one in asked]
            except AWAY as error:
                return [error] * len(asked)
            except Exception as error:
                log.debug("%d requests are carried out one by one: %r", len(asked), error)
        return [self._tried(one) for one in asked]

    def _within(self, session: Session, asked: Asked) -> Message:
        answer = WRITING[asked.job.request.id](asked.task(session))
        session.flush()
        session.expunge_all()  # the next one reads anew, as in a transaction of its own
        return answer

    def _tried(self, asked: Asked) -> Message | Exception:
        try:
            return self._write(asked)
        except Exception as error:  # becomes the answer's
            return error

    def _judge(self, job: Job, now: datetime) -> Pin:
        """Ask whether the PIN is right, and remember it for the visit."""
        card, pin = name_of(job.request.get(F.PATRON)), job.request.get(F.PIN).strip()
        found = auth.verify_pin(self._core.database, card, pin, now=now)
        if isinstance(found, LockedError):
            return Pin.LOCKED
        right = isinstance(found, Patron)
        job.visit.told(card, pin, right=right, now=now)
        return Pin.RIGHT if right else Pin.WRONG


def _known_pin(job: Job, now: datetime) -> Pin | None:
    """What is known without hashing; None when the PIN has to be judged."""
    card, pin = name_of(job.request.get(F.PATRON)), job.request.get(F.PIN).strip()
    known = job.visit.knows(card, pin, now)
    if known is not None:
        return Pin.RIGHT if known else Pin.WRONG
    if not pin or job.request.id not in PIN_ASKED:
        return Pin.VOUCHED if job.profile.terminal.pin == "trusted" else Pin.MISSING
    return None if card else Pin.WRONG
