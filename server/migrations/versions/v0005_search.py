"""What a search looks in: documents, and an index of them for each database.

The index is filled by the server as it starts (`server.catalogue.search.documents`), as after any change of its rules.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision = "v0005"
down_revision = "v0004"

FTS = (
    "CREATE VIRTUAL TABLE search_index USING fts5(title, author, subject, other, content='', columnsize=0,"
    " prefix='2 3', tokenize='ascii')"
)
ADD = (
    "INSERT INTO search_index (rowid, title, author, subject, other)"
    " VALUES (-new.record_id, new.title, new.author, new.subject, new.other);"
)
TAKE = (
    "INSERT INTO search_index (search_index, rowid, title, author, subject, other)"
    " VALUES ('delete', -old.record_id, old.title, old.author, old.subject, old.other);"
)
TRIGGERS = {
    "AFTER INSERT": ADD,
    "AFTER DELETE": TAKE,
    "AFTER UPDATE OF title, author, subject, other": TAKE + ADD,
}


def upgrade() -> None:
    """One step forward."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.create_table(
        "search_document",
        sa.Column(
            "record_id",
            sa.Integer,
            sa.ForeignKey("record.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("title", "author", "subject", "other")),
        sa.Column("sort_key", sa.String(300, collation=None if sqlite else "C"), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("year", sa.Integer),
        sa.Column("class_letter", sa.String(4), nullable=False),
        sa.Column("rules", sa.Integer, nullable=False),
    )
    op.create_index("ix_search_document_sort", "search_document", ["sort_key", "record_id"])
    if sqlite:
        _fts5()
    else:
        _vectors()
    op.drop_index("ix_record_title_key", "record")
    with op.batch_alter_table("record") as batch:
        batch.drop_column("title_key")
        batch.drop_column("search_text")


def _fts5() -> None:
    """Rows are numbered downwards: FTS5 walks upwards, and the newest are wanted first."""
    op.execute(FTS)
    for number, (when, what) in enumerate(TRIGGERS.items(), 1):
        op.execute(f"CREATE TRIGGER search_document_{number} {when} ON search_document BEGIN {what} END")


def _vectors() -> None:
    op.create_table(
        "search_index",
        sa.Column(
            "record_id",
            sa.Integer,
            sa.ForeignKey("search_document.record_id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("vector", TSVECTOR, nullable=False),
    )
    op.create_index("ix_search_index_vector", "search_index", ["vector"], postgresql_using="gin")
