"""Tables of the catalogue domain."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base


class RecordRow(Base):
    """A bibliographic record: the work, of which items are copies."""

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
    title_key: Mapped[str] = mapped_column(String(500), index=True)
    search_text: Mapped[str] = mapped_column(Text)


class ItemRow(Base):
    """A copy, known by its barcode."""

    __tablename__ = "item"
    __table_args__ = (CheckConstraint("status IN ('in_stock', 'on_loan', 'missing', 'withdrawn')", name="status"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    barcode: Mapped[str] = mapped_column(String(32), unique=True)
    record_id: Mapped[int] = mapped_column(ForeignKey("record.id"), index=True)
    location: Mapped[str] = mapped_column(String(60), default="")
    call_number: Mapped[str] = mapped_column(String(60), default="")
    status: Mapped[str] = mapped_column(String(16), default="in_stock")
    for_loan: Mapped[bool] = mapped_column(default=True)
