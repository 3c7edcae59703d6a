"""What the panels have told, remembered."""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from carrel.contracts.actuation import CommandResult, PanelCommand
from carrel.contracts.alarms import AlarmState
from server.alarms import repository
from server.alarms.models import AlarmActionRow, AlarmRow

ROOM_BYTES = 8192
"""More than a page of SQLite, a page of PostgreSQL."""


def record(session: Session, gateway: str, alarm: AlarmState) -> bool:
    """Store an alarm's state; False when this or a newer version was stored before."""
    values = alarm.model_dump(mode="python", exclude={"causes"})
    values |= {"gateway": gateway, "severity": alarm.severity.value}
    values["causes"] = [cause.model_dump(mode="json") for cause in alarm.causes]
    return repository.put(session, values)


def find(session: Session, id_: str) -> AlarmState | None:
    """An alarm's present state."""
    row = repository.get(session, id_)
    return _state(row) if row else None


def gateway_of(session: Session, id_: str) -> str | None:
    """Which gateway's panel has this alarm."""
    row = repository.get(session, id_)
    return row.gateway if row else None


def open_alarms(session: Session) -> list[AlarmState]:
    """Alarms that are not over."""
    return [_state(row) for row in repository.open_alarms(session)]


def newest(session: Session, limit: int) -> list[AlarmState]:
    """Alarms, over or not, newest first."""
    return [_state(row) for row in repository.newest(session, limit)]


def last_reset(session: Session) -> datetime | None:
    """When the newest of the resets was."""
    return repository.last_reset(session)


def abandon(session: Session, gateway: str, *, by: str, now: datetime) -> int:
    """End the alarms of a gateway that is gone for good; how many. Should it come back, it is right about them."""
    return repository.abandon(session, gateway, by=by, now=now)


def rehearse(session: Session) -> None:
    """Store an alarm with many causes and take it back: what this raises, recording an alarm would raise."""
    id_ = f"rehearsal-{uuid.uuid4().hex}"
    values: dict[str, Any] = dict.fromkeys(AlarmState.model_fields) | {
        "id": id_, "gateway": "", "version": 0, "kind": "fault", "severity": "info", "place": "", "state": "reset",
        "raised_at": datetime.fromtimestamp(0, UTC), "silenced": True, "causes": [secrets.token_hex(ROOM_BYTES // 2)],
    }  # fmt: skip
    repository.put(session, values)
    repository.remove(session, id_)


def asked(session: Session, command: PanelCommand, subject: str, now: datetime) -> None:
    """Note that a person asked the panel for something."""
    row = AlarmActionRow(id=command.id, alarm_id=command.alarm, action=command.action, subject=subject, at=now)
    repository.add_action(session, row)


def answered(session: Session, result: CommandResult) -> None:
    """Note what the panel answered."""
    row = repository.get_action(session, result.id)
    if row is not None:
        row.status, row.code = result.status.value, result.code[:64]


def _state(row: AlarmRow) -> AlarmState:
    fields = {name: getattr(row, name) for name in AlarmState.model_fields}
    return AlarmState.model_validate(fields)
