"""Feedback cases: told, given to a colleague, answered, closed, opened again, judged; and marked when they are late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from carrel.clock import local_date
from server.audit import service as audit
from server.auth import accounts
from server.feedback import policy, repository
from server.feedback.errors import (
    CaseStateError,
    FeedbackLimitError,
    ReasonRequiredError,
    UnfitOwnerError,
    UnknownCaseError,
)
from server.feedback.models import CaseRow, NoteRow
from server.feedback.policy import Kind, NoteKind
from server.feedback.states import WAITING, State
from server.lending import service as lending
from server.lending.occasion import Occasion

FORGOTTEN = "*"
"""What stands where a person's words were."""

TOLD: tuple[NoteKind, ...] = ("answer", "public", "reader")
"""What the reader may see."""


@dataclass(frozen=True, slots=True)
class NewCase:
    """What somebody tells. `contact` is for those who are not signed in and want an answer."""

    kind: Kind
    text: str
    place: str = ""
    contact: str = ""
    patron_id: int | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Something said about a case."""

    kind: str
    text: str
    author: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Case:
    """A case with all that was said about it; for a reader, with what readers may see."""

    number: str
    patron_id: int | None
    contact: str
    kind: str
    place: str
    text: str
    state: str
    owner: str
    opened_at: datetime
    due_at: datetime
    answered_at: datetime | None
    closed_at: datetime | None
    escalated_at: datetime | None
    rating: int | None
    notes: tuple[Note, ...] = ()

    def is_overdue(self, now: datetime) -> bool:
        """Whether the answer is late."""
        return policy.is_overdue(self.state, self.due_at, now)

    @property
    def waits(self) -> bool:
        """Whether the library owes an answer."""
        return self.state in WAITING


@dataclass(frozen=True, slots=True)
class Asked:
    """Which cases are wanted; nothing is all of them."""

    states: tuple[State, ...] = ()
    owner: str | None = None
    overdue_at: datetime | None = None
    limit: int = 200


def open_case(session: Session, new: NewCase, occasion: Occasion, *, days: int) -> Case:
    """A new case, to be answered within so many of the library's open days; raises FeedbackLimitError.

    The number is taken first: who comes at the same time waits, so that the limit counts everybody.
    """
    count = repository.next_count(session, local_date(occasion.now, occasion.zone).year)
    known = new.patron_id is not None
    span, most = (
        (timedelta(days=1), policy.PATRON_PER_DAY) if known else (timedelta(hours=1), policy.ANONYMOUS_PER_HOUR)
    )
    if repository.opened_since(session, new.patron_id, occasion.now - span) >= most:
        raise FeedbackLimitError
    row = CaseRow(
        number=policy.number_of(local_date(occasion.now, occasion.zone).year, count), patron_id=new.patron_id,
        contact="" if known else new.contact, kind=new.kind, place=new.place, text=new.text, state="open", owner="",
        opened_at=occasion.now, due_at=_deadline(session, occasion, days),
    )  # fmt: skip
    repository.add(session, row)
    _audit(session, row, "open", occasion.actor, at=occasion.now, detail={"kind": new.kind})
    return _case(row, ())


def find(session: Session, asked: Asked = Asked()) -> list[Case]:
    """Cases without their notes: what waits for an answer first, the most overdue on top."""
    rows = repository.find(
        session, states=asked.states, owner=asked.owner, overdue_at=asked.overdue_at, limit=asked.limit
    )
    return [_case(row, ()) for row in rows]


def get(session: Session, number: str) -> Case:
    """A case with all its notes; raises UnknownCaseError."""
    row = repository.get(session, number)
    if row is None:
        raise UnknownCaseError
    return _case(row, repository.notes(session, [row.id]).get(row.id, ()))


def of_patron(session: Session, patron_id: int) -> list[Case]:
    """A patron's own cases with what they may see, newest first."""
    rows = repository.of_patron(session, patron_id)
    notes = repository.notes(session, [row.id for row in rows])
    return [_for_reader(_case(row, notes.get(row.id, ()))) for row in rows]


def counts(session: Session, now: datetime) -> tuple[int, int]:
    """How many cases wait for an answer, and how many of them for too long."""
    return repository.counts(session, now)


def assign(session: Session, number: str, owner: str, *, actor: str, at: datetime) -> None:
    """Give a case to a colleague, or with an empty name to nobody; raises UnknownCaseError, UnfitOwnerError."""
    row = _locked(session, number)
    if owner and owner not in owners(session):
        raise UnfitOwnerError
    row.owner = owner
    _audit(session, row, "assign", actor, at=at, detail={"owner": owner})


def owners(session: Session) -> dict[str, str]:
    """Colleagues who can own a case, by the name they sign in with."""
    return {one.user: one.name for one in accounts.listed(session) if one.disabled_at is None}


def answer(session: Session, number: str, text: str, *, actor: str, at: datetime) -> None:
    """Answer the reader; raises UnknownCaseError, CaseStateError."""
    row = _locked(session, number)
    _move(row, "answer")
    row.answered_at = at
    _note(session, row, "answer", text, actor=actor, at=at)
    _audit(session, row, "answer", actor, at=at)


def note(session: Session, number: str, text: str, *, public: bool, actor: str, at: datetime) -> None:
    """Note something, for colleagues only or for the reader as well; raises UnknownCaseError."""
    row = _locked(session, number)
    _note(session, row, "public" if public else "internal", text, actor=actor, at=at)
    _audit(session, row, "note", actor, at=at, detail={"public": public})


def close(session: Session, number: str, reason: str, *, actor: str, at: datetime) -> None:
    """Be done with a case; one without an answer needs a reason, which the reader sees.

    Raises UnknownCaseError, CaseStateError, ReasonRequiredError.
    """
    row = _locked(session, number)
    if row.state in WAITING and not reason:
        raise ReasonRequiredError
    _move(row, "close")
    row.closed_at = at
    if reason:
        _note(session, row, "public", reason, actor=actor, at=at)
    _audit(session, row, "close", actor, at=at)


def reopen(  # each is told
    session: Session, number: str, reason: str, occasion: Occasion, *, days: int, patron_id: int | None = None
) -> None:
    """Take a case up again, with a new deadline; for a patron only an own one.

    Raises UnknownCaseError, CaseStateError.
    """
    row = _locked(session, number, patron_id)
    _move(row, "reopen")
    row.due_at, row.escalated_at, row.closed_at, row.rating = _deadline(session, occasion, days), None, None, None
    if reason:
        kind: NoteKind = "internal" if patron_id is None else "reader"
        _note(session, row, kind, reason, actor=occasion.actor, at=occasion.now)
    _audit(session, row, "reopen", occasion.actor, at=occasion.now)


def rate(session: Session, number: str, rating: int, *, patron_id: int, actor: str, at: datetime) -> None:
    """Judge the answer to an own case, 1 (bad) to 5; again replaces. Raises UnknownCaseError, CaseStateError."""
    row = _locked(session, number, patron_id)
    if not policy.may_rate(row.state):
        raise CaseStateError
    row.rating = rating
    _audit(session, row, "rate", actor, at=at)


def escalate(session: Session, now: datetime) -> list[str]:
    """Mark what waits for longer than was promised; the numbers of the cases that were not marked before.

    For the night's work, on any number of servers: a case is marked once.
    """
    late = repository.escalate(session, now)
    for number in late:
        audit.record(session, actor="deadline", action="feedback.escalate", target=f"feedback:{number}", at=now)
    return late


def about_patron(session: Session, patron_id: int) -> list[dict[str, Any]]:
    """A person's own cases, for the person."""
    return [
        {
            "number": case.number, "kind": case.kind, "place": case.place, "text": case.text, "state": case.state,
            "opened_at": case.opened_at, "rating": case.rating,
            "notes": [{"kind": note.kind, "text": note.text, "at": note.at} for note in case.notes],
        }
        for case in of_patron(session, patron_id)
    ]  # fmt: skip


def forget_patron(session: Session, patron_id: int, at: datetime) -> None:
    """Take the person and all that was written out of the person's cases; kind, days and rating stay for counting."""
    session.flush()
    repository.forget_patron(session, patron_id, words=FORGOTTEN, at=at)


def _locked(session: Session, number: str, patron_id: int | None = None) -> CaseRow:
    row = repository.get(session, number, lock=True)
    if row is None or (patron_id is not None and row.patron_id != patron_id):
        raise UnknownCaseError
    return row


def _move(row: CaseRow, trigger: policy.Trigger) -> None:
    state = policy.next_state(row.state, trigger)
    if state is None:
        raise CaseStateError
    row.state = state


def _deadline(session: Session, occasion: Occasion, days: int) -> datetime:
    calendar = lending.current(session).calendar
    return policy.deadline(occasion.now, days, calendar=calendar, zone=occasion.zone, branch=occasion.branch)


def _note(session: Session, row: CaseRow, kind: NoteKind, text: str, *, actor: str, at: datetime) -> None:
    repository.add(session, NoteRow(case_id=row.id, kind=kind, text=text, author=actor[:80], at=at))


def _audit(
    session: Session, row: CaseRow, action: str, actor: str, *, at: datetime, detail: dict[str, Any] | None = None
) -> None:
    audit.record(
        session, actor=actor, action=f"feedback.{action}", target=f"feedback:{row.number}", at=at, detail=detail
    )


def _for_reader(case: Case) -> Case:
    """Who of the library works on it is not the reader's to know."""
    told = tuple(replace(note, author="") for note in case.notes if note.kind in TOLD)
    return replace(case, notes=told, owner="", escalated_at=None)


def _case(row: CaseRow, notes: Sequence[NoteRow]) -> Case:
    return Case(
        number=row.number, patron_id=row.patron_id, contact=row.contact, kind=row.kind, place=row.place, text=row.text,
        state=row.state, owner=row.owner, opened_at=row.opened_at, due_at=row.due_at, answered_at=row.answered_at,
        closed_at=row.closed_at, escalated_at=row.escalated_at, rating=row.rating,
        notes=tuple(Note(one.kind, one.text, one.author, one.at) for one in notes),
    )  # fmt: skip
