"""Tables of the embedded telemetry store. Times are milliseconds since 1970 UTC, so that buckets are integers."""

from __future__ import annotations

from sqlalchemy import BigInteger, Double, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base


class SeriesRow(Base):
    """One quantity of one device in one zone; a device that moves begins a new one."""

    __tablename__ = "telemetry_series"
    __table_args__ = (UniqueConstraint("zone", "quantity", "device"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    zone: Mapped[str] = mapped_column(String(63))
    quantity: Mapped[str] = mapped_column(String(16))
    device: Mapped[str] = mapped_column(String(63))


class PointRow(Base):
    """One raw value."""

    __tablename__ = "telemetry_point"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012  # SQLAlchemy declares it so

    series: Mapped[int] = mapped_column(ForeignKey("telemetry_series.id"), primary_key=True)
    ts: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    value: Mapped[float] = mapped_column(Double)


class LatestRow(Base):
    """The newest value of each series; asking the raw table for it would be a thousand times slower."""

    __tablename__ = "telemetry_latest"

    series: Mapped[int] = mapped_column(ForeignKey("telemetry_series.id"), primary_key=True, autoincrement=False)
    ts: Mapped[int] = mapped_column(BigInteger)
    value: Mapped[float] = mapped_column(Double)
