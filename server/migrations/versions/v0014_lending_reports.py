"""When loans were renewed, which reports count by day; what the audit log knows of earlier renewals is taken over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.db import UtcDateTime

revision = "v0014"
down_revision = "v0013"


def upgrade() -> None:
    """One step forward."""
    op.create_table(
        "loan_renewal",
        sa.Column("loan_id", sa.Integer, sa.ForeignKey("loan.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("at", UtcDateTime, nullable=False, index=True),
    )
    op.execute(
        "INSERT INTO loan_renewal (loan_id, number, at)"
        " SELECT loan.id, row_number() OVER (PARTITION BY loan.id ORDER BY audit_entry.seq), audit_entry.at"
        " FROM audit_entry JOIN loan ON audit_entry.target = 'loan:' || loan.id"
        " WHERE audit_entry.action = 'loan.renew'"
    )
