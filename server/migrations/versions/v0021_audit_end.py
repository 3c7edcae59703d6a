"""On PostgreSQL the audit log's end is waited for and read in one exchange, which every loan makes."""

from __future__ import annotations

from alembic import op

revision = "v0021"
down_revision = "v0020"


def upgrade() -> None:
    """One step forward. The number is any of ours: who appends waits on it until the other's transaction has ended. A
    volatile function's second statement sees what was committed while the first one waited."""
    if op.get_bind().dialect.name == "postgresql":  # SQLite's writers queue anyway
        op.execute(
            "CREATE FUNCTION audit_end() RETURNS TABLE (seq audit_entry.seq%TYPE, hash audit_entry.hash%TYPE) "
            "LANGUAGE plpgsql VOLATILE AS $$ BEGIN "
            "PERFORM pg_advisory_xact_lock(418581342580); "
            "RETURN QUERY SELECT e.seq, e.hash FROM audit_entry e ORDER BY e.seq DESC LIMIT 1; "
            "END $$"
        )


def downgrade() -> None:
    """One step back."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_end()")
