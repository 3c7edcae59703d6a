"""On SQLite too a loan that was undone leaves its number unused: terminals and receipts may still name it."""

from __future__ import annotations

from alembic import op

revision = "v0017"
down_revision = "v0016"


def upgrade() -> None:
    """One step forward."""
    _made_anew(counting=True)


def downgrade() -> None:
    """One step back."""
    _made_anew(counting=False)


def _made_anew(*, counting: bool) -> None:
    """PostgreSQL's sequences never go back. SQLite counts on from the greatest number there ever was only in a table
    that was made so."""
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("loan", recreate="always", table_kwargs={"sqlite_autoincrement": counting}):
            pass
