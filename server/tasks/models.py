"""Tables of the tasks domain."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base

OPEN = text("resolved_at IS NULL")


class TaskRow(Base):
    """Something that staff should look at; `at` is when it happened, `detail` is JSON."""

    __tablename__ = "staff_task"
    __table_args__ = (Index("ix_staff_task_open_kind", "kind", "at", sqlite_where=OPEN, postgresql_where=OPEN),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(24))
    code: Mapped[str] = mapped_column(String(40))
    branch: Mapped[str] = mapped_column(String(63))
    at: Mapped[datetime]
    created_at: Mapped[datetime]
    item_id: Mapped[int | None] = mapped_column(ForeignKey("item.id"), index=True)
    patron_id: Mapped[int | None] = mapped_column(ForeignKey("patron.id"), index=True)
    detail: Mapped[str] = mapped_column(Text, default="{}")
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str] = mapped_column(String(80), default="")
    resolution: Mapped[str] = mapped_column(String(40), default="")
    note: Mapped[str] = mapped_column(String(500), default="")
