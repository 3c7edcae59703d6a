"""Tables of the lending domain."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base


class RuleRow(Base):
    """One rule of the matrix; '*' stands for any. Money in minor units."""

    __tablename__ = "lending_rule"

    patron_class: Mapped[str] = mapped_column(String(40), primary_key=True)
    item_type: Mapped[str] = mapped_column(String(40), primary_key=True)
    branch: Mapped[str] = mapped_column(String(63), primary_key=True)
    days: Mapped[int | None]
    hours: Mapped[int | None]
    renewals: Mapped[int]
    max: Mapped[int | None]
    fee_per_open_day: Mapped[int]
    grace_open_days: Mapped[int]
    cap: Mapped[int | None]
    allowed: Mapped[bool]


class SettingRow(Base):
    """The library's policy and calendar as JSON: one row. `token` is another one after each change, of rules too."""

    __tablename__ = "lending_setting"
    __table_args__ = (CheckConstraint("id = 1", name="only"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    token: Mapped[str] = mapped_column(String(32))
    policy: Mapped[str] = mapped_column(Text)
    calendar: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime]
    changed_by: Mapped[str] = mapped_column(String(80))


class AnswerRow(Base):
    """The request journal: what was answered to a caller's `request_id`, so that a repeat gets the same."""

    __tablename__ = "circulation_answer"

    actor: Mapped[str] = mapped_column(String(80), primary_key=True)
    request_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    answer: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime] = mapped_column(index=True)
