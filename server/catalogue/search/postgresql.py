"""The index on PostgreSQL: tsvectors and tsqueries written out by us, so that no text search configuration matters.

Beside each word there is each pair of neighbouring Chinese characters as a lexeme of its own: a phrase of common
characters is looked up by its rarer pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, Integer, cast, column, table, text
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR
from sqlalchemy.orm import Session

from server.catalogue.search.query import Field, Term
from server.catalogue.search.text import BETWEEN, is_cjk

INDEX = table("search_index", column("record_id", Integer), column("vector", TSVECTOR))
RECORD_ID: ColumnElement[int] = INDEX.c.record_id
NEWEST_FIRST: ColumnElement[int] = -INDEX.c.record_id
"""An expression, lest the planner walk through all records by their key; it takes most phrases for frequent."""

FIELDS: dict[Field, str] = {"title": "A", "author": "B", "subject": "C", "other": "D"}
MOST_POSITIONS = 255
LAST_POSITION = 16_383

_STORE = text(
    "INSERT INTO search_index (record_id, vector) VALUES (:record_id, CAST(:vector AS tsvector))"
    " ON CONFLICT (record_id) DO UPDATE SET vector = excluded.vector"
)


def matching(terms: Sequence[Term]) -> ColumnElement[bool]:
    """A tsquery; each lexeme is quoted, so nothing in it is an operator."""
    found: ColumnElement[bool] = INDEX.c.vector.op("@@", is_comparison=True)(cast(expression(terms), TSQUERY))
    return found


def expression(terms: Sequence[Term]) -> str:
    """The terms in the language of tsquery."""
    return " & ".join(f"({_term(term)})" for term in terms)


def store(session: Session, documents: Sequence[dict[str, Any]]) -> None:
    """Write the vectors."""
    session.execute(_STORE, [{"record_id": one["record_id"], "vector": vector(one)} for one in documents])


def vector(document: dict[str, Any]) -> str:
    """A document's lexemes with their places; the field is told by the weight."""
    places: dict[str, list[str]] = {}
    at = 0
    for field, weight in FIELDS.items():
        found = document[field].split()
        for (word, other), place in zip(pairwise([*found, ""]), range(at + 1, LAST_POSITION), strict=False):
            if word == BETWEEN:
                continue
            _place(places, word, f"{place}{weight}")
            if is_cjk(word) and is_cjk(other):
                _place(places, word + other, f"{place}{weight}")
        at += len(found) + 1
    return " ".join(f"'{word}':{','.join(where)}" for word, where in places.items())


def _place(places: dict[str, list[str]], word: str, place: str) -> None:
    found = places.setdefault(word, [])
    if len(found) < MOST_POSITIONS:
        found.append(place)


def _term(term: Term) -> str:
    weight = FIELDS[term.field] if term.field else ""
    told, last = "", 0
    for place, lexeme in _lexemes(term.words):
        prefix = "*" if term.prefix and place == len(term.words) - 1 else ""
        marks = f":{prefix}{weight}" if prefix or weight else ""
        told += f" <{place - last}> " if told else ""
        told += "'{}'{}".format(lexeme.replace("\\", "\\\\").replace("'", "''"), marks)
        last = place
    return told


def _lexemes(words: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Each word's place and lexeme; pairs instead of their characters."""
    covered = False
    for place, (word, other) in enumerate(pairwise([*words, ""])):
        if is_cjk(word) and is_cjk(other):
            yield place, word + other
            covered = True
        elif covered:
            covered = False
        else:
            yield place, word
