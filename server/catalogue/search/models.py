"""What the search knows of each record. The index itself is made by migration v0005: no ORM describes it."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base

SORT_LENGTH = 300


class SearchDocumentRow(Base):
    """Index text of a record that readers may find, and what results are filtered and sorted by.

    `title`, `author`, `subject` and `other` are words parted by spaces, as `search.text` makes them. `sort_key` is
    the title's, compared byte by byte on both databases. `rules` is the version of the rules that made the row.
    """

    __tablename__ = "search_document"
    __table_args__ = (Index("ix_search_document_sort", "sort_key", "record_id"),)

    record_id: Mapped[int] = mapped_column(
        ForeignKey("record.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    title: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    other: Mapped[str] = mapped_column(Text)
    sort_key: Mapped[str] = mapped_column(
        String(SORT_LENGTH).with_variant(String(SORT_LENGTH, collation="C"), "postgresql")
    )
    kind: Mapped[str] = mapped_column(String(20))
    language: Mapped[str] = mapped_column(String(16))
    year: Mapped[int | None]
    class_letter: Mapped[str] = mapped_column(String(4))
    rules: Mapped[int]
