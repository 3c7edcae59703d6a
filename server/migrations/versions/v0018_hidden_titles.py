"""The titles that readers do not find are listed for librarians, also among a million others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "v0018"
down_revision = "v0017"


def upgrade() -> None:
    """One step forward. SQLite uses such an index only where a question repeats its words."""
    op.create_index(
        "ix_record_hidden",
        "record",
        ["id"],
        sqlite_where=sa.text("suppressed = 1 AND pool = 0"),
        postgresql_where=sa.text("suppressed AND NOT pool"),
    )


def downgrade() -> None:
    """One step back."""
    op.drop_index("ix_record_hidden", "record")
