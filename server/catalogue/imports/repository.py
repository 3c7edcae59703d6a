"""All SQL of imports and exports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, Row, and_, delete, func, insert, or_, select, text, update
from sqlalchemy.orm import Session

from server.catalogue.models import ImportProblemRow, ImportRow, ItemRow, RecordIsbnRow, RecordRow
from server.db.transaction import hot, kind_of

ONE_AT_A_TIME = 0x4D415243  # any number of ours
EXPORTED_AT_ONCE = 200
ASKED_AT_ONCE = 10_000
"""Both databases limit a statement's parameters, and a batch of serials has more copies than that."""
MAYBE_TOO_LONG = 2_400
"""Characters; each may take four bytes, and a field has room for 9,999."""

_RECORDS: Any = RecordRow.__table__
_ISBNS: Any = RecordIsbnRow.__table__
_ITEMS: Any = ItemRow.__table__
_PROBLEMS: Any = ImportProblemRow.__table__
_COLUMNS = _RECORDS.c
_ADD_RECORDS, _ADD_ITEMS = hot(insert(_RECORDS)), hot(insert(_ITEMS).inline())  # no key is asked for
_NEXT_KEYS = text("SELECT nextval(pg_get_serial_sequence('record', 'id')) FROM generate_series(1, :count)")
_KNOWN = (
    "id", "title", "title_alt", "author", "author_alt", "year", "edition", "language", "isbn", "class_number",
    "call_number", "publisher", "subjects", "summary", "kind", "control_number", "edited", "pool",
    "marc", "marc_format",
)  # fmt: skip

_LONG = ("marc", "summary", "subjects", "title_alt", "author_alt")
"""Columns that may be longer than a field."""


def queue_up(session: Session) -> None:
    """Wait for other imports' batches, which may hold the same records; SQLite has one writer anyway."""
    if kind_of(session) == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ONE_AT_A_TIME})


def count_items(session: Session) -> int:
    """Of all copies."""
    return session.scalar(select(func.count()).select_from(ItemRow)) or 0


def branches(session: Session) -> Sequence[str]:
    """That copies are of."""
    return session.scalars(select(ItemRow.branch).distinct()).all()


def known(session: Session, numbers: Sequence[str], isbns: Sequence[str]) -> list[Row[Any]]:
    """Records with one of these control numbers, of which a batch has no more than records, or ISBNs."""
    rows: dict[int, Row[Any]] = {}
    for part in _parts(isbns) or [()]:
        shared = select(RecordIsbnRow.record_id).where(RecordIsbnRow.isbn.in_(part))
        same = or_(_COLUMNS.control_number.in_(numbers), _COLUMNS.id.in_(shared))
        chosen = select(*(_COLUMNS[name] for name in _KNOWN)).where(same).order_by(_COLUMNS.id)
        rows |= {row.id: row for row in session.execute(chosen.with_for_update())}
    return [rows[id_] for id_ in sorted(rows)]


def isbns_of(session: Session, record_ids: Sequence[int]) -> Sequence[Row[int, str]]:
    """(record, ISBN) pairs."""
    query = select(RecordIsbnRow.record_id, RecordIsbnRow.isbn).where(RecordIsbnRow.record_id.in_(record_ids))
    return session.execute(query).all()


def new_keys(session: Session, count: int) -> Sequence[int]:
    """Keys for so many new records, ascending. To tell them afterwards, SQLite would need a statement a record; it has
    one writer, so these are those that it would give."""
    if kind_of(session) == "postgresql":
        return session.scalars(_NEXT_KEYS, {"count": count}).all()
    last = session.scalar(select(func.max(_COLUMNS.id))) or 0
    return range(last + 1, last + 1 + count)


def add_records(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """New records."""
    if rows:
        session.execute(_ADD_RECORDS, rows)


def update_record(session: Session, record_id: int, values: Mapping[str, Any]) -> None:
    """Set columns of a record."""
    session.execute(update(RecordRow).where(RecordRow.id == record_id).values(**values))


def drop_isbns(session: Session, record_ids: Sequence[int]) -> None:
    """Records' ISBNs, before they get others."""
    if record_ids:
        session.execute(delete(RecordIsbnRow).where(RecordIsbnRow.record_id.in_(record_ids)))


def add_isbns(session: Session, pairs: Iterable[tuple[int, str]]) -> None:
    """New (record, ISBN) pairs."""
    rows = [{"record_id": record_id, "isbn": isbn} for record_id, isbn in pairs]
    if rows:
        session.execute(insert(_ISBNS), rows)


def owners(session: Session, barcodes: Sequence[str]) -> dict[str, int]:
    """Of the barcodes that are taken, the record."""
    found: dict[str, int] = {}
    for part in _parts(barcodes):
        query = select(ItemRow.barcode, ItemRow.record_id).where(ItemRow.barcode.in_(part))
        found |= dict(session.execute(query).all())
    return found


def _parts(values: Sequence[str]) -> list[Sequence[str]]:
    return [values[start : start + ASKED_AT_ONCE] for start in range(0, len(values), ASKED_AT_ONCE)]


def add_items(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """New copies."""
    if rows:
        session.execute(_ADD_ITEMS, rows)


def add_problems(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Lines of a report."""
    if rows:
        session.execute(insert(_PROBLEMS), rows)


def problems(session: Session, import_id: str) -> Iterator[ImportProblemRow]:
    """A report, in the file's order."""
    query = select(ImportProblemRow).where(ImportProblemRow.import_id == import_id)
    return iter(session.scalars(query.order_by(ImportProblemRow.number, ImportProblemRow.id)))


def problem_counts(session: Session, import_id: str) -> dict[str, int]:
    """How often each problem occurred."""
    query = select(ImportProblemRow.code, func.count()).where(ImportProblemRow.import_id == import_id)
    return dict(session.execute(query.group_by(ImportProblemRow.code)).all())


def forget_problems(session: Session, import_id: str) -> None:
    """Begin a report anew."""
    session.execute(delete(ImportProblemRow).where(ImportProblemRow.import_id == import_id))


def add(session: Session, row: ImportRow) -> None:
    """A new import."""
    session.add(row)
    session.flush()


def get(session: Session, id_: str) -> ImportRow | None:
    """One import."""
    return session.get(ImportRow, id_)


def newest(session: Session, limit: int) -> list[ImportRow]:
    """The newest first."""
    return list(session.scalars(select(ImportRow).order_by(ImportRow.created_at.desc(), ImportRow.id).limit(limit)))


def unfinished(session: Session) -> int:
    """How many wait or run."""
    return session.scalar(select(func.count()).where(ImportRow.state.in_(("waiting", "running")))) or 0


def interrupted(session: Session, digest: str, options: Mapping[str, Any]) -> ImportRow | None:
    """An import of the same file in the same way from the command line that was not finished."""
    query = select(ImportRow).where(
        ImportRow.digest == digest, ImportRow.origin == "cli", ImportRow.state.in_(("waiting", "running"))
    )
    return next((row for row in session.scalars(query.order_by(ImportRow.created_at)) if row.options == options), None)


def any_due(session: Session, silent: datetime) -> bool:
    """Whether `due` would find one, without a lock."""
    return session.scalar(select(ImportRow.id).where(_is_due(silent)).limit(1)) is not None


def due(session: Session, silent: datetime) -> ImportRow | None:
    """The oldest uploaded import that waits or whose worker has gone silent; locked."""
    query = select(ImportRow).where(_is_due(silent)).order_by(ImportRow.created_at, ImportRow.id)
    return session.scalars(query.limit(1).with_for_update(skip_locked=True)).first()


def _is_due(silent: datetime) -> Any:
    orphaned = and_(ImportRow.state == "running", ImportRow.beat_at <= silent)
    return and_(ImportRow.origin == "upload", or_(ImportRow.state == "waiting", orphaned))


def change(session: Session, id_: str, by: str, **values: Any) -> bool:
    """Set columns of an import that this worker runs; False when it does not, or no longer."""
    mine = (ImportRow.id == id_, ImportRow.worker == by, ImportRow.state == "running")
    found = session.execute(update(ImportRow).where(*mine).values(**values))
    assert isinstance(found, CursorResult)
    return found.rowcount > 0


def remove(session: Session, id_: str) -> bool:
    """Forget an import with its report; False when there is none."""
    forget_problems(session, id_)
    found = session.execute(delete(ImportRow).where(ImportRow.id == id_))
    assert isinstance(found, CursorResult)
    return found.rowcount > 0


def finished_before(session: Session, at: datetime) -> list[str]:
    """Imports that ended until then."""
    return list(session.scalars(select(ImportRow.id).where(ImportRow.finished_at <= at)))


def one_marc(session: Session, record_id: int) -> Row[Any] | None:
    """A record with its MARC."""
    return session.execute(select(*(_COLUMNS[name] for name in _KNOWN)).where(_COLUMNS.id == record_id)).one_or_none()


def formats(session: Session, *, pool: bool) -> dict[str, int]:
    """How many records came in each format."""
    query = select(_COLUMNS.marc_format, func.count()).where(_COLUMNS.marc.is_not(None), _COLUMNS.pool.is_(pool))
    return dict(session.execute(query.group_by(_COLUMNS.marc_format)).all())


def long_marc(session: Session, *, pool: bool) -> Sequence[Row[Any]]:
    """Records so long, as they came or as people have written them, that a field may not fit into ISO 2709."""
    chosen = select(*(_COLUMNS[name] for name in _KNOWN)).where(_COLUMNS.pool.is_(pool))
    lengths = [func.length(func.coalesce(_COLUMNS[name], "")) for name in _LONG]
    return session.execute(chosen.where(sum(lengths[1:], lengths[0]) > MAYBE_TOO_LONG)).all()


def every_marc(session: Session, *, pool: bool = False) -> Iterator[Row[Any]]:
    """All records with their MARC, by key, some at a time."""
    last = 0
    columns = [_COLUMNS[name] for name in _KNOWN]
    while True:
        query = select(*columns).where(_COLUMNS.id > last, _COLUMNS.pool.is_(pool)).order_by(_COLUMNS.id)
        rows = session.execute(query.limit(EXPORTED_AT_ONCE)).all()
        if not rows:
            return
        yield from rows
        last = rows[-1].id
