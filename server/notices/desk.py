"""What staff see of the queue of letters, and do with it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from server.audit import service as audit
from server.notices import repository
from server.notices.errors import NoticeNotFailedError, NoticeOnItsWayError, UnknownNoticeError
from server.notices.models import NoticeRow
from server.notices.policy import GIVEN_UP
from server.notices.sending import Office
from server.notices.service import Notice, notice_of
from server.tasks import service as tasks

MOST_TASKS = 10_000
"""More failed letters than a library has on its list."""


@dataclass(frozen=True, slots=True)
class Served:
    """A channel that the library serves: what takes its letters, and when the last one went out."""

    channel: str
    where: str
    last_sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Failures:
    """Letters of one channel that failed for one reason and can be sent again."""

    channel: str
    code: str
    count: int


@dataclass(frozen=True, slots=True)
class Overview:
    """How the queue stands. `held` of those that wait would go out now, if it were not quiet until `quiet_until`."""

    states: dict[str, int]
    held: int
    quiet_until: datetime | None
    failures: tuple[Failures, ...]
    channels: tuple[Served, ...]


def overview(session: Session, office: Office, now: datetime) -> Overview:
    """The queue at an instant."""
    quiet_until = office.quiet_until(now)
    return Overview(
        states=repository.states(session),
        held=0 if quiet_until is None else repository.count_due(session, now),
        quiet_until=quiet_until,
        failures=tuple(Failures(*found) for found in repository.failures(session)),
        channels=tuple(
            Served(name, channel.where, repository.last_sent(session, name))
            for name, channel in office.channels.items()
        ),
    )


def said(session: Session, notice_ids: Collection[int]) -> dict[int, str]:
    """What servers answered to letters that have failed, in their own words, while it is on the staff's list."""
    return {number: str(task.detail.get("said", "")) for number, task in _on_the_list(session, notice_ids).items()}


def retry(session: Session, notice_id: int, *, actor: str, at: datetime) -> Notice:
    """Begin anew with one that has failed; one that waits already stays as it is.

    Raises UnknownNoticeError, NoticeNotFailedError.
    """
    row = _locked(session, notice_id)
    if row.state in ("waiting", "sending"):
        return notice_of(row)
    if row.state != "failed" or row.patron_id is None:
        raise NoticeNotFailedError
    row.state, row.code, row.next_at, row.attempts, row.settled_at = "waiting", "", at, 0, None
    _note(session, "notice.retry", [notice_id], actor=actor, at=at)
    return notice_of(row)


def retry_failed(session: Session, channel: str, code: str | None, *, actor: str, at: datetime) -> int:
    """Begin anew with all that have failed over a channel, or with those that failed with one code; how many."""
    found = repository.retry_failed(session, channel, code, at)
    _note(session, "notice.retry", found, actor=actor, at=at)
    return len(found)


def give_up(session: Session, notice_id: int, *, actor: str, at: datetime) -> Notice:
    """Write to nobody after all; one that is dropped already stays as it is.

    Raises UnknownNoticeError, NoticeOnItsWayError.
    """
    row = _locked(session, notice_id)
    if row.state == "dropped":
        return notice_of(row)
    if row.state not in ("waiting", "failed"):
        raise NoticeOnItsWayError
    row.state, row.code, row.settled_at = "dropped", GIVEN_UP, at
    _note(session, "notice.give_up", [notice_id], actor=actor, at=at)
    return notice_of(row)


def _locked(session: Session, notice_id: int) -> NoticeRow:
    row = repository.get(session, notice_id, lock=True)
    if row is None:
        raise UnknownNoticeError
    return row


def _note(session: Session, action: str, notice_ids: Collection[int], *, actor: str, at: datetime) -> None:
    """What was decided is off the staff's list, and in the audit log."""
    if not notice_ids:
        return
    for task in _on_the_list(session, notice_ids).values():
        tasks.resolve(session, task.id, resolution="done", note="", actor=actor, at=at)
    for notice_id in notice_ids:
        audit.record(session, actor=actor, action=action, target=f"notice:{notice_id}", at=at)


def _on_the_list(session: Session, notice_ids: Collection[int]) -> dict[int, tasks.Task]:
    if not notice_ids:
        return {}
    wanted = set(notice_ids)
    found = tasks.find(session, kind="notice", limit=MOST_TASKS)
    return {number: task for task in found if (number := task.detail.get("notice")) in wanted}
