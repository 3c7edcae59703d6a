"""Searching the catalogue: which records, in which order, with which near ones, and how they divide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from server.catalogue.search import facets, near
from server.catalogue.search.documents import index_records, reindex, sort_key
from server.catalogue.search.engines import engine_of
from server.catalogue.search.facets import BranchCopies, Facets
from server.catalogue.search.query import parse
from server.catalogue.search.repository import COUNTED, Filters, Hits, with_sort_key
from server.catalogue.search.text import bare_isbn

__all__ = ["BranchCopies", "Facets", "Filters", "index_records", "reindex"]

NO_FILTERS = Filters()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched for; `facets` asks how the hits divide."""

    text: str
    limit: int
    offset: int = 0
    filters: Filters = NO_FILTERS
    facets: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """Part of the hits: `ids` in order, the first `exact` of all `total` as asked for and the others nearly so.

    `more` says that there are more than `total`.
    """

    ids: tuple[int, ...]
    total: int
    exact: int
    more: bool = False
    near: bool = False
    facets: Facets | None = None


def find(session: Session, wanted: Wanted) -> Listing:
    """The records that hold every term of a text, and near ones where these are few; all, by title, for no text."""
    query = parse(wanted.text)
    if query.asked and not query.terms:
        return Listing((), 0, 0, facets=Facets() if wanted.facets else None)
    hits = Hits(session, engine_of(session), query, wanted.filters)
    page = hits.page(wanted.limit, wanted.offset)
    divided = facets.of(hits) if wanted.facets else None
    if query.asked and near.wanted(hits, page.total):
        exact = page.ids if len(page.ids) == page.total else hits.page(near.FEW, 0).ids
        every = [*exact, *near.near(hits, exact)]
        if len(every) > len(exact):
            ids = tuple(every[wanted.offset : wanted.offset + wanted.limit])
            return Listing(ids, len(every), len(exact), near=True, facets=divided)
    if page.total > COUNTED and query.asked:
        return Listing(page.ids, COUNTED, COUNTED, more=True, facets=divided)
    return Listing(page.ids, page.total, page.total, facets=divided)


def titled(session: Session, text: str) -> tuple[int, ...]:
    """The records that are called so, case and variant characters apart, or have this ISBN."""
    if isbn := bare_isbn(text):
        return find(session, Wanted(isbn, COUNTED)).ids
    key = sort_key(text)
    return with_sort_key(session, key) if key else ()


def copies(session: Session, record_ids: Sequence[int]) -> dict[int, tuple[BranchCopies, ...]]:
    """Of each record the items that are not gone and those that can be borrowed now, by branch."""
    return facets.copies(session, record_ids)
