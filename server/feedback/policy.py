"""The life of a feedback case as one table, its number and its deadline. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from carrel.clock import end_of_day, local_date
from server.feedback.states import WAITING, State
from server.lending.policy import Calendar

Kind = Literal["complaint", "fault", "question", "idea", "praise"]
Trigger = Literal["answer", "close", "reopen"]
NoteKind = Literal["answer", "public", "internal", "reader"]

NEXT: dict[tuple[str, Trigger], State] = {
    ("open", "answer"): "answered",
    ("reopened", "answer"): "answered",
    ("answered", "answer"): "answered",
    ("open", "close"): "closed",
    ("reopened", "close"): "closed",
    ("answered", "close"): "closed",
    ("answered", "reopen"): "reopened",
    ("closed", "reopen"): "reopened",
}

ANONYMOUS_PER_HOUR = 30
PATRON_PER_DAY = 10


def next_state(state: str, trigger: Trigger) -> State | None:
    """What becomes of a case; None if this cannot be done now."""
    return NEXT.get((state, trigger))


def number_of(year: int, count: int) -> str:
    """A case's number; more than 9999 in a year simply get longer."""
    return f"{year}-{count:04}"


def deadline(now: datetime, days: int, *, calendar: Calendar, zone: ZoneInfo, branch: str) -> datetime:
    """The end of so many of the branch's open days after today."""
    return end_of_day(calendar.add_open_days(local_date(now, zone), days, branch), zone)


def is_overdue(state: str, due_at: datetime, now: datetime) -> bool:
    """Whether the library owes an answer that it promised for earlier."""
    return state in WAITING and due_at < now


def may_rate(state: str) -> bool:
    """A reader judges an answer when there is one."""
    return state in ("answered", "closed")
