"""All SQL of the embedded telemetry store, for SQLite and PostgreSQL alike. No objects of the ORM: rows are many."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    CursorResult,
    Row,
    bindparam,
    case,
    delete,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite

from server.telemetry.models import FiveMinuteRow, GoneRow, HeadRow, HourRow, PointRow, RollupRow, SeriesRow
from server.telemetry.rollup import NEVER, Closed, Head
from server.telemetry.rollup import Row as NewRow
from server.telemetry.windows import FIVE_MINUTES, HOUR, RAW, Slice

SeriesKey = tuple[str, str, str]
"""Zone, quantity, device."""

ROLLUPS: dict[int, type[RollupRow]] = {FIVE_MINUTES: FiveMinuteRow, HOUR: HourRow}
TABLES: dict[int, type[PointRow | RollupRow]] = {RAW: PointRow, **ROLLUPS}

_HEAD = tuple(column.key for column in HeadRow.__table__.columns)
_EMPTY = dict.fromkeys(_HEAD, 0) | {"ts": NEVER, "five_ts": NEVER, "hour_ts": NEVER}

# The statements that every batch runs, as text: rows of tuples go to the driver as they are.
_SET_HEAD = f"UPDATE telemetry_head SET {', '.join(f'{name} = ?' for name in _HEAD[1:])} WHERE series = ?"  # noqa: S608
_MARK = "SELECT mark FROM telemetry_mark"
_SET_MARK = "UPDATE telemetry_mark SET mark = ?"
_ADD_POINT = "INSERT INTO telemetry_point (series, ts, value) VALUES (?, ?, ?)"


_TALLIED = {
    RAW: "COUNT(*), MIN(value), MAX(value), SUM(value) FROM telemetry_point",
    FIVE_MINUTES: "SUM(n), MIN(low), MAX(high), SUM(total) FROM telemetry_five_minute",
    HOUR: "SUM(n), MIN(low), MAX(high), SUM(total) FROM telemetry_hour",
}


@cache
def _tallies(grain: int, series: int) -> str:
    """For so many series; as text, since to put a statement together takes as long as to run it. Nothing in a slice is
    before `origin`, so that both databases divide alike."""
    wanted = "series = ?" if series == 1 else f"series IN ({', '.join('?' * series)})"
    return f"SELECT (ts - ?) / ?, {_TALLIED[grain]} WHERE {wanted} AND ts >= ? AND ts < ? GROUP BY 1"  # our own names


_HEADS = select(*(getattr(HeadRow, name) for name in _HEAD)).where(
    HeadRow.series.in_(bindparam("series", expanding=True))
)
_GONE = select(GoneRow.grain, GoneRow.before)
_IN_ZONE = (
    select(SeriesRow.quantity, SeriesRow.device)
    .where(SeriesRow.zone == bindparam("zone"))
    .order_by(SeriesRow.quantity, SeriesRow.device)
)


def series_ids(connection: Connection, keys: Sequence[SeriesKey]) -> dict[SeriesKey, int]:
    """The ids of those series that exist."""
    if not keys:
        return {}
    columns = (SeriesRow.zone, SeriesRow.quantity, SeriesRow.device)
    rows = connection.execute(select(SeriesRow.id, *columns).where(tuple_(*columns).in_(keys)))
    return {(zone, quantity, device): id_ for id_, zone, quantity, device in rows}


def add_series(connection: Connection, keys: Sequence[SeriesKey]) -> dict[SeriesKey, int]:
    """Make series with their heads; those that exist stay as they are. The ids of all."""
    rows = [{"zone": zone, "quantity": quantity, "device": device} for zone, quantity, device in sorted(keys)]
    connection.execute(_insert(connection, SeriesRow).on_conflict_do_nothing(), rows)
    ids = series_ids(connection, keys)
    heads = [_EMPTY | {"series": series} for series in sorted(ids.values())]
    connection.execute(_insert(connection, HeadRow).on_conflict_do_nothing(), heads)
    return ids


def keys_of(connection: Connection, device: str) -> list[SeriesKey]:
    """The series of a device."""
    query = select(SeriesRow.zone, SeriesRow.quantity, SeriesRow.device).where(SeriesRow.device == device)
    return [(zone, quantity, device) for zone, quantity, device in connection.execute(query.order_by(SeriesRow.id))]


def keys_in(connection: Connection, zone: str) -> list[SeriesKey]:
    """The series of a zone."""
    return [(zone, quantity, device) for quantity, device in connection.execute(_IN_ZONE, {"zone": zone})]


def lock_mark(connection: Connection) -> int:
    """The mark of whoever wrote heads last; all heads are nobody else's until the transaction ends."""
    lock = " FOR UPDATE" if connection.dialect.name == "postgresql" else ""  # on SQLite a writer has the whole file
    mark: int = connection.exec_driver_sql(_MARK + lock).scalar_one()
    return mark


def heads_of(connection: Connection, series: Collection[int]) -> dict[int, Head]:
    """Heads as they are written."""
    rows = connection.execute(_HEADS, {"series": list(series)}) if series else ()
    return {series: head for series, *head in rows}


def set_heads(connection: Connection, heads: Mapping[int, Head], *, mark: int) -> None:
    """Write heads that are locked."""
    _many(connection, _SET_HEAD, [(*head, series) for series, head in heads.items()])
    _many(connection, _SET_MARK, [(mark,)])


def add_points(connection: Connection, rows: Sequence[NewRow]) -> None:
    """Add raw values that are not there yet."""
    _many(connection, _ADD_POINT, rows)


def add_missing_points(connection: Connection, rows: Sequence[NewRow]) -> list[NewRow]:
    """Add raw values of which some may be there already; returns those that were not."""
    new = _insert(connection, PointRow).on_conflict_do_nothing()
    values = [{"series": series, "ts": ts, "value": value} for series, ts, value in rows]
    added = connection.execute(new.returning(PointRow.series, PointRow.ts, PointRow.value), values)
    return [(series, ts, value) for series, ts, value in added]


def add_rollups(connection: Connection, grain: int, closed: Closed) -> None:
    """Add to what the rollup's buckets hold."""
    if not closed:
        return
    table = ROLLUPS[grain]
    new = _insert(connection, table)
    more = new.excluded
    joined = new.on_conflict_do_update(
        index_elements=[table.series, table.ts],
        set_={
            "n": table.n + more.n,
            "low": case((more.low < table.low, more.low), else_=table.low),
            "high": case((more.high > table.high, more.high), else_=table.high),
            "total": table.total + more.total,
        },
    )
    rows = [
        {"series": series, "ts": ts, "n": t.n, "low": t.low, "high": t.high, "total": t.total}
        for (series, ts), t in sorted(closed.items())
    ]
    connection.execute(joined, rows)


def latest(connection: Connection, zone: str) -> Sequence[Row[str, str, int, float]]:
    """Device, quantity, ts and value of each series of a zone."""
    query = select(SeriesRow.device, SeriesRow.quantity, HeadRow.ts, HeadRow.value)
    return connection.execute(
        query.join(HeadRow, HeadRow.series == SeriesRow.id)
        .where(SeriesRow.zone == zone, HeadRow.ts > NEVER)
        .order_by(SeriesRow.device, SeriesRow.quantity)
    ).all()


def gone(connection: Connection) -> dict[int, int]:
    """Before when rows of each grain have been deleted."""
    return {row.grain: row.before for row in connection.execute(_GONE)}


def tallies(
    connection: Connection, series: Sequence[int], part: Slice, *, origin: int, width: int
) -> Sequence[Row[int, int, float, float, float]]:
    """Bucket number counted from `origin`, count, min, max and sum of a slice; without what heads hold."""
    words = (origin, width, *series, part.start, part.end)
    return connection.exec_driver_sql(_marked(connection, _tallies(part.grain, len(series))), words).all()


def values(connection: Connection, series: int, *, start: int, end: int, limit: int) -> Sequence[Row[int, float]]:
    """ts and value of raw rows, oldest first."""
    query = select(PointRow.ts, PointRow.value).where(PointRow.series == series)
    return connection.execute(
        query.where(PointRow.ts >= start, PointRow.ts < end).order_by(PointRow.ts).limit(limit)
    ).all()


def before(connection: Connection, series: int, at: int) -> tuple[int, float] | None:
    """ts and value of the newest value before `at`, or, where raw values have gone, of the newest rollup."""
    newest = select(HeadRow.ts, HeadRow.value).where(HeadRow.series == series, HeadRow.ts > NEVER, HeadRow.ts < at)
    row = connection.execute(newest).first()
    if row is not None:
        return row[0], row[1]
    for table, value in (
        (PointRow, PointRow.value),
        (FiveMinuteRow, FiveMinuteRow.total / FiveMinuteRow.n),
        (HourRow, HourRow.total / HourRow.n),
    ):
        query = select(table.ts, value).where(table.series == series, table.ts < at)
        row = connection.execute(query.order_by(table.ts.desc()).limit(1)).first()
        if row is not None:
            return row[0], row[1]
    return None


def all_series(connection: Connection) -> list[int]:
    """Every series."""
    return list(connection.scalars(select(SeriesRow.id).order_by(SeriesRow.id)))


def note_gone(connection: Connection, grain: int, before: int) -> None:
    """From now on rows of a grain that are older may be missing."""
    new = _insert(connection, GoneRow)
    later = new.on_conflict_do_update(
        index_elements=[GoneRow.grain], set_={"before": new.excluded.before}, where=new.excluded.before > GoneRow.before
    )
    connection.execute(later, {"grain": grain, "before": before})


def trim(connection: Connection, grain: int, series: int, *, before: int, limit: int) -> int:
    """Delete the oldest rows of a series, at most `limit`; along the key, so only what goes is read."""
    table = TABLES[grain]
    old = select(table.ts).where(table.series == series, table.ts < before).order_by(table.ts).limit(limit)
    times = list(connection.scalars(old))
    if not times:
        return 0
    went = connection.execute(delete(table).where(table.series == series, table.ts <= times[-1]))
    assert isinstance(went, CursorResult)
    return went.rowcount


def give_back_pages(connection: Connection, *, above: int, at_once: int) -> None:
    """SQLite: hand pages back to the file system when more than `above` lie empty; see `server.db` for which files."""
    if connection.dialect.name == "sqlite" and connection.scalar(text("PRAGMA freelist_count")) > above:
        # the statement gives back a page a step, and only a script is stepped to its end; it commits by itself
        connection.connection.cursor().executescript(f"PRAGMA incremental_vacuum({at_once:d})")


def _many(connection: Connection, statement: str, rows: Sequence[tuple[float, ...]]) -> None:
    """A statement for each row."""
    if rows:
        connection.exec_driver_sql(_marked(connection, statement), list(rows))


def _marked(connection: Connection, statement: str) -> str:
    """Its marks as the driver wants them."""
    return statement.replace("?", "%s") if connection.dialect.name == "postgresql" else statement


def _insert(connection: Connection, table: type[Any]) -> Any:
    """INSERT with ON CONFLICT; the two dialects spell it alike."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)
