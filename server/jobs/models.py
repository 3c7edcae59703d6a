"""Tables of the jobs domain."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Float, LargeBinary, String, Unicode
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base

STORE = "background_job"


class JobRow(Base):
    """The table that APScheduler's store reads and writes; its columns are that library's."""

    __tablename__ = STORE

    id: Mapped[str] = mapped_column(Unicode(191), primary_key=True)
    next_run_time: Mapped[float | None] = mapped_column(Float(25), index=True)
    job_state: Mapped[bytes] = mapped_column(LargeBinary)


class TurnRow(Base):
    """Which process has a job in hand, until when at most, and for which slot of time it was last done."""

    __tablename__ = "job_turn"

    job: Mapped[str] = mapped_column(String(40), primary_key=True)
    slot: Mapped[str] = mapped_column(String(40))
    holder: Mapped[str] = mapped_column(String(32))
    held_until: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
