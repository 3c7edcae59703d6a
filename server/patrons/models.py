"""Tables of the patrons domain."""

from __future__ import annotations

from datetime import date

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base


class PatronRow(Base):
    """Somebody who may borrow."""

    __tablename__ = "patron"

    id: Mapped[int] = mapped_column(primary_key=True)
    card: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    pin_hash: Mapped[str] = mapped_column(String(200))
    language: Mapped[str | None] = mapped_column(String(16))
    expires_on: Mapped[date | None]
    blocked: Mapped[bool] = mapped_column(default=False)
