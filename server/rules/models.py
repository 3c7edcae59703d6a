"""Tables of the rules."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base


class RuleBookRow(Base):
    """One version of the rules, never changed again; `body` is a RuleBook as JSON."""

    __tablename__ = "rule_book"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    author: Mapped[str] = mapped_column(String(80))
    note: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
