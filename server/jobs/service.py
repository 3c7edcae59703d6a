"""Turns: of several server processes one does a job, once for each slot of time, also when one of them dies."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from server.jobs import repository

LEASE = timedelta(minutes=30)
"""Whoever has a job for longer is taken for dead."""


def take(session: Session, job: str, *, slot: str, holder: str, now: datetime) -> bool:
    """Whether `holder` may do the job for this slot now; then it calls `done` or `give_up`."""
    repository.know(session, job)
    return repository.take(session, job, slot=slot, holder=holder, now=now, until=now + LEASE)


def done(session: Session, job: str, *, slot: str, holder: str, now: datetime) -> bool:
    """Nobody does it again for this slot; False when it took too long and is another's by now."""
    return repository.give_back(session, job, holder, slot=slot, done_at=now)


def give_up(session: Session, job: str, *, holder: str) -> None:
    """It was not done: anybody may try again."""
    repository.give_back(session, job, holder)
