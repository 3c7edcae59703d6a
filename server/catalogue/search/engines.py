"""What differs between the databases: how terms are matched, and how documents get into the index.

`search_index` is a contentless FTS5 table on SQLite, kept by triggers on `search_document`, and a table of tsvectors
on PostgreSQL, kept by `store`. Both hold the same words at the same places.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import ColumnElement, FromClause
from sqlalchemy.orm import Session

from server.catalogue.search import postgresql, sqlite
from server.catalogue.search.query import Term
from server.db.transaction import kind_of


class Engine(Protocol):
    """Satisfied by the modules `sqlite` and `postgresql`."""

    INDEX: FromClause
    RECORD_ID: ColumnElement[int]
    NEWEST_FIRST: ColumnElement[int]
    """The order of INDEX in which the newest records come first."""

    def matching(self, terms: Sequence[Term]) -> ColumnElement[bool]:
        """Whether all terms, at least one, occur."""

    def store(self, session: Session, documents: Sequence[dict[str, Any]]) -> None:
        """Bring the index up to date with rows of `search_document` just stored."""


def engine_of(session: Session) -> Engine:
    """The one of the session's database."""
    return sqlite if kind_of(session) == "sqlite" else postgresql
