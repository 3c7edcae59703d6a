"""Notices to patrons, and the jobs that the server does by itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.db import UtcDateTime

revision = "v0010"
down_revision = "v0008"


def upgrade() -> None:
    """One step forward."""
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("token", sa.String(32), nullable=False, unique=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("patron_id", sa.Integer, sa.ForeignKey("patron.id"), index=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("next_at", UtcDateTime, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("claimed_by", sa.String(32), nullable=False),
        sa.Column("claimed_until", UtcDateTime),
        sa.Column("settled_at", UtcDateTime, index=True),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'sending', 'sent', 'failed', 'dropped')", name="state"),
    )
    op.create_index("ix_notice_state_next_at", "notice", ["state", "next_at"])
    op.create_table(
        "notice_line",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("notice_id", sa.Integer, sa.ForeignKey("notice.id"), nullable=False, index=True),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("about", sa.String(40), nullable=False),
        sa.Column("step", sa.String(40), nullable=False),
        sa.UniqueConstraint("about", "kind", "step", "channel"),
    )
    _jobs()


def _jobs() -> None:
    op.create_table(
        "background_job",
        sa.Column("id", sa.Unicode(191), primary_key=True),
        sa.Column("next_run_time", sa.Float(25), index=True),
        sa.Column("job_state", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "job_turn",
        sa.Column("job", sa.String(40), primary_key=True),
        sa.Column("slot", sa.String(40), nullable=False),
        sa.Column("holder", sa.String(32), nullable=False),
        sa.Column("held_until", UtcDateTime),
        sa.Column("done_at", UtcDateTime),
    )
