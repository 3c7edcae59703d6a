"""The ledger of fees: what was charged, paid, waived and refunded. Lines are never changed nor deleted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.db import UtcDateTime

revision = "v0008"
down_revision = "v0007"

REFUSAL = "the ledger is append-only"
SIGNS = "(entry IN ('charge', 'refund') AND amount > 0) OR (entry IN ('payment', 'waiver') AND amount < 0)"


def upgrade() -> None:
    """One step forward."""
    op.create_table(
        "fee",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("patron_id", sa.Integer, sa.ForeignKey("patron.id"), nullable=False, index=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("loan_id", sa.Integer, sa.ForeignKey("loan.id"), index=True),
        sa.Column("item_id", sa.Integer, sa.ForeignKey("item.id")),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("charged_at", UtcDateTime, nullable=False),
    )
    _ledger()
    op.create_table(
        "fee_payment",
        sa.Column("actor", sa.String(80), primary_key=True),
        sa.Column("payment_id", sa.String(64), primary_key=True),
        sa.Column("patron_id", sa.Integer, sa.ForeignKey("patron.id"), nullable=False),
        sa.Column("amount", sa.Integer, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False, index=True),
    )


def _ledger() -> None:
    op.create_table(
        "fee_entry",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("fee_id", sa.Integer, sa.ForeignKey("fee.id"), nullable=False, index=True),
        sa.Column("patron_id", sa.Integer, sa.ForeignKey("patron.id"), nullable=False),
        sa.Column("entry", sa.String(8), nullable=False),
        sa.Column("amount", sa.Integer, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("means", sa.String(20), nullable=False),
        sa.Column("payment_id", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.CheckConstraint(SIGNS, name="sign"),
    )
    op.create_index("ix_fee_entry_patron", "fee_entry", ["patron_id", "amount"])
    guard()


def guard() -> None:
    """Refuse to change the ledger, whoever asks."""
    if op.get_bind().dialect.name == "postgresql":
        _guard_on_postgresql()
    else:
        _guard_on_sqlite()


def _guard_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION fee_entry_stays() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER fee_entry_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON fee_entry"
        " FOR EACH STATEMENT EXECUTE FUNCTION fee_entry_stays()"
    )


def _guard_on_sqlite() -> None:
    """The third: INSERT OR REPLACE removes the old row without asking the second."""
    for name, occasion in (
        ("update", "BEFORE UPDATE ON fee_entry"),
        ("delete", "BEFORE DELETE ON fee_entry"),
        ("replace", "BEFORE INSERT ON fee_entry WHEN EXISTS (SELECT 1 FROM fee_entry WHERE id = NEW.id)"),
    ):
        op.execute(f"CREATE TRIGGER fee_entry_no_{name} {occasion} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END")
