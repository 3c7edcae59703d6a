"""A branch's name is as long everywhere: of copies it was cut off at 40 characters, or refused by PostgreSQL."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "v0020"
down_revision = "v0019"

COLUMNS = {"branch": False, "at_branch": False, "transit_to": True}
"""Name and whether it may be null."""


def upgrade() -> None:
    """One step forward."""
    _resize(40, 63)


def downgrade() -> None:
    """One step back."""
    _resize(63, 40)


def _resize(before: int, after: int) -> None:
    with op.batch_alter_table("item") as batch:
        for name, nullable in COLUMNS.items():
            cut = f"left({name}, {after})"
            batch.alter_column(
                name, type_=sa.String(after), existing_type=sa.String(before), existing_nullable=nullable,
                postgresql_using=cut if after < before else None,
            )  # fmt: skip
