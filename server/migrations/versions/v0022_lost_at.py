"""Of a lost loan that a return has ended it is kept when it was given up, so that the return can be made undone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.db import UtcDateTime

revision = "v0022"
down_revision = "v0021"


def upgrade() -> None:
    """One step forward."""
    op.add_column("loan", sa.Column("lost_at", UtcDateTime))


def downgrade() -> None:
    """One step back."""
    op.drop_column("loan", "lost_at")
