"""Which Zigbee device had which name when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.db import UtcDateTime

revision = "v0013"
down_revision = "v0012"


def upgrade() -> None:
    """One step forward."""
    op.create_table(
        "device_name",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("gateway", sa.String(63), nullable=False),
        sa.Column("ieee", sa.String(23), nullable=False),
        sa.Column("name", sa.String(63), nullable=False, index=True),
        sa.Column("since", UtcDateTime, nullable=False),
        sa.Column("until", UtcDateTime),
    )
