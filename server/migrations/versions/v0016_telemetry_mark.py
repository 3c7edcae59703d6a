"""Whoever writes the heads of the telemetry leaves a mark, by which others see that theirs are old."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "v0016"
down_revision = "v0015"


def upgrade() -> None:
    """One step forward."""
    mark = op.create_table(
        "telemetry_mark",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("mark", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(mark, [{"id": 1, "mark": 0}])


def downgrade() -> None:
    """One step back."""
    op.drop_table("telemetry_mark")
