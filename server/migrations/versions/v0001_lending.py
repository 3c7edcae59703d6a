"""Accounts, patrons, catalogue and loans."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.db import UtcDateTime

revision = "v0001"
down_revision = None


def upgrade() -> None:
    """One step forward."""
    _patrons()
    _auth()
    _catalogue()
    _circulation()


def _patrons() -> None:
    op.create_table(
        "patron",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("card", sa.String(32), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("pin_hash", sa.String(200), nullable=False),
        sa.Column("language", sa.String(16)),
        sa.Column("expires_on", sa.Date),
        sa.Column("blocked", sa.Boolean, nullable=False),
        sa.UniqueConstraint("card", name="uq_patron_card"),
    )


def _auth() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("user", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("secret", sa.String(200), nullable=False),
        sa.UniqueConstraint("user", name="uq_account_user"),
    )
    op.create_table(
        "sign_in",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("account_id", sa.Integer, sa.ForeignKey("account.id", ondelete="CASCADE"), index=True),
        sa.Column("patron_id", sa.Integer, sa.ForeignKey("patron.id", ondelete="CASCADE"), index=True),
        sa.Column("expires_at", UtcDateTime, nullable=False, index=True),
        sa.CheckConstraint("(account_id IS NULL) <> (patron_id IS NULL)", name="one_owner"),
    )
    op.create_table(
        "wrong_secret",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("subject", sa.String(80), nullable=False, index=True),
        sa.Column("at", UtcDateTime, nullable=False, index=True),
    )


def _catalogue() -> None:
    op.create_table(
        "record",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("title", sa.String(500), nullable=False),
        sa.Column("author", sa.String(300), nullable=False),
        sa.Column("year", sa.String(40), nullable=False),
        sa.Column("edition", sa.String(200), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("isbn", sa.String(20), nullable=False),
        sa.Column("class_number", sa.String(40), nullable=False),
        sa.Column("call_number", sa.String(60), nullable=False),
        sa.Column("title_key", sa.String(500), nullable=False, index=True),
        sa.Column("search_text", sa.Text, nullable=False),
    )
    op.create_table(
        "item",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("barcode", sa.String(32), nullable=False),
        sa.Column("record_id", sa.Integer, sa.ForeignKey("record.id"), nullable=False, index=True),
        sa.Column("location", sa.String(60), nullable=False),
        sa.Column("call_number", sa.String(60), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("for_loan", sa.Boolean, nullable=False),
        sa.UniqueConstraint("barcode", name="uq_item_barcode"),
        sa.CheckConstraint("status IN ('in_stock', 'on_loan', 'missing', 'withdrawn')", name="status"),
    )


def _circulation() -> None:
    op.create_table(
        "loan",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("item_id", sa.Integer, sa.ForeignKey("item.id"), nullable=False),
        sa.Column("patron_id", sa.Integer, sa.ForeignKey("patron.id"), nullable=False),
        sa.Column("checked_out_at", UtcDateTime, nullable=False),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("renewals", sa.Integer, nullable=False),
        sa.Column("checked_in_at", UtcDateTime),
    )
    still_open = sa.text("checked_in_at IS NULL")
    op.create_index(
        "uq_loan_open_item", "loan", ["item_id"], unique=True, sqlite_where=still_open, postgresql_where=still_open
    )
    op.create_index("ix_loan_open_patron", "loan", ["patron_id"], sqlite_where=still_open, postgresql_where=still_open)
    op.create_table(
        "circulation_answer",
        sa.Column("actor", sa.String(80), primary_key=True),
        sa.Column("request_id", sa.String(64), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False, index=True),
    )
