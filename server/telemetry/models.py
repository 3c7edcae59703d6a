"""Tables of the embedded telemetry store. Times are milliseconds since 1970 UTC, so that buckets are integers."""

from __future__ import annotations

from sqlalchemy import BigInteger, Double, ForeignKey, Integer, String, UniqueConstraint
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


class RollupRow(Base):
    """Columns of a rollup: what came in the bucket that begins at `ts`, less what is still in the series' head."""

    __abstract__ = True

    series: Mapped[int] = mapped_column(ForeignKey("telemetry_series.id"), primary_key=True)
    ts: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    n: Mapped[int] = mapped_column(Integer)
    low: Mapped[float] = mapped_column(Double)
    high: Mapped[float] = mapped_column(Double)
    total: Mapped[float] = mapped_column(Double)


class FiveMinuteRow(RollupRow):
    """Buckets of 5 minutes."""

    __tablename__ = "telemetry_five_minute"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012  # SQLAlchemy declares it so


class HourRow(RollupRow):
    """Buckets of an hour in UTC."""

    __tablename__ = "telemetry_hour"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012  # SQLAlchemy declares it so


class HeadRow(Base):
    """The newest value of a series and its buckets under way (`server.telemetry.rollup`); made with the series."""

    __tablename__ = "telemetry_head"

    series: Mapped[int] = mapped_column(ForeignKey("telemetry_series.id"), primary_key=True, autoincrement=False)
    ts: Mapped[int] = mapped_column(BigInteger)
    value: Mapped[float] = mapped_column(Double)
    five_ts: Mapped[int] = mapped_column(BigInteger)
    five_n: Mapped[int] = mapped_column(Integer)
    five_low: Mapped[float] = mapped_column(Double)
    five_high: Mapped[float] = mapped_column(Double)
    five_total: Mapped[float] = mapped_column(Double)
    hour_ts: Mapped[int] = mapped_column(BigInteger)
    hour_n: Mapped[int] = mapped_column(Integer)
    hour_low: Mapped[float] = mapped_column(Double)
    hour_high: Mapped[float] = mapped_column(Double)
    hour_total: Mapped[float] = mapped_column(Double)


class MarkRow(Base):
    """Which transaction wrote heads last: one row, with a random number that each of them makes anew."""

    __tablename__ = "telemetry_mark"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    mark: Mapped[int] = mapped_column(BigInteger)


class GoneRow(Base):
    """Rows of a grain (`server.telemetry.windows`) that are older than `before` have been deleted."""

    __tablename__ = "telemetry_gone"

    grain: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    before: Mapped[int] = mapped_column(BigInteger)
