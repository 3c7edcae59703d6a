"""Tables of the alarms domain."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base


class AlarmRow(Base):
    """The newest state of one alarm, as its panel has it; a lower `version` never replaces a higher one."""

    __tablename__ = "alarm"

    id: Mapped[str] = mapped_column(String(96), primary_key=True)
    gateway: Mapped[str] = mapped_column(String(63))
    version: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    severity: Mapped[str] = mapped_column(String(16))
    place: Mapped[str] = mapped_column(String(63))
    state: Mapped[str] = mapped_column(String(16), index=True)
    raised_at: Mapped[datetime] = mapped_column(index=True)
    silenced: Mapped[bool]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None] = mapped_column(String(80))
    reset_at: Mapped[datetime | None] = mapped_column(index=True)
    reset_by: Mapped[str | None] = mapped_column(String(80))
    causes: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


class AlarmActionRow(Base):
    """What a person asked a panel to do about an alarm; how it ended is in the outbox's answer, copied here."""

    __tablename__ = "alarm_action"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    alarm_id: Mapped[str] = mapped_column(ForeignKey("alarm.id"), index=True)
    action: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(16), default="sent")
    code: Mapped[str] = mapped_column(String(64), default="")
