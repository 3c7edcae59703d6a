"""Tables of the catalogue domain."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base

STATUSES = (
    "on_shelf", "on_loan", "on_hold_shelf", "in_transit", "missing", "lost", "repair", "withdrawn", "in_processing",
)  # fmt: skip


class RecordRow(Base):
    """A bibliographic record: the work, of which items are copies.

    `marc` is the whole record as MARC-in-JSON, of which the columns are an extract; `edited` names the columns that
    people have written, `pool` marks records that are kept to be taken over when a copy of them is bought.
    """

    __tablename__ = "record"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(500))
    author: Mapped[str] = mapped_column(String(300), default="")
    year: Mapped[str] = mapped_column(String(40), default="")
    edition: Mapped[str] = mapped_column(String(200), default="")
    language: Mapped[str] = mapped_column(String(16), default="")
    isbn: Mapped[str] = mapped_column(String(20), default="")
    class_number: Mapped[str] = mapped_column(String(40), default="")
    call_number: Mapped[str] = mapped_column(String(60), default="")
    kind: Mapped[str] = mapped_column(String(20), default="book")
    publisher: Mapped[str] = mapped_column(String(300), default="")
    subjects: Mapped[str] = mapped_column(Text, default="")
    summary: Mapped[str] = mapped_column(Text, default="")
    title_alt: Mapped[str] = mapped_column(Text, default="")
    author_alt: Mapped[str] = mapped_column(Text, default="")
    control_number: Mapped[str] = mapped_column(String(64), default="", index=True)
    marc_format: Mapped[str | None] = mapped_column(String(10))
    marc: Mapped[str | None] = mapped_column(Text, deferred=True)
    edited: Mapped[str] = mapped_column(String(300), default="")
    suppressed: Mapped[bool] = mapped_column(default=False)
    pool: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


HIDDEN = RecordRow.suppressed & ~RecordRow.pool
"""Titles of the library that readers do not find."""
Index(
    "ix_record_hidden",
    RecordRow.id,
    sqlite_where=text("suppressed = 1 AND pool = 0"),
    postgresql_where=text("suppressed AND NOT pool"),
)


class RecordIsbnRow(Base):
    """Every ISBN of a record in its form of 13 digits."""

    __tablename__ = "record_isbn"

    isbn: Mapped[str] = mapped_column(String(13), primary_key=True)
    record_id: Mapped[int] = mapped_column(ForeignKey("record.id", ondelete="CASCADE"), primary_key=True, index=True)


class ItemRow(Base):
    """A copy, known by its barcode. `branch` owns it, `at_branch` is where it is; `price` is in minor units.

    `transit_to` is where it is being sent, and `stays` whether it stays there until it comes back from its next loan.
    """

    __tablename__ = "item"
    __table_args__ = (
        CheckConstraint("status IN ({})".format(", ".join(f"'{status}'" for status in STATUSES)), name="status"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    barcode: Mapped[str] = mapped_column(String(32), unique=True)
    record_id: Mapped[int] = mapped_column(ForeignKey("record.id"), index=True)
    location: Mapped[str] = mapped_column(String(60), default="")
    call_number: Mapped[str] = mapped_column(String(60), default="")
    status: Mapped[str] = mapped_column(String(16), default="on_shelf")
    for_loan: Mapped[bool] = mapped_column(default=True)
    branch: Mapped[str] = mapped_column(String(63), default="")
    at_branch: Mapped[str] = mapped_column(String(63), default="")
    type: Mapped[str] = mapped_column(String(40), default="book")
    price: Mapped[int | None]
    tags: Mapped[int] = mapped_column(default=1)
    note: Mapped[str] = mapped_column(Text, default="")
    last_seen_at: Mapped[datetime | None]
    transit_to: Mapped[str | None] = mapped_column(String(63))
    stays: Mapped[bool] = mapped_column(default=False, server_default=false())


class ClassRow(Base):
    """A class finer than the main classes, from a table that the library has imported."""

    __tablename__ = "classification"

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    caption_zh: Mapped[str] = mapped_column(String(200))
    caption_en: Mapped[str] = mapped_column(String(200))


class ImportRow(Base):
    """An import of a MARC file: what was asked, and how far it is.

    `offset` is the byte behind the last record that is accounted for: it, the counts and what the records became are
    committed together, so an import that was killed goes on there. `worker` said at `beat_at` that it is at it.
    """

    __tablename__ = "marc_import"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(index=True)
    subject: Mapped[str] = mapped_column(String(80))
    origin: Mapped[str] = mapped_column(String(10))
    file_name: Mapped[str] = mapped_column(String(200))
    digest: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    options: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(16), index=True)
    code: Mapped[str] = mapped_column(String(64), default="")
    offset: Mapped[int] = mapped_column(BigInteger, default=0)
    read: Mapped[int] = mapped_column(default=0)
    new: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    skipped: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    items: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(String(32))
    beat_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class ImportProblemRow(Base):
    """What was wrong with one record of an import; `fatal` when the record was not taken over."""

    __tablename__ = "marc_import_problem"
    __table_args__ = (Index("ix_marc_import_problem_place", "import_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    import_id: Mapped[str] = mapped_column(ForeignKey("marc_import.id", ondelete="CASCADE"))
    number: Mapped[int]
    offset: Mapped[int] = mapped_column(BigInteger)
    control_number: Mapped[str] = mapped_column(String(64))
    fatal: Mapped[bool]
    code: Mapped[str] = mapped_column(String(64))
    detail: Mapped[str] = mapped_column(Text)


class LookupRow(Base):
    """What another library's catalogue answered about an ISBN; an empty `marc` says that it had nothing."""

    __tablename__ = "isbn_lookup"

    isbn: Mapped[str] = mapped_column(String(13), primary_key=True)
    source: Mapped[str] = mapped_column(String(200), primary_key=True)
    marc_format: Mapped[str] = mapped_column(String(10))
    marc: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(index=True)
