"""What is kept: when a loan was given up that a return has ended, so that the return can be made undone; and the
numbers of payments, of which no old ones are looked for any longer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.db import UtcDateTime

revision = "v0022"
down_revision = "v0021"


def upgrade() -> None:
    """One step forward."""
    op.add_column("loan", sa.Column("lost_at", UtcDateTime))
    op.drop_index("ix_fee_payment_at", "fee_payment")


def downgrade() -> None:
    """One step back."""
    op.create_index("ix_fee_payment_at", "fee_payment", ["at"])
    op.drop_column("loan", "lost_at")
