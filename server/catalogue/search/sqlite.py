"""The index on SQLite: FTS5, whose `ascii` tokeniser parts our words at the spaces and decides nothing else.

Its Unicode tokeniser knows letters of Unicode 6.1 only and would drop younger characters of Chinese.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Integer, String, column, literal_column, table
from sqlalchemy.orm import Session

from server.catalogue.search.query import Term

INDEX = table("search_index", column("rowid", Integer))
RECORD_ID: ColumnElement[int] = -INDEX.c.rowid
NEWEST_FIRST: ColumnElement[int] = INDEX.c.rowid
"""Rows are numbered downwards, since FTS5 walks upwards several times as fast, and the newest are wanted first."""

_ITSELF = literal_column("search_index", String)


def matching(terms: Sequence[Term]) -> ColumnElement[bool]:
    """A MATCH; each term is quoted, so nothing in it is an operator."""
    found: ColumnElement[bool] = _ITSELF.op("MATCH", is_comparison=True)(expression(terms))
    return found


def expression(terms: Sequence[Term]) -> str:
    """The terms in FTS5's language."""
    return " AND ".join(_term(term) for term in terms)


def store(session: Session, documents: Sequence[dict[str, Any]]) -> None:
    """Nothing: triggers have done it."""


def _term(term: Term) -> str:
    phrase = " ".join(term.words).replace('"', '""')
    return f'{term.field + " : " if term.field else ""}"{phrase}"{" *" if term.prefix else ""}'
