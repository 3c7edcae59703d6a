"""Rollups of what is measured, made from what is stored already; exports of the history."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.db import UtcDateTime

revision = "v0003"
down_revision = "v0002"

NEVER = -(2**62)
ROLLUPS = {"telemetry_five_minute": 300_000, "telemetry_hour": 3_600_000}


def upgrade() -> None:
    """One step forward."""
    _heads()
    _rollups()
    op.create_table(
        "telemetry_gone",
        sa.Column("grain", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("before", sa.BigInteger, nullable=False),
    )
    _exports()


def _heads() -> None:
    """Of each series its newest value; its buckets under way begin empty, since the tables hold what has come."""
    tallies = [
        column
        for name in ("five", "hour")
        for column in (
            sa.Column(f"{name}_ts", sa.BigInteger, nullable=False),
            sa.Column(f"{name}_n", sa.Integer, nullable=False),
            *(sa.Column(f"{name}_{part}", sa.Double, nullable=False) for part in ("low", "high", "total")),
        )
    ]
    op.create_table(
        "telemetry_head",
        sa.Column("series", sa.Integer, sa.ForeignKey("telemetry_series.id"), primary_key=True, autoincrement=False),
        sa.Column("ts", sa.BigInteger, nullable=False),
        sa.Column("value", sa.Double, nullable=False),
        *tallies,
    )
    op.execute(
        f"INSERT INTO telemetry_head SELECT s.id, COALESCE(l.ts, {NEVER}), COALESCE(l.value, 0),"  # noqa: S608  # our own numbers
        f" {NEVER}, 0, 0, 0, 0, {NEVER}, 0, 0, 0, 0"
        " FROM telemetry_series s LEFT JOIN telemetry_latest l ON l.series = s.id"
    )
    op.drop_table("telemetry_latest")


def _rollups() -> None:
    """The remainder is made positive before it is taken off: both databases divide towards zero."""
    for table, width in ROLLUPS.items():
        op.create_table(
            table,
            sa.Column("series", sa.Integer, sa.ForeignKey("telemetry_series.id"), primary_key=True),
            sa.Column("ts", sa.BigInteger, primary_key=True),
            sa.Column("n", sa.Integer, nullable=False),
            *(sa.Column(name, sa.Double, nullable=False) for name in ("low", "high", "total")),
            sqlite_with_rowid=False,
        )
        bucket = f"ts - ((ts % {width}) + {width}) % {width}"
        op.execute(
            f"INSERT INTO {table} SELECT series, {bucket}, COUNT(*), MIN(value), MAX(value), SUM(value)"  # noqa: S608  # our own names
            f" FROM telemetry_point GROUP BY series, {bucket}"
        )


def _exports() -> None:
    op.create_table(
        "history_export",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("created_at", UtcDateTime, nullable=False, index=True),
        sa.Column("subject", sa.String(80), nullable=False),
        sa.Column("wanted", sa.JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("done_permille", sa.Integer, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("worker", sa.String(32)),
        sa.Column("beat_at", UtcDateTime),
        sa.Column("finished_at", UtcDateTime),
    )
