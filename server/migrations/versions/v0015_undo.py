"""What a renewal changed is kept with it, and payments can be undone: by an opposite line that names theirs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.db import UtcDateTime
from server.migrations.versions import v0008_fees

revision = "v0015"
down_revision = "v0014"

TERMS = ("fee_per_open_day", "grace_open_days", "fee_cap")


def upgrade() -> None:
    """One step forward. Of renewals of before it is not known what they changed."""
    op.add_column("loan_renewal", sa.Column("due_before", UtcDateTime))
    for name in TERMS:
        op.add_column("loan_renewal", sa.Column(name, sa.Integer))
    op.add_column("loan_renewal", sa.Column("grace_deducted", sa.Boolean))
    _unguard()
    with op.batch_alter_table("fee_entry") as batch:
        batch.drop_constraint(op.f("ck_fee_entry_sign"), type_="check")
        batch.add_column(sa.Column("reverses", sa.Integer))
    with op.batch_alter_table("fee_entry") as batch:
        batch.create_foreign_key(op.f("fk_fee_entry_reverses"), "fee_entry", ["reverses"], ["id"])
        batch.create_check_constraint(
            "sign",
            "(entry IN ('charge', 'refund', 'reversal') AND amount > 0)"
            " OR (entry IN ('payment', 'waiver') AND amount < 0)",
        )
        batch.create_check_constraint("reversal", "(entry = 'reversal') = (reverses IS NOT NULL)")
    op.create_index("uq_fee_entry_reverses", "fee_entry", ["reverses"], unique=True)
    v0008_fees.guard()


def downgrade() -> None:
    """One step back: to the step before, what was undone had been given back."""
    _unguard()
    op.drop_index("uq_fee_entry_reverses", "fee_entry")
    with op.batch_alter_table("fee_entry") as batch:
        batch.drop_constraint(op.f("ck_fee_entry_sign"), type_="check")
        batch.drop_constraint(op.f("ck_fee_entry_reversal"), type_="check")
        batch.drop_constraint(op.f("fk_fee_entry_reverses"), type_="foreignkey")
    op.execute("UPDATE fee_entry SET entry = 'refund' WHERE entry = 'reversal'")
    with op.batch_alter_table("fee_entry") as batch:
        batch.drop_column("reverses")
        batch.create_check_constraint("sign", v0008_fees.SIGNS)
    v0008_fees.guard()
    with op.batch_alter_table("loan_renewal") as batch:
        for name in ("due_before", *TERMS, "grace_deducted"):
            batch.drop_column(name)


def _unguard() -> None:
    """The ledger's own guards are in the way of changing its table; on SQLite they would go with the old one."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER fee_entry_stays ON fee_entry")
        op.execute("DROP FUNCTION fee_entry_stays()")
    else:
        for name in ("update", "delete", "replace"):
            op.execute(f"DROP TRIGGER fee_entry_no_{name}")
