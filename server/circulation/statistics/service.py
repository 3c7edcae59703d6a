"""Counts of loans, returns and renewals. Whoever asks gets numbers and, of loans that are late, whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session

from server.circulation.statistics import repository
from server.circulation.statistics.repository import During, Event, Group

__all__ = ["During", "Event", "Group"]

AT_ONCE = 500
"""So many keys are asked for in one statement."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How often something happened, and behind it: patrons that are known and loans whose patron is forgotten."""

    count: int
    patrons: int
    forgotten: int

    @property
    def size(self) -> int:
        """How many people may be behind it: a forgotten loan counts as somebody's of their own."""
        return self.patrons + self.forgotten


@dataclass(frozen=True, slots=True)
class Late:
    """A loan that is overdue; `patron_id` None when an offline journal brought a loan of nobody known."""

    item_id: int
    patron_id: int | None
    branch: str
    due_at: datetime
    renewals: int


def by_quarter(session: Session, event: Event, during: During) -> dict[int, int]:
    """How often it happened in each quarter of an hour since 1970: zones differ from UTC by whole quarters."""
    return repository.by_quarter(session, event, during)


def by_group(session: Session, event: Event, group: Group, during: During) -> dict[str, Tally]:
    """How often it happened at each branch, to each class of patrons or to each type of items."""
    return {row[0]: Tally(*row[1:]) for row in repository.by_group(session, event, group, during)}


def by_title(
    session: Session, titles: Select[Any], during: During, *, least: int, limit: int,
    only: Sequence[int] = (),
) -> dict[int, Tally]:  # fmt: skip
    """The records lent most, most first, leaving out those with fewer than `least` people behind their loans.

    `titles` is the catalogue's (item_id, record_id) of every item; `only` names the records asked for.
    """
    rows = repository.by_title(session, titles, during, least=least, limit=limit, only=only)
    return {row[0]: Tally(*row[1:]) for row in rows}


def overdue(
    session: Session, now: datetime, branch: str | None, *, limit: int, offset: int = 0
) -> tuple[int, list[Late]]:
    """How many loans are late, and a part of them, the latest first."""
    total, rows = repository.overdue(session, now, branch, limit=limit, offset=offset)
    return total, [Late(*row) for row in rows]


def lent_since(at: datetime) -> Select[Any]:
    """The `item_id` of items lent since or on loan now, as a query that the catalogue can take into its own."""
    return repository.lent_since(at)


def last_lent(session: Session, item_ids: Sequence[int]) -> dict[int, datetime]:
    """When each of these items was last lent, if ever."""
    found: dict[int, datetime] = {}
    for first in range(0, len(item_ids), AT_ONCE):
        found |= repository.last_lent(session, item_ids[first : first + AT_ONCE])
    return found
