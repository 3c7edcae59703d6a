"""Rules of the rooms as edited on the page: every version that was saved."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.db import UtcDateTime

revision = "v0012"
down_revision = "v0011"


def upgrade() -> None:
    """One step forward."""
    op.create_table(
        "rule_book",
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("author", sa.String(80), nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
