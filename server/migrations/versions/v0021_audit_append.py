"""On PostgreSQL a row of the audit log, which every loan writes, takes one exchange instead of three."""

from __future__ import annotations

from alembic import op

revision = "v0021"
down_revision = "v0020"

APPEND = """
CREATE FUNCTION audit_append(timestamptz, text, text, text, text, told text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    number audit_entry.seq%TYPE;
    before audit_entry.hash%TYPE;
BEGIN
    PERFORM pg_advisory_xact_lock(418581342580);
    SELECT seq + 1, hash INTO number, before FROM audit_entry ORDER BY seq DESC LIMIT 1;
    IF NOT FOUND THEN
        number := 1;
        before := repeat('0', 64);
    END IF;
    INSERT INTO audit_entry (seq, at, actor, action, target, detail, prev, hash) VALUES (
        number, $1, $2, $3, $4, $5, before,
        encode(sha256(convert_to('[' || number || ', ' || told || ', "' || before || '"]', 'UTF8')), 'hex')
    );
END $$
"""
"""Seals as `server.audit.policy.seal` does; `told` is the entry in that text. The lock's number is any of ours: who
appends waits on it until the other's transaction has ended, whose rows the function's next statement then sees."""


def upgrade() -> None:
    """One step forward."""
    if op.get_bind().dialect.name == "postgresql":  # SQLite's writers queue anyway, and it is within the process
        op.execute(APPEND)


def downgrade() -> None:
    """One step back."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_append(timestamptz, text, text, text, text, text)")
