"""Tables of the edge's outbox."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base

UNANSWERED = text("status IS NULL")


class CommandRow(Base):
    """A command to a gateway; `status` is empty until it was answered or ran out of time."""

    __tablename__ = "edge_command"
    __table_args__ = (
        Index("ix_edge_command_unanswered", "expires_at", sqlite_where=UNANSWERED, postgresql_where=UNANSWERED),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    gateway: Mapped[str] = mapped_column(String(63))
    target: Mapped[str] = mapped_column(String(63))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime]
    status: Mapped[str | None] = mapped_column(String(16))
    code: Mapped[str] = mapped_column(String(64), default="")
    detail: Mapped[str] = mapped_column(Text, default="")
    answered_at: Mapped[datetime | None]
