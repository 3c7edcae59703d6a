"""All SQL of the search. docs/search.md says in which order records are listed, and why both databases agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    select,
    true,
)  # fmt: skip
from sqlalchemy.orm import Session

from server.catalogue.models import ItemRow
from server.catalogue.policy import GONE
from server.catalogue.search.engines import Engine
from server.catalogue.search.models import SearchDocumentRow
from server.catalogue.search.query import Field, Query, Term
from server.catalogue.search.text import BETWEEN

RANKED = 1000
"""Up to so many hits are put in order by what they are; of more, only titles that begin so come before the newest."""

COUNTED = 10_000
"""Hits beyond are not counted."""

FIELD_NAMES: tuple[Field, ...] = ("title", "author", "subject", "other")

_LAST = "\U0010ffff"

_document: Any = SearchDocumentRow.__table__.c
_item: Any = ItemRow.__table__.c


@dataclass(frozen=True, slots=True)
class Filters:
    """What hits are limited to; None does not limit."""

    kind: str | None = None
    language: str | None = None
    class_letter: str | None = None
    year_from: int | None = None
    year_to: int | None = None
    branch: str | None = None
    available: bool = False

    def __bool__(self) -> bool:
        return self != Filters()


@dataclass(frozen=True, slots=True)
class Page:
    """Ids of a part of the hits and how many there are, no more than one above COUNTED."""

    ids: tuple[int, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Hits:
    """The records that hold all terms and pass the filters, or all that pass them if there are no terms."""

    session: Session
    engine: Engine
    query: Query
    filters: Filters

    def page(self, limit: int, offset: int) -> Page:
        """Some of them in their order."""
        if not self.query.terms:
            return self._by_title(limit, offset)
        if ranked := self._ranked(limit, offset):
            return ranked
        total = self._count()
        return Page((), total) if total <= RANKED else Page(self._broad(limit, offset), total)

    def newest(self, most: int) -> Select[Any]:
        """Ids of the newest, at most so many."""
        if not self.query.terms:
            chosen = select(_document.record_id).where(*_passing(self.filters))
            return chosen.order_by(_document.record_id.desc()).limit(most)
        return self._matching(self.query.terms).order_by(self.engine.NEWEST_FIRST).limit(most)

    def with_all(self, wanted: Sequence[Sequence[Term]], most: int) -> list[list[int]]:
        """Of each some terms the newest that hold them all, in no order, whatever the query is."""
        newest = [self._matching(terms).order_by(self.engine.NEWEST_FIRST).limit(most) for terms in wanted]
        return [_ids(told) for told in self._told(newest)]

    def all_with(self, terms: Sequence[Term], most: int) -> list[list[int] | None]:
        """Of each term all that hold it, in no order; None if there are more than so many, which is cheaper than any
        of them."""
        told = self._told([self._matching((term,)).limit(most + 1) for term in terms])
        return [_ids(one) if one.count(",") < most else None for one in told]

    def _told(self, chosen: Sequence[Select[Any]]) -> list[str]:
        """Ids of each in one text, asked for at once: thousands of rows, or a dozen questions, take several times as
        long."""
        if not chosen:
            return []
        texts = [func.aggregate_strings(cast(some.subquery().c.record_id, String), ",") for some in chosen]
        row = self.session.execute(select(*(select(one).scalar_subquery() for one in texts))).one()
        return [told or "" for told in row]

    def _matching(self, terms: Sequence[Term]) -> Select[Any]:
        chosen = select(self.engine.RECORD_ID.label("record_id")).where(self.engine.matching(terms))
        if self.filters:
            source: FromClause = self.engine.INDEX.join(
                SearchDocumentRow.__table__, _document.record_id == self.engine.RECORD_ID
            )
            chosen = chosen.select_from(source).where(*_passing(self.filters))
        return chosen

    def _ranked(self, limit: int, offset: int) -> Page | None:
        """None if there are none there, or more hits than RANKED: the database then looks at none of them."""
        hit = self._matching(self.query.terms).limit(RANKED + 1).cte("hit")
        total = select(func.count()).select_from(hit).scalar_subquery()
        chosen = select(_document.record_id, total).join(hit, hit.c.record_id == _document.record_id)
        ordered = chosen.where(total <= RANKED).order_by(*_order(self.query, _free(hit, self.filters.branch)))
        rows = self.session.execute(ordered.limit(limit).offset(offset)).all()
        return Page(tuple(row[0] for row in rows), rows[0][1]) if rows else None

    def _broad(self, limit: int, offset: int) -> tuple[int, ...]:
        """Titles that begin so, by title; then the newest. What is not counted is not listed either."""
        begins = _begins(self.query)
        if begins is None:
            return self._newest(limit, offset)
        chosen = select(_document.record_id).where(begins, *_passing(self.filters))
        ordered = chosen.order_by(_document.sort_key, _document.record_id)
        first = tuple(self.session.scalars(ordered.limit(limit).offset(offset)))
        if len(first) == limit:
            return first
        before = offset + len(first) if first else self._number(chosen)
        return first + self._newest(limit - len(first), max(0, offset - before), without=begins)

    def _newest(self, limit: int, offset: int, *, without: ColumnElement[bool] | None = None) -> tuple[int, ...]:
        hit = self.newest(COUNTED + 1).cte("hit")
        others = select(hit.c.record_id)
        if without is not None:
            others = others.where(hit.c.record_id.not_in(select(_document.record_id).where(without)))
        return tuple(self.session.scalars(others.order_by(hit.c.record_id.desc()).limit(limit).offset(offset)))

    def _by_title(self, limit: int, offset: int) -> Page:
        chosen = select(_document.record_id).where(*_passing(self.filters))
        ids = self.session.scalars(chosen.order_by(_document.sort_key, _document.record_id).limit(limit).offset(offset))
        if self.filters:
            return Page(tuple(ids), self._count())
        return Page(tuple(ids), self._number(select(_document.record_id)))

    def _count(self) -> int:
        return self._number(self.newest(COUNTED + 1).order_by(None))

    def _number(self, chosen: Select[Any]) -> int:
        return self.session.scalar(select(func.count()).select_from(chosen.subquery())) or 0


def _ids(told: str) -> list[int]:
    return [int(one) for one in told.split(",")] if told else []


def _passing(filters: Filters) -> list[ColumnElement[bool]]:
    """The conditions on `search_document` that filters make."""
    equal = {name: getattr(filters, name) for name in ("kind", "language", "class_letter")}
    passing = [_document[name] == value for name, value in equal.items() if value is not None]
    if filters.year_from is not None:
        passing.append(_document.year >= filters.year_from)
    if filters.year_to is not None:
        passing.append(_document.year <= filters.year_to)
    if filters.available:
        passing.append(_has_copy(is_free(), filters.branch))
    elif filters.branch is not None:
        passing.append(_has_copy(_item.status.not_in(GONE), filters.branch))
    return passing


def is_free() -> ColumnElement[bool]:
    """Whether an item can be borrowed now."""
    return and_(_item.status == "on_shelf", _item.for_loan)


def _has_copy(such: ColumnElement[bool], branch: str | None) -> ColumnElement[bool]:
    there = true() if branch is None else _item.at_branch == branch
    return exists(select(literal(1)).where(_item.record_id == _document.record_id, such, there))


def _free(hit: CTE, branch: str | None) -> CTE:
    """Those hits of which a copy can be borrowed now. As a condition on each hit, PostgreSQL would ask it of all items
    of the library as long as it does not know how few the hits are."""
    there = true() if branch is None else _item.at_branch == branch
    copies = select(_item.record_id).join(hit, hit.c.record_id == _item.record_id)
    return copies.where(is_free(), there).cte("free")


def _order(query: Query, free: CTE) -> list[ColumnElement[Any]]:
    """Titles that are the query, that begin so, that hold all its words, others; of each what is on a shelf first."""
    here = case((_document.record_id.in_(select(free.c.record_id)), 0), else_=1)
    return [*_tier(query), here, _document.sort_key, _document.record_id]


def _tier(query: Query) -> list[ColumnElement[int]]:
    terms = query.title_terms
    if not terms:
        return []
    end = "" if terms[-1].prefix else " "
    title = _document.title
    return [
        case(
            (title.like(f"%{BETWEEN} {query.title} {BETWEEN}%"), 0),
            (title.like(f"%{BETWEEN} {query.title}{end}%"), 1),
            (and_(*(title.like(f"% {holds(term)}%") for term in terms)), 2),
            else_=3,
        )
    ]


def holds(term: Term) -> str:
    """What stands in index text, after a space, where a term occurs."""
    return " ".join(term.words) + ("" if term.prefix else " ")


def _begins(query: Query) -> ColumnElement[bool] | None:
    """Whether a title is the query or begins so, told by the sort key; None where that does not make it a hit."""
    if query.title_terms != query.terms:
        return None
    end = _LAST if query.terms[-1].prefix else "!"  # the character after the space
    return and_(_document.sort_key >= query.title, _document.sort_key < query.title + end)


def with_sort_key(session: Session, key: str) -> tuple[int, ...]:
    """Records with this title."""
    chosen = select(_document.record_id).where(_document.sort_key == key).order_by(_document.record_id)
    return tuple(session.scalars(chosen))


@dataclass(frozen=True, slots=True)
class Text:
    """Index text of a record, each field between spaces; under None that of all."""

    record_id: int
    sort_key: str
    fields: dict[Field | None, str]


def texts(session: Session, record_ids: Sequence[int]) -> list[Text]:
    """Of these records."""
    chosen = select(_document.record_id, _document.sort_key, *(_document[name] for name in FIELD_NAMES))
    rows = session.execute(chosen.where(_document.record_id.in_(record_ids)))
    found = []
    for record_id, sort_key, *told in rows:
        fields: dict[Field | None, str] = {n: f" {text} " for n, text in zip(FIELD_NAMES, told, strict=True)}
        fields[None] = BETWEEN.join(fields.values())
        found.append(Text(record_id, sort_key, fields))
    return found
