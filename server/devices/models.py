"""Tables of the networks domain."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base


class DeviceNameRow(Base):
    """A name that a device had; `until` is empty while it has it. Kept for ever: history is stored under names."""

    __tablename__ = "device_name"

    id: Mapped[int] = mapped_column(primary_key=True)
    gateway: Mapped[str] = mapped_column(String(63))
    ieee: Mapped[str] = mapped_column(String(23))
    name: Mapped[str] = mapped_column(String(63), index=True)
    since: Mapped[datetime]
    until: Mapped[datetime | None]
