"""The queue of letters: claiming one, what became of it, and what people may see of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from server.lending import service as lending
from server.notices import repository
from server.notices.errors import DeliveryError
from server.notices.letters.writing import Letter
from server.notices.models import NoticeRow
from server.notices.policy import LEASE, Channel, Kind, State, pause_after
from server.patrons import service as patrons
from server.tasks import service as tasks

Wanted = repository.Wanted


@dataclass(frozen=True, slots=True)
class Notice:
    """A letter as people see it; `code` is why it was not sent yet, or not at all. Text only while it is kept."""

    id: int
    kind: Kind
    channel: Channel
    patron_id: int | None
    state: State
    code: str
    created_at: datetime
    next_at: datetime
    attempts: int
    settled_at: datetime | None
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """A letter in hand."""

    id: int
    token: str
    kind: Kind
    channel: str
    patron_id: int | None
    attempts: int
    lines: tuple[repository.Key, ...]


def any_due(session: Session, now: datetime) -> bool:
    """Whether there is something to claim."""
    return repository.any_due(session, now)


def claim(session: Session, by: str, now: datetime) -> Claimed | None:
    """Take the letter that has waited longest; then call `settled` or `failed`."""
    row = repository.claim(session, by=by, now=now, until=now + LEASE)
    if row is None:
        return None
    lines = tuple(repository.lines(session, row.id))
    kind = cast(Kind, row.kind)
    return Claimed(row.id, row.token, kind, row.channel, row.patron_id, attempts=row.attempts, lines=lines)


def settled(session: Session, claimed: Claimed, by: str, *, letter: Letter | None, now: datetime) -> None:
    """It was sent; or, without a letter, there was nothing left to tell."""
    values: dict[str, Any] = {"state": "dropped"} if letter is None else {
        "state": "sent", "subject": letter.subject, "body": letter.text,
    }  # fmt: skip
    repository.settle(session, claimed.id, by=by, code="", settled_at=now, **values)


def failed(session: Session, claimed: Claimed, by: str, *, error: DeliveryError, now: datetime) -> None:
    """It was not taken: it is tried again later, or put on the staff's list."""
    pause = None if error.final else pause_after(claimed.attempts)
    if pause is not None:
        repository.settle(session, claimed.id, by=by, state="waiting", code=error.code, next_at=now + pause)
        return
    if repository.settle(session, claimed.id, by=by, state="failed", code=error.code, settled_at=now):
        patron = patrons.find_by_id(session, claimed.patron_id or 0)
        tasks.add(
            session, "notice", error.code, branch=patron.branch if patron else "", at=now, now=now,
            patron_id=claimed.patron_id,
            detail={"notice": claimed.id, "kind": claimed.kind, "channel": claimed.channel, "said": str(error)[:200]},
        )  # fmt: skip


def planned_on(day: date | None, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """`since` and `until` of those that were planned on one of the library's days, or on any."""
    if day is None:
        return None, None
    return datetime.combine(day, time.min, zone), datetime.combine(day + timedelta(days=1), time.min, zone)


def listed(session: Session, wanted: Wanted, *, before: int | None = None, limit: int) -> list[Notice]:
    """Newest first, those with numbers below `before`."""
    return [notice_of(row) for row in repository.page(session, wanted, before=before, limit=limit)]


def of_patron(session: Session, patron_id: int, *, limit: int = 100) -> list[Notice]:
    """What a patron was sent or is to be, newest first."""
    return [notice_of(row) for row in repository.of_patron(session, patron_id, limit=limit) if row.state != "dropped"]


def forget(session: Session, now: datetime, *, keep_days: int) -> int:
    """Drop texts and patrons of old letters; never later than who had the loans that they tell of."""
    days = min(keep_days, lending.current(session).policy.forget_after_days)
    return repository.forget(session, now - timedelta(days=days))


def about_patron(session: Session, patron_id: int) -> list[dict[str, Any]]:
    """What is held of a person's letters."""
    return [
        {
            "kind": row.kind, "channel": row.channel, "state": row.state, "at": row.created_at,
            "settled_at": row.settled_at, "subject": row.subject, "text": row.body,
        }
        for row in repository.of_patron(session, patron_id, limit=10_000)
    ]  # fmt: skip


def forget_patron(session: Session, patron_id: int, at: datetime) -> None:
    """A person's letters are nobody's any longer, and none goes out."""
    repository.forget_patron(session, patron_id, at)


def notice_of(row: NoticeRow) -> Notice:
    """A row as people see it."""
    return Notice(
        row.id, cast(Kind, row.kind), cast(Channel, row.channel), row.patron_id, state=cast(State, row.state),
        code=row.code, created_at=row.created_at, next_at=row.next_at, attempts=row.attempts,
        settled_at=row.settled_at, subject=row.subject, body=row.body,
    )  # fmt: skip
