"""An item that was sent to another branch stays there; one on its way home, or of a hold that has ended, does not."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "v0019"
down_revision = "v0018"


def upgrade() -> None:
    """One step forward."""
    op.add_column("item", sa.Column("stays", sa.Boolean, nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """One step back."""
    op.drop_column("item", "stays")
