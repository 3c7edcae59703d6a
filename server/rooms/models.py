"""Tables of the rooms domain."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Double, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base

NOT_OVER = text("ended_at IS NULL")


class OverrideRow(Base):
    """A person's wish for an actuator: who, what, until when, and how it ended.

    `state`: sent (no answer yet), in_force, refused (`code` says why), ended (`end` says how).
    """

    __tablename__ = "room_override"
    __table_args__ = (
        Index("ix_room_override_open", "gateway", "actuator", sqlite_where=NOT_OVER, postgresql_where=NOT_OVER),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    gateway: Mapped[str] = mapped_column(String(63))
    room: Mapped[str] = mapped_column(String(63))
    actuator: Mapped[str] = mapped_column(String(63))
    value: Mapped[float] = mapped_column(Double)
    by: Mapped[str] = mapped_column(String(80))
    subject: Mapped[str] = mapped_column(String(80), default="")
    created_at: Mapped[datetime]
    until: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(16))
    code: Mapped[str] = mapped_column(String(64), default="")
    confirmed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    end: Mapped[str | None] = mapped_column(String(16))
    cancelled_by: Mapped[str | None] = mapped_column(String(80))
