"""When two suggestions are one, what may become of one, and which month counts. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

State = Literal["open", "ordered", "arrived", "declined"]
Answer = Literal["ordered", "arrived", "declined"]
Outcome = Literal["made", "voted", "voted_before"]

STATES: tuple[State, ...] = ("open", "ordered", "arrived", "declined")

NEXT: dict[str, tuple[Answer, ...]] = {
    "open": ("ordered", "arrived", "declined"),
    "ordered": ("arrived", "declined"),
    "declined": ("ordered", "arrived"),
    "arrived": (),
}
"""What a suggestion in a state may be answered; an arrived one is done with."""


def may_answer(state: str, answer: Answer) -> bool:
    """Whether a suggestion in this state may get this answer."""
    return answer in NEXT[state]


def may_vote(state: str) -> bool:
    """What has arrived needs no votes any more."""
    return state != "arrived"


def same_work(author: str, other: str) -> bool:
    """Whether two books of one title may be the same: their authors, as index text, do not contradict each other."""
    return (
        not author
        or not other
        or set(author.split()) <= set(other.split())
        or set(other.split()) <= set(author.split())
    )


def month_start(now: datetime, zone: ZoneInfo) -> datetime:
    """The first instant of the library's present month, in UTC."""
    first = now.astimezone(zone).date().replace(day=1)
    return datetime.combine(first, time.min, zone).astimezone(UTC)
