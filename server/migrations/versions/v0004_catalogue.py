"""The catalogue: full records, copies' life cycle, classification, import jobs."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from server.db import UtcDateTime

revision = "v0004"
down_revision = "v0003"

STATUSES = (
    "on_shelf", "on_loan", "on_hold_shelf", "in_transit", "missing", "lost", "repair", "withdrawn", "in_processing",
)  # fmt: skip


def upgrade() -> None:
    """One step forward."""
    _records()
    _items()
    _imports()
    op.create_table(
        "classification",
        sa.Column("code", sa.String(40), primary_key=True),
        sa.Column("caption_zh", sa.String(200), nullable=False),
        sa.Column("caption_en", sa.String(200), nullable=False),
    )
    op.create_table(
        "isbn_lookup",
        sa.Column("isbn", sa.String(13), primary_key=True),
        sa.Column("source", sa.String(200), primary_key=True),
        sa.Column("marc_format", sa.String(10), nullable=False),
        sa.Column("marc", sa.Text, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False, index=True),
    )


def _records() -> None:
    """When older records were made is not known: they count as made now."""
    with op.batch_alter_table("record") as batch:
        batch.add_column(sa.Column("kind", sa.String(20), nullable=False, server_default="book"))
        batch.add_column(sa.Column("publisher", sa.String(300), nullable=False, server_default=""))
        for name in ("subjects", "summary", "title_alt", "author_alt"):
            batch.add_column(sa.Column(name, sa.Text, nullable=False, server_default=""))
        batch.add_column(sa.Column("control_number", sa.String(64), nullable=False, server_default=""))
        batch.add_column(sa.Column("marc_format", sa.String(10)))
        batch.add_column(sa.Column("marc", sa.Text))
        batch.add_column(sa.Column("edited", sa.String(300), nullable=False, server_default=""))
        for name in ("suppressed", "pool"):
            batch.add_column(sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false()))
        for name in ("created_at", "updated_at"):
            batch.add_column(sa.Column(name, UtcDateTime))
    record = sa.table("record", sa.column("created_at", UtcDateTime), sa.column("updated_at", UtcDateTime))
    now = datetime.now(UTC)
    op.execute(sa.update(record).values(created_at=now, updated_at=now))
    with op.batch_alter_table("record") as batch:
        for name in ("created_at", "updated_at"):
            batch.alter_column(name, existing_type=UtcDateTime(), nullable=False)
    op.create_index("ix_record_control_number", "record", ["control_number"])
    op.create_table(
        "record_isbn",
        sa.Column("isbn", sa.String(13), primary_key=True),
        sa.Column(
            "record_id", sa.Integer, sa.ForeignKey("record.id", ondelete="CASCADE"), primary_key=True, index=True
        ),
    )


def _items() -> None:
    """The branch is filled in by the server, which knows its name."""
    with op.batch_alter_table("item") as batch:
        batch.drop_constraint(op.f("ck_item_status"), type_="check")
        batch.add_column(sa.Column("branch", sa.String(40), nullable=False, server_default=""))
        batch.add_column(sa.Column("at_branch", sa.String(40), nullable=False, server_default=""))
        batch.add_column(sa.Column("type", sa.String(40), nullable=False, server_default="book"))
        batch.add_column(sa.Column("price", sa.Integer))
        batch.add_column(sa.Column("tags", sa.Integer, nullable=False, server_default="1"))
        batch.add_column(sa.Column("note", sa.Text, nullable=False, server_default=""))
        batch.add_column(sa.Column("last_seen_at", UtcDateTime))
        batch.add_column(sa.Column("transit_to", sa.String(40)))
    op.execute("UPDATE item SET status = 'on_shelf' WHERE status = 'in_stock'")
    known = ", ".join(f"'{status}'" for status in STATUSES)
    with op.batch_alter_table("item") as batch:
        batch.create_check_constraint("status", f"status IN ({known})")


def _imports() -> None:
    op.create_table(
        "marc_import",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("created_at", UtcDateTime, nullable=False, index=True),
        sa.Column("subject", sa.String(80), nullable=False),
        sa.Column("origin", sa.String(10), nullable=False),
        sa.Column("file_name", sa.String(200), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("options", sa.JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        *(
            sa.Column(name, sa.Integer, nullable=False)
            for name in ("read", "new", "updated", "skipped", "failed", "items", "attempts")
        ),
        sa.Column("worker", sa.String(32)),
        sa.Column("beat_at", UtcDateTime),
        sa.Column("finished_at", UtcDateTime),
    )
    op.create_table(
        "marc_import_problem",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("import_id", sa.String(32), sa.ForeignKey("marc_import.id", ondelete="CASCADE"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("control_number", sa.String(64), nullable=False),
        sa.Column("fatal", sa.Boolean, nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_index("ix_marc_import_problem_place", "marc_import_problem", ["import_id", "number"])
