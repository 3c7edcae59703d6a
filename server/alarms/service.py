"""What the panels have told, remembered."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy.orm import Session

from carrel.contracts.actuation import CommandResult, PanelCommand
from carrel.contracts.alarms import AlarmState
from server.alarms import repository
from server.alarms.models import AlarmActionRow, AlarmRow


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
    """Alarms that are not over, most urgent first."""
    return [_state(row) for row in repository.open_alarms(session)]


def newest(session: Session, limit: int) -> list[AlarmState]:
    """Alarms, over or not, newest first."""
    return [_state(row) for row in repository.newest(session, limit)]


def quiet_since(session: Session) -> datetime | None:
    """When the last alarm was reset; None when an alarm is open or there never was one."""
    return None if repository.open_alarms(session) else repository.last_reset(session)


def rev(session: Session) -> str:
    """The `rev` of `alarms` on the live channel: differs when an alarm was raised or changed."""
    facts = sorted((row.id, row.version) for row in repository.open_alarms(session))
    return hashlib.sha256(repr((facts, repository.last_reset(session))).encode()).hexdigest()[:12]


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
