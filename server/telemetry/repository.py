"""All SQL of the embedded telemetry store, for SQLite and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import CursorResult, Row, delete, func, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from server.telemetry.models import LatestRow, PointRow, SeriesRow

SeriesKey = tuple[str, str, str]
"""Zone, quantity, device."""


def series_ids(session: Session, keys: Sequence[SeriesKey]) -> dict[SeriesKey, int]:
    """The ids of those series that exist."""
    if not keys:
        return {}
    columns = (SeriesRow.zone, SeriesRow.quantity, SeriesRow.device)
    rows = session.execute(select(SeriesRow.id, *columns).where(tuple_(*columns).in_(keys)))
    return {(row.zone, row.quantity, row.device): row.id for row in rows}


def add_series(session: Session, keys: Sequence[SeriesKey]) -> None:
    """Make series; those that exist stay as they are."""
    rows = [{"zone": zone, "quantity": quantity, "device": device} for zone, quantity, device in sorted(keys)]
    session.execute(_insert(session, SeriesRow).on_conflict_do_nothing(), rows)


def add_points(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Add raw values; those that exist stay as they are. Rows come sorted, so that writers never deadlock."""
    session.execute(_insert(session, PointRow).on_conflict_do_nothing(), rows)


def set_latest(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Note the newest values; older ones change nothing."""
    new = _insert(session, LatestRow)
    newer = new.on_conflict_do_update(
        index_elements=[LatestRow.series],
        set_={"ts": new.excluded.ts, "value": new.excluded.value},
        where=new.excluded.ts >= LatestRow.ts,
    )
    session.execute(newer, rows)


def latest(session: Session, zone: str) -> Sequence[Row[str, str, int, float]]:
    """Device, quantity, ts and value of each series of a zone."""
    query = select(SeriesRow.device, SeriesRow.quantity, LatestRow.ts, LatestRow.value)
    return session.execute(
        query.join(LatestRow, LatestRow.series == SeriesRow.id)
        .where(SeriesRow.zone == zone)
        .order_by(SeriesRow.device, SeriesRow.quantity)
    ).all()


def aggregate(
    session: Session, series: Sequence[int], *, start: int, end: int, width: int
) -> Sequence[Row[int, float, float, float, int]]:
    """Bucket number, min, mean, max and count for start <= ts < end."""
    number = ((PointRow.ts - start) // width).label("number")
    value = PointRow.value
    return session.execute(
        select(number, func.min(value), func.avg(value), func.max(value), func.count())
        .where(PointRow.series.in_(series), PointRow.ts >= start, PointRow.ts < end)
        .group_by(number)
        .order_by(number)
    ).all()


def all_series(session: Session) -> list[int]:
    """Every series."""
    return list(session.scalars(select(SeriesRow.id).order_by(SeriesRow.id)))


def trim(session: Session, series: int, *, before: int, limit: int) -> int:
    """Delete the oldest points of a series, at most `limit`; along the key, so only what goes is read."""
    old = select(PointRow.ts).where(PointRow.series == series, PointRow.ts < before).order_by(PointRow.ts).limit(limit)
    times = list(session.scalars(old))
    if not times:
        return 0
    gone = session.execute(delete(PointRow).where(PointRow.series == series, PointRow.ts <= times[-1]))
    assert isinstance(gone, CursorResult)
    return gone.rowcount


def _insert(session: Session, table: type[Any]) -> Any:
    """INSERT with ON CONFLICT; the two dialects spell it alike."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(table)
