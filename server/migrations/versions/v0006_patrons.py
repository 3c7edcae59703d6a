"""Patrons with cards, blocks and guardians; accounts, tokens and the audit log."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from server.db import UtcDateTime

revision = "v0006"
down_revision = "v0005"

REFUSAL = "the audit log is append-only"


def upgrade() -> None:
    """One step forward."""
    _audit()
    _patron()
    _cards()
    _blocks()
    _move_cards_and_blocks()
    _classes()
    _accounts()
    _tokens()


def _audit() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("target", sa.String(120), nullable=False, index=True),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("prev", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    if _on_sqlite():
        _guards_of_sqlite()
    else:
        _guards_of_postgresql()


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _guards_of_sqlite() -> None:
    """The third: INSERT OR REPLACE removes the old row without asking the second."""
    for name, occasion in (
        ("update", "BEFORE UPDATE ON audit_entry"),
        ("delete", "BEFORE DELETE ON audit_entry"),
        (
            "replace",
            "BEFORE INSERT ON audit_entry WHEN EXISTS (SELECT 1 FROM audit_entry WHERE seq = NEW.seq)",
        ),
    ):
        op.execute(f"CREATE TRIGGER audit_entry_no_{name} {occasion} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END")


def _guards_of_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION audit_entry_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_refuse()"
    )


def _patron() -> None:
    """What was known before gets the values of a patron about whom nothing more is known."""
    text = sa.String
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f") + ("" if _on_sqlite() else "+00:00")
    with op.batch_alter_table("patron") as batch:
        for column in (
            _empty("name_key", text(200)),
            sa.Column("patron_class", text(40), nullable=False, server_default="adult"),
            sa.Column("born_on", sa.Date),
            sa.Column("branch", text(63), nullable=False, server_default="main"),
            sa.Column("external", text(64)),
            _empty("email", text(254)),
            _empty("email_key", text(254)),
            _empty("phone", text(40)),
            _empty("phone_key", text(40)),
            _empty("address", text(500)),
            sa.Column("channels", sa.Text, nullable=False, server_default="[]"),
            sa.Column("guardian_id", sa.Integer),
            sa.Column("keeps_history", sa.Boolean, nullable=False, server_default=sa.false()),
            _empty("note", sa.Text),
            sa.Column("created_at", UtcDateTime, nullable=False, server_default=now),
            sa.Column("anonymised_at", UtcDateTime),
        ):
            batch.add_column(column)
        batch.create_foreign_key("fk_patron_guardian_id", "patron", ["guardian_id"], ["id"])
        batch.create_unique_constraint("uq_patron_external", ["external"])
    for name in ("name_key", "email_key", "phone_key", "guardian_id"):
        op.create_index(f"ix_patron_{name}", "patron", [name])
    patron = sa.table("patron", sa.column("id"), sa.column("name"), sa.column("name_key"))
    connection = op.get_bind()
    for row in connection.execute(sa.select(patron.c.id, patron.c.name)).all():
        connection.execute(patron.update().where(patron.c.id == row.id).values(name_key=_name_key(row.name)))


def _empty(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, server_default="")


def _name_key(name: str) -> str:
    """As policy.py made it when this step was written."""
    return "".join(c for c in unicodedata.normalize("NFKC", name).casefold() if c.isalnum())[:200]


def _cards() -> None:
    op.create_table(
        "card",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("number", sa.String(32), nullable=False),
        sa.Column("patron_id", sa.Integer, sa.ForeignKey("patron.id"), nullable=False, index=True),
        sa.Column("issued_at", UtcDateTime, nullable=False),
        sa.Column("ended_at", UtcDateTime),
        sa.Column("end_reason", sa.String(16)),
        sa.UniqueConstraint("number", name="uq_card_number"),
        sa.CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="ended"),
    )
    good = sa.text("ended_at IS NULL")
    op.create_index(
        "uq_card_active_patron", "card", ["patron_id"], unique=True, sqlite_where=good, postgresql_where=good
    )


def _blocks() -> None:
    op.create_table(
        "patron_block",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("patron_id", sa.Integer, sa.ForeignKey("patron.id"), nullable=False, index=True),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("created_by", sa.String(80), nullable=False),
        sa.Column("until", UtcDateTime),
        sa.Column("lifted_at", UtcDateTime),
        sa.Column("lifted_by", sa.String(80)),
    )
    still = sa.text("lifted_at IS NULL")
    op.create_index("ix_patron_block_open", "patron_block", ["patron_id"], sqlite_where=still, postgresql_where=still)


def _move_cards_and_blocks() -> None:
    op.execute("INSERT INTO card (number, patron_id, issued_at) SELECT card, id, created_at FROM patron ORDER BY id")
    op.execute(
        "INSERT INTO patron_block (patron_id, reason, note, created_at, created_by)"
        " SELECT id, 'manual', '', created_at, 'migration' FROM patron WHERE blocked ORDER BY id"
    )
    with op.batch_alter_table("patron") as batch:
        batch.drop_constraint("uq_patron_card", type_="unique")
        batch.drop_column("card")
        batch.drop_column("blocked")


def _classes() -> None:
    made = op.create_table(
        "patron_class",
        sa.Column("code", sa.String(40), primary_key=True),
        sa.Column("name_zh", sa.String(80), nullable=False),
        sa.Column("name_en", sa.String(80), nullable=False),
        sa.Column("membership_days", sa.Integer),
    )
    op.bulk_insert(
        made,
        [
            {"code": "adult", "name_zh": "成人", "name_en": "Adult", "membership_days": 1095},
            {"code": "child", "name_zh": "儿童", "name_en": "Child", "membership_days": 1095},
            {"code": "student", "name_zh": "学生", "name_en": "Student", "membership_days": 365},
            {"code": "senior", "name_zh": "老年", "name_en": "Senior", "membership_days": None},
            {"code": "staff", "name_zh": "员工", "name_en": "Staff", "membership_days": None},
        ],
    )


def _accounts() -> None:
    """Sessions that run while the program is renewed began at an unknown time: their people sign in again."""
    with op.batch_alter_table("account") as batch:
        batch.add_column(sa.Column("disabled_at", UtcDateTime))
    op.execute("DELETE FROM sign_in")
    with op.batch_alter_table("sign_in") as batch:
        batch.add_column(sa.Column("started_at", UtcDateTime, nullable=False))
        batch.add_column(sa.Column("agent", sa.String(120), nullable=False))


def _tokens() -> None:
    op.create_table(
        "api_token",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("created_by", sa.String(80), nullable=False),
        sa.Column("expires_at", UtcDateTime),
        sa.Column("last_used_at", UtcDateTime),
        sa.Column("revoked_at", UtcDateTime),
        sa.UniqueConstraint("token_hash", name="uq_api_token_token_hash"),
    )
    good = sa.text("revoked_at IS NULL")
    op.create_index(
        "uq_api_token_good_name", "api_token", ["name"], unique=True, sqlite_where=good, postgresql_where=good
    )
