"""Alarms, manual control, the outbox to the edge, and telemetry."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.db import UtcDateTime

revision = "v0002"
down_revision = "v0001"


def upgrade() -> None:
    """One step forward."""
    _outbox()
    _rooms()
    _alarms()
    _telemetry()


def _outbox() -> None:
    op.create_table(
        "edge_command",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("gateway", sa.String(63), nullable=False),
        sa.Column("target", sa.String(63), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False, index=True),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.Column("status", sa.String(16)),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("answered_at", UtcDateTime),
    )
    unanswered = sa.text("status IS NULL")
    op.create_index(
        "ix_edge_command_unanswered",
        "edge_command",
        ["expires_at"],
        sqlite_where=unanswered,
        postgresql_where=unanswered,
    )


def _rooms() -> None:
    op.create_table(
        "room_override",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("gateway", sa.String(63), nullable=False),
        sa.Column("room", sa.String(63), nullable=False),
        sa.Column("actuator", sa.String(63), nullable=False),
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("by", sa.String(80), nullable=False),
        sa.Column("subject", sa.String(80), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("until", UtcDateTime, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("confirmed_at", UtcDateTime),
        sa.Column("ended_at", UtcDateTime),
        sa.Column("end", sa.String(16)),
        sa.Column("cancelled_by", sa.String(80)),
    )
    not_over = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_room_override_open",
        "room_override",
        ["gateway", "actuator"],
        sqlite_where=not_over,
        postgresql_where=not_over,
    )


def _alarms() -> None:
    op.create_table(
        "alarm",
        sa.Column("id", sa.String(96), primary_key=True),
        sa.Column("gateway", sa.String(63), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("place", sa.String(63), nullable=False),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("raised_at", UtcDateTime, nullable=False, index=True),
        sa.Column("silenced", sa.Boolean, nullable=False),
        sa.Column("acknowledged_at", UtcDateTime),
        sa.Column("acknowledged_by", sa.String(80)),
        sa.Column("reset_at", UtcDateTime, index=True),
        sa.Column("reset_by", sa.String(80)),
        sa.Column("causes", sa.JSON, nullable=False),
    )
    op.create_table(
        "alarm_action",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("alarm_id", sa.String(96), sa.ForeignKey("alarm.id"), nullable=False, index=True),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(80), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
    )


def _telemetry() -> None:
    op.create_table(
        "telemetry_series",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("zone", sa.String(63), nullable=False),
        sa.Column("quantity", sa.String(16), nullable=False),
        sa.Column("device", sa.String(63), nullable=False),
        sa.UniqueConstraint("zone", "quantity", "device", name="uq_telemetry_series_zone_quantity_device"),
    )
    op.create_table(
        "telemetry_point",
        sa.Column("series", sa.Integer, sa.ForeignKey("telemetry_series.id"), primary_key=True),
        sa.Column("ts", sa.BigInteger, primary_key=True),
        sa.Column("value", sa.Double, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "telemetry_latest",
        sa.Column("series", sa.Integer, sa.ForeignKey("telemetry_series.id"), primary_key=True, autoincrement=False),
        sa.Column("ts", sa.BigInteger, nullable=False),
        sa.Column("value", sa.Double, nullable=False),
    )
