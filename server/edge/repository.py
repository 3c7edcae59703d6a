"""All SQL of the outbox."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CursorResult, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from carrel.contracts.actuation import CommandResult, CommandStatus
from server.edge.models import CommandRow

NO_ANSWER = "no_answer"

_PENDING = or_(CommandRow.status.is_(None), CommandRow.status == CommandStatus.ACCEPTED)
_OPEN_TO_ANSWERS = or_(
    _PENDING, and_(CommandRow.status == CommandStatus.EXPIRED, CommandRow.code == NO_ANSWER)
)  # a late answer is truer than our own verdict


def add(session: Session, row: CommandRow) -> None:
    """Store a new command."""
    session.add(row)


def get(session: Session, id_: str) -> CommandRow | None:
    """One command."""
    return session.get(CommandRow, id_)


def unanswered(session: Session, now: datetime) -> list[CommandRow]:
    """Commands to send, oldest first."""
    query = select(CommandRow).where(CommandRow.status.is_(None), CommandRow.expires_at > now)
    return list(session.scalars(query.order_by(CommandRow.created_at, CommandRow.id)))


def overdue(session: Session, now: datetime) -> list[str]:
    """Ids of commands whose time ran out without a final answer."""
    return list(session.scalars(select(CommandRow.id).where(_PENDING, CommandRow.expires_at <= now)))


def settle(session: Session, gateway: str | None, result: CommandResult) -> bool:
    """Write an answer of this gateway (None: our own verdict); False when there is no such open command."""
    asked = [CommandRow.id == result.id, _OPEN_TO_ANSWERS if gateway else _PENDING]
    if gateway is not None:
        asked.append(CommandRow.gateway == gateway)
    done = session.execute(
        update(CommandRow)
        .where(*asked)
        .values(status=result.status.value, code=result.code[:64], detail=result.detail[:1000], answered_at=result.ts)
    )
    assert isinstance(done, CursorResult)
    return done.rowcount > 0


def forget(session: Session, before: datetime) -> None:
    """Drop commands of the past."""
    session.execute(delete(CommandRow).where(CommandRow.created_at < before))
