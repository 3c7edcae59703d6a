"""How hits divide, and where their items are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from server.catalogue.models import ItemRow
from server.catalogue.policy import GONE
from server.catalogue.search.models import SearchDocumentRow
from server.catalogue.search.repository import Hits, is_free

FACETED = 1000
"""So many hits, the newest, are looked at."""

_document: Any = SearchDocumentRow.__table__.c
_item: Any = ItemRow.__table__.c

Counts = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Facets:
    """How many of the newest `of` hits have which value: the most frequent first, decades in order.

    `partial` says that there are more hits than were looked at.
    """

    kind: Counts = ()
    language: Counts = ()
    decade: Counts = ()
    class_letter: Counts = ()
    branch: Counts = ()
    available: int = 0
    of: int = 0
    partial: bool = False


@dataclass(frozen=True, slots=True)
class BranchCopies:
    """Of a record at one branch: items that are not gone, and those that can be borrowed now."""

    branch: str
    total: int
    available: int


@dataclass(slots=True)
class _Tally:
    kind: Counter[str] = field(default_factory=Counter)
    language: Counter[str] = field(default_factory=Counter)
    decade: Counter[str] = field(default_factory=Counter)
    class_letter: Counter[str] = field(default_factory=Counter)


def of(hits: Hits) -> Facets:
    """The facets of all hits, or of the newest if there are very many."""
    hit = hits.newest(FACETED + 1).cte("hit")
    values = (_document.kind, _document.language, _document.year, _document.class_letter)
    rows = hits.session.execute(
        select(func.count(), *values).join(hit, hit.c.record_id == _document.record_id).group_by(*values)
    ).all()
    tally = _Tally()
    for number, kind, language, year, letter in rows:
        tally.kind[kind] += number
        tally.language[language] += number
        tally.decade["" if year is None else f"{year // 10 * 10}"] += number
        tally.class_letter[letter] += number
    looked_at = sum(tally.kind.values())
    branch, available = _branches(hits)
    return Facets(
        kind=_most(tally.kind),
        language=_most(tally.language),
        decade=tuple(sorted(pair for pair in tally.decade.items() if pair[0])),
        class_letter=_most(tally.class_letter),
        branch=branch,
        available=available,
        of=min(looked_at, FACETED),
        partial=looked_at > FACETED,
    )


def _branches(hits: Hits) -> tuple[Counts, int]:
    """(records by branch that has an item of them, records of which an item can be borrowed now)."""
    hit = hits.newest(FACETED + 1).cte("hit")
    free = case((is_free(), 1), else_=0)
    per_record = (
        select(_item.record_id, _item.at_branch, func.max(free).label("free"))
        .join(hit, hit.c.record_id == _item.record_id)
        .where(_item.status.not_in(GONE))
        .group_by(_item.record_id, _item.at_branch)
        .subquery()
    )
    c = per_record.c
    rows = hits.session.execute(select(c.record_id, c.at_branch, c.free)).all()
    branches = Counter(row[1] for row in rows)
    return _most(branches), len({row[0] for row in rows if row[2]})


def copies(session: Session, record_ids: Sequence[int]) -> dict[int, tuple[BranchCopies, ...]]:
    """Of each record its items by branch, in the branches' order."""
    chosen = (
        select(_item.record_id, _item.at_branch, func.count(), func.sum(case((is_free(), 1), else_=0)))
        .where(_item.record_id.in_(record_ids), _item.status.not_in(GONE))
        .group_by(_item.record_id, _item.at_branch)
        .order_by(_item.record_id, _item.at_branch)
    )
    found: dict[int, tuple[BranchCopies, ...]] = {}
    for record_id, branch, total, available in session.execute(chosen):
        found[record_id] = (*found.get(record_id, ()), BranchCopies(branch, total, int(available)))
    return found


def _most(counts: Counter[str]) -> Counts:
    """The most frequent first, without what nobody has told."""
    return tuple(sorted((pair for pair in counts.items() if pair[0]), key=lambda pair: (-pair[1], pair[0])))
