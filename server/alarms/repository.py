"""All SQL of the alarms domain."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from server.alarms.models import AlarmActionRow, AlarmRow
from server.db.transaction import kind_of


def get(session: Session, id_: str) -> AlarmRow | None:
    """One alarm."""
    return session.get(AlarmRow, id_)


def put(session: Session, values: dict[str, Any]) -> bool:
    """Store a state unless a same or newer one is stored; True when it was."""
    dialect = postgresql if kind_of(session) == "postgresql" else sqlite
    new = dialect.insert(AlarmRow).values(**values)
    newer = new.on_conflict_do_update(
        index_elements=[AlarmRow.id],
        set_={name: new.excluded[name] for name in values if name != "id"},
        where=(AlarmRow.version < new.excluded.version) & (AlarmRow.gateway == new.excluded.gateway),
    )
    done = session.execute(newer)
    assert isinstance(done, CursorResult)
    return done.rowcount > 0


def remove(session: Session, id_: str) -> None:
    """As if it had never been stored."""
    session.execute(delete(AlarmRow).where(AlarmRow.id == id_))


def abandon(session: Session, gateway: str, *, by: str, now: datetime) -> int:
    """End a gateway's alarms with a version that anything the gateway tells is above; how many."""
    standing = update(AlarmRow).where(AlarmRow.gateway == gateway, AlarmRow.state != "reset")
    done = session.execute(standing.values(state="reset", version=0, reset_at=now, reset_by=by))
    assert isinstance(done, CursorResult)
    return done.rowcount


def open_alarms(session: Session) -> list[AlarmRow]:
    """Alarms that are not over."""
    return list(session.scalars(select(AlarmRow).where(AlarmRow.state != "reset")))


def newest(session: Session, limit: int) -> list[AlarmRow]:
    """Alarms, over or not, newest first."""
    query = select(AlarmRow).order_by(AlarmRow.raised_at.desc(), AlarmRow.id.desc())
    return list(session.scalars(query.limit(limit)))


def last_reset(session: Session) -> datetime | None:
    """When the newest of the resets was."""
    query = select(AlarmRow.reset_at).where(AlarmRow.reset_at.is_not(None))
    return session.scalar(query.order_by(AlarmRow.reset_at.desc()).limit(1))


def add_action(session: Session, row: AlarmActionRow) -> None:
    """Note what somebody asked for."""
    session.add(row)


def get_action(session: Session, id_: str) -> AlarmActionRow | None:
    """One action."""
    return session.get(AlarmActionRow, id_)
