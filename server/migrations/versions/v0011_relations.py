"""Feedback, purchase suggestions, news."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.db import UtcDateTime

revision = "v0011"
down_revision = "v0010"


def upgrade() -> None:
    """One step forward."""
    _feedback()
    _suggestions()
    op.create_table(
        "news",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("title_zh", sa.String(300), nullable=False),
        sa.Column("title_en", sa.String(300), nullable=False),
        sa.Column("text_zh", sa.Text, nullable=False),
        sa.Column("text_en", sa.Text, nullable=False),
        sa.Column("from_on", sa.Date, nullable=False),
        sa.Column("until_on", sa.Date),
        sa.Column("changed_at", UtcDateTime, nullable=False),
        sa.Column("changed_by", sa.String(80), nullable=False),
    )
    op.create_index("ix_news_from_on", "news", ["from_on"])


def _feedback() -> None:
    op.create_table(
        "feedback_counter",
        sa.Column("year", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("last", sa.Integer, nullable=False),
    )
    op.create_table(
        "feedback_case",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("number", sa.String(16), nullable=False, unique=True),
        sa.Column("patron_id", sa.Integer, sa.ForeignKey("patron.id"), index=True),
        sa.Column("contact", sa.String(300), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("place", sa.String(300), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("opened_at", UtcDateTime, nullable=False, index=True),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("answered_at", UtcDateTime),
        sa.Column("closed_at", UtcDateTime),
        sa.Column("escalated_at", UtcDateTime),
        sa.Column("rating", sa.Integer),
        sa.CheckConstraint("state IN ('open', 'answered', 'closed', 'reopened')", name="state"),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
    )
    op.create_index("ix_feedback_case_state_due", "feedback_case", ["state", "due_at"])
    op.create_table(
        "feedback_note",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "case_id", sa.Integer, sa.ForeignKey("feedback_case.id", ondelete="CASCADE"), nullable=False, index=True
        ),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("author", sa.String(80), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
    )


def _suggestions() -> None:
    op.create_table(
        "purchase_suggestion",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("title", sa.String(300), nullable=False),
        sa.Column("author", sa.String(300), nullable=False),
        sa.Column("isbn", sa.String(13), nullable=False, index=True),
        sa.Column("title_key", sa.String(600), nullable=False, index=True),
        sa.Column("author_key", sa.String(600), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("state", sa.String(10), nullable=False, index=True),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("record_id", sa.Integer, sa.ForeignKey("record.id")),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("answered_at", UtcDateTime),
        sa.CheckConstraint("state IN ('open', 'ordered', 'arrived', 'declined')", name="state"),
        sa.CheckConstraint("state <> 'arrived' OR record_id IS NOT NULL", name="arrived"),
    )
    op.create_table(
        "suggestion_vote",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "suggestion_id", sa.Integer, sa.ForeignKey("purchase_suggestion.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("patron_id", sa.Integer, sa.ForeignKey("patron.id")),
        sa.Column("first", sa.Boolean, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
    )
    op.create_index("uq_suggestion_vote_patron", "suggestion_vote", ["suggestion_id", "patron_id"], unique=True)
    op.create_index("ix_suggestion_vote_patron_at", "suggestion_vote", ["patron_id", "at"])
