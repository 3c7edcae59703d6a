"""Lending: the policy matrix, the calendar, holds, work lists, loans that keep what was promised and are forgotten."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.db import UtcDateTime

revision = "v0007"
down_revision = "v0006"

HOLD_STATES = ("waiting", "in_transit", "ready", "fulfilled", "cancelled", "expired")


def upgrade() -> None:
    """One step forward."""
    _loans()
    _replayed()
    _rules()
    _holds()
    _tasks()


def _loans() -> None:
    """Loans of before cost nothing when they are late, as was promised; of class and type only the usual is known."""
    with op.batch_alter_table("loan") as batch:
        batch.alter_column("patron_id", existing_type=sa.Integer, nullable=True)
        batch.add_column(sa.Column("branch", sa.String(63), nullable=False, server_default="main"))
        batch.add_column(sa.Column("patron_class", sa.String(40), nullable=False, server_default="adult"))
        batch.add_column(sa.Column("item_type", sa.String(40), nullable=False, server_default="book"))
        batch.add_column(sa.Column("channel", sa.String(16), nullable=False, server_default="desk"))
        batch.add_column(sa.Column("fee_per_open_day", sa.Integer, nullable=False, server_default="0"))
        batch.add_column(sa.Column("grace_open_days", sa.Integer, nullable=False, server_default="0"))
        batch.add_column(sa.Column("grace_deducted", sa.Boolean, nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("fee_cap", sa.Integer))
        batch.add_column(sa.Column("ended", sa.String(16)))
        batch.add_column(sa.Column("ended_at", UtcDateTime))
    op.execute("UPDATE loan SET ended = 'returned', ended_at = checked_in_at WHERE checked_in_at IS NOT NULL")
    op.create_index("ix_loan_item_id_checked_in_at", "loan", ["item_id", "checked_in_at"])
    op.create_index("ix_loan_patron_id_checked_in_at", "loan", ["patron_id", "checked_in_at"])


def _replayed() -> None:
    op.create_table(
        "circulation_replayed",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kiosk", sa.String(63), nullable=False),
        sa.Column("counter", sa.BigInteger),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("received_at", UtcDateTime, nullable=False, index=True),
        sa.Column("answer", sa.Text, nullable=False),
    )
    numbered = sa.text("counter IS NOT NULL")
    op.create_index(
        "uq_circulation_replayed_kiosk_counter", "circulation_replayed", ["kiosk", "counter"],
        unique=True, sqlite_where=numbered, postgresql_where=numbered,
    )  # fmt: skip
    op.create_index(
        "uq_circulation_replayed_kiosk_request_id", "circulation_replayed", ["kiosk", "request_id"], unique=True
    )


def _rules() -> None:
    op.create_table(
        "lending_rule",
        sa.Column("patron_class", sa.String(40), primary_key=True),
        sa.Column("item_type", sa.String(40), primary_key=True),
        sa.Column("branch", sa.String(63), primary_key=True),
        sa.Column("days", sa.Integer),
        sa.Column("hours", sa.Integer),
        sa.Column("renewals", sa.Integer, nullable=False),
        sa.Column("max", sa.Integer),
        sa.Column("fee_per_open_day", sa.Integer, nullable=False),
        sa.Column("grace_open_days", sa.Integer, nullable=False),
        sa.Column("cap", sa.Integer),
        sa.Column("allowed", sa.Boolean, nullable=False),
    )
    op.create_table(
        "lending_setting",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("token", sa.String(32), nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("calendar", sa.Text, nullable=False),
        sa.Column("changed_at", UtcDateTime, nullable=False),
        sa.Column("changed_by", sa.String(80), nullable=False),
        sa.CheckConstraint("id = 1", name="only"),
    )


def _holds() -> None:
    op.create_table(
        "hold",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("patron_id", sa.Integer, sa.ForeignKey("patron.id")),
        sa.Column("record_id", sa.Integer, sa.ForeignKey("record.id"), nullable=False),
        sa.Column("item_id", sa.Integer, sa.ForeignKey("item.id")),
        sa.Column("pickup", sa.String(63), nullable=False),
        sa.Column("placed_at", UtcDateTime, nullable=False),
        sa.Column("expires_on", sa.Date),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.Column("paused_until", sa.Date),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("filled_item_id", sa.Integer, sa.ForeignKey("item.id")),
        sa.Column("ready_at", UtcDateTime),
        sa.Column("ready_until", UtcDateTime),
        sa.Column("closed_at", UtcDateTime, index=True),
        sa.Column("loan_id", sa.Integer, index=True),
        sa.CheckConstraint("state IN ({})".format(", ".join(f"'{state}'" for state in HOLD_STATES)), name="state"),
    )
    still = sa.text("closed_at IS NULL")
    aside = sa.text("closed_at IS NULL AND filled_item_id IS NOT NULL")
    for name, columns, where, unique in (
        ("uq_hold_open_patron_record", ["patron_id", "record_id"], still, True),
        ("ix_hold_open_record", ["record_id"], still, False),
        ("uq_hold_set_aside", ["filled_item_id"], aside, True),
    ):
        op.create_index(name, "hold", columns, unique=unique, sqlite_where=where, postgresql_where=where)


def _tasks() -> None:
    op.create_table(
        "staff_task",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("branch", sa.String(63), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("item_id", sa.Integer, sa.ForeignKey("item.id"), index=True),
        sa.Column("patron_id", sa.Integer, sa.ForeignKey("patron.id"), index=True),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("resolved_at", UtcDateTime),
        sa.Column("resolved_by", sa.String(80), nullable=False),
        sa.Column("resolution", sa.String(40), nullable=False),
        sa.Column("note", sa.String(500), nullable=False),
    )
    still = sa.text("resolved_at IS NULL")
    op.create_index("ix_staff_task_open_kind", "staff_task", ["kind", "at"], sqlite_where=still, postgresql_where=still)
