"""Keeps the index: what each record's document says, and when it is written."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Row, delete, or_, select, text
from sqlalchemy.orm import Session

from server.catalogue.models import ItemRow, RecordIsbnRow, RecordRow
from server.catalogue.search.engines import engine_of
from server.catalogue.search.models import SORT_LENGTH, SearchDocumentRow
from server.catalogue.search.text import BETWEEN, isbn_forms, joined, words
from server.db import Database

RULES = 3
"""The version of how documents are made, `text` included; when it is raised, servers make them anew as they start."""

AT_ONCE = 500
SAID_EVERY = 20_000

_record: Any = RecordRow.__table__.c
_item: Any = ItemRow.__table__.c
_isbn: Any = RecordIsbnRow.__table__.c
_document: Any = SearchDocumentRow.__table__.c

_NAMES = tuple(column.name for column in SearchDocumentRow.__table__.columns)
_STORE = text(
    f"INSERT INTO search_document ({', '.join(_NAMES)}) VALUES ({', '.join(f':{name}' for name in _NAMES)})"  # noqa: S608  # our own names
    f" ON CONFLICT (record_id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _NAMES[1:])}"
)
_FACTS = (
    "id", "title", "title_alt", "author", "author_alt", "subjects", "publisher", "isbn", "call_number", "class_number",
    "control_number", "kind", "language", "year",
)  # fmt: skip
_YEAR = re.compile(r"(?<![0-9])(?:1[0-9]|20)[0-9]{2}(?![0-9])")

log = logging.getLogger(__name__)


def index_records(session: Session, record_ids: Iterable[int], *, anew: bool = False) -> None:
    """Make the index say what these records and their items now say; part of the caller's transaction.

    Records that are gone, suppressed or only in the pool are taken out. What has not changed is not written, unless
    `anew` asks for it.
    """
    session.flush()
    for ids in _chunks(sorted(set(record_ids), reverse=True)):  # the newest first: the order of SQLite's index
        wanted = _documents(session, ids)
        stored = {} if anew else _stored(session, ids)
        changed = [document for document in wanted if stored.get(document["record_id"]) != document]
        gone = set(ids).difference(document["record_id"] for document in wanted)
        if gone:
            session.execute(delete(SearchDocumentRow).where(_document.record_id.in_(gone)))
        if changed:
            session.execute(_STORE, changed)
            engine_of(session).store(session, changed)


def reindex(database: Database, told: Callable[[int], None] = lambda _done: None) -> int:
    """Write every document anew, some hundred in a transaction, while everything runs; returns how many records."""
    done, below = 0, None
    while True:
        with database.writing() as session:
            chosen = select(_record.id).order_by(_record.id.desc()).limit(AT_ONCE)
            ids = list(session.scalars(chosen if below is None else chosen.where(_record.id < below)))
            index_records(session, ids, anew=True)
        if not ids:
            return done
        done, below = done + len(ids), ids[-1]
        told(done)


def bring_up_to_date(database: Database) -> None:
    """Index what is not, and what other rules than ours have made: after an update, or when that was interrupted."""
    with database.reading() as session:
        ids = list(session.scalars(_outdated()))
    if ids:
        log.info("indexing %d titles for the search", len(ids))
    for number, some in enumerate(_chunks(ids), 1):
        with database.writing() as session:
            index_records(session, some)
        if number * AT_ONCE % SAID_EVERY == 0:
            log.info("%d of %d titles are indexed", number * AT_ONCE, len(ids))


def _outdated() -> Any:
    source = RecordRow.__table__.outerjoin(SearchDocumentRow.__table__, _document.record_id == _record.id)
    return (
        select(_record.id)
        .select_from(source)
        .where(or_(_document.rules.is_(None), _document.rules != RULES), ~_record.suppressed, ~_record.pool)
        .order_by(_record.id.desc())
    )


def _stored(session: Session, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    rows = session.execute(select(SearchDocumentRow.__table__).where(_document.record_id.in_(ids)))
    return {row[0]: dict(zip(_NAMES, row, strict=True)) for row in rows}


def _documents(session: Session, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Of those of these records that readers may find, the newest first.

    The records are held, lest two transactions that add items to one of them each index their own alone.
    """
    chosen = select(*(_record[name] for name in _FACTS)).where(_record.id.in_(ids), ~_record.suppressed, ~_record.pool)
    rows = session.execute(chosen.order_by(_record.id.desc()).with_for_update(key_share=True)).all()
    numbers: defaultdict[int, list[str]] = defaultdict(list)
    calls = select(_item.record_id, _item.call_number).where(_item.record_id.in_(ids), _item.call_number != "")
    for record_id, call_number in session.execute(calls.order_by(_item.call_number)):
        numbers[record_id].append(call_number)
    isbns: defaultdict[int, list[str]] = defaultdict(list)
    for record_id, isbn in session.execute(select(_isbn.record_id, _isbn.isbn).where(_isbn.record_id.in_(ids))):
        isbns[record_id].append(isbn)
    return [document(row, isbns=sorted(isbns[row.id]), call_numbers=numbers[row.id]) for row in rows]


def document(row: Row[Any], *, isbns: Sequence[str], call_numbers: Sequence[str]) -> dict[str, Any]:
    """A row of `search_document`."""
    forms = [form for isbn in (row.isbn, *isbns) for form in isbn_forms(isbn)]
    numbers = (row.call_number, row.class_number, row.control_number, *call_numbers)
    titles = joined((row.title, *row.title_alt.split("\n")))
    return {
        "record_id": row.id,
        "title": f"{BETWEEN} {titles} {BETWEEN}",
        "author": joined((row.author, *row.author_alt.split("\n"))),
        "subject": joined(row.subjects.split("\n")),
        "other": joined((row.publisher, *forms, *numbers)),
        "sort_key": sort_key(row.title),
        "kind": row.kind,
        "language": row.language,
        "year": year_of(row.year),
        "class_letter": class_letter(row.class_number or row.call_number),
        "rules": RULES,
    }


def sort_key(title: str) -> str:
    """A title's words, by which titles are ordered and told apart."""
    return " ".join(words(title))[:SORT_LENGTH]


def year_of(text: str) -> int | None:
    """The first year of the Common Era that stands in a date as catalogued; None for a dynasty alone."""
    found = _YEAR.search(unicodedata.normalize("NFKC", text))
    return int(found[0]) if found else None


def class_letter(number: str) -> str:
    """The main class of a class or call number: a letter, a hundred of a decimal classification, or nothing."""
    first = unicodedata.normalize("NFKC", number).strip()[:1].upper()
    if first.isascii() and first.isalpha():
        return first
    return f"{first}00" if first.isascii() and first.isdigit() else ""


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[n : n + AT_ONCE] for n in range(0, len(ids), AT_ONCE))
