"""The record of people's wishes above the rules. The gateway decides; this keeps who, what, when and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from carrel.contracts.actuation import ActuatorState, CommandResult, CommandStatus, OverrideSet, RulesState
from server.rooms import policy, repository
from server.rooms.models import OverrideRow

TOLD_FOR = timedelta(minutes=5)
"""So long people are told that a wish was refused."""


@dataclass(frozen=True, slots=True)
class Override:
    """`state`: sent, in_force, refused or ended; `code` says why it was refused, `end` how it ended."""

    id: str
    gateway: str
    room: str
    actuator: str
    value: float
    by: str
    until: datetime
    state: str
    code: str
    end: str | None
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants which actuator to do what; `subject` is the principal's."""

    gateway: str
    room: str
    command: OverrideSet
    subject: str


def begin(session: Session, wish: Wish, now: datetime) -> None:
    """Note a wish that is on its way to the gateway."""
    command = wish.command
    row = OverrideRow(
        id=command.id,
        gateway=wish.gateway,
        room=wish.room,
        actuator=command.actuator,
        value=command.value,
        by=command.by,
        subject=wish.subject,
        created_at=now,
        until=now + timedelta(seconds=command.duration_s),
        state="sent",
    )
    repository.add(session, row)


def answered(session: Session, command: OverrideSet, result: CommandResult) -> None:
    """The gateway took the wish, refused it, or never answered; its list of overrides may have told before."""
    row = repository.get(session, command.id, lock=True)
    if row is None or row.state not in ("sent", "refused"):
        return
    if result.status is CommandStatus.DONE:
        row.state, row.code, row.ended_at = "in_force", "", None
        row.confirmed_at = result.ts
        row.until = result.ts + timedelta(seconds=command.duration_s)
    else:
        row.state, row.code, row.ended_at = "refused", result.code or result.status.value, result.ts


def cancelling(session: Session, id_: str, by: str) -> None:
    """Somebody wants it to end; the gateway's list says when it has."""
    row = repository.get(session, id_, lock=True)
    if row is not None:
        row.cancelled_by = by


def not_cancelled(session: Session, id_: str) -> None:
    """The gateway refused to end it."""
    row = repository.get(session, id_, lock=True)
    if row is not None and row.ended_at is None:
        row.cancelled_by = None


def cancelled(session: Session, id_: str, at: datetime) -> None:
    """The gateway has ended it on demand."""
    row = repository.get(session, id_, lock=True)
    if row is not None and row.ended_at is None:
        _end(row, "cancelled", at)


def reconcile(session: Session, gateway: str, rules: RulesState) -> None:
    """Bring the record in line with the overrides that the gateway says are in force."""
    holding = {state.override.id: state for state in rules.actuators if state.override is not None}
    busy = {state.actuator for state in holding.values()}
    for row in repository.not_over(session, gateway):
        state = holding.get(row.id)
        if state is not None:
            _in_force(row, state, rules.ts)
        elif row.state == "in_force" and row.confirmed_at is not None and rules.ts >= row.confirmed_at:
            how = policy.how_ended(
                until=row.until, cancelled=row.cancelled_by is not None, replaced=row.actuator in busy, at=rules.ts
            )
            _end(row, how, rules.ts)
    for id_ in sorted(holding.keys() - repository.known(session, holding.keys())):
        repository.add_if_new(session, _adopted(gateway, holding[id_], rules.ts))


def find(session: Session, id_: str) -> Override | None:
    """One override of the record."""
    row = repository.get(session, id_)
    return _view(row) if row else None


def newest(session: Session, now: datetime) -> dict[tuple[str, str], Override]:
    """(room, actuator) -> the newest wish that is not over, or was refused a moment ago and nobody asked again."""
    rows = repository.not_over_or_refused(session, now - TOLD_FOR)
    return {(row.room, row.actuator): _view(row) for row in rows}


def _in_force(row: OverrideRow, state: ActuatorState, at: datetime) -> None:
    assert state.override is not None
    if row.state != "in_force":
        row.state, row.confirmed_at = "in_force", at
    row.until = state.override.until


def _end(row: OverrideRow, how: policy.End, at: datetime) -> None:
    row.state, row.end, row.ended_at = "ended", how, at


def _adopted(gateway: str, state: ActuatorState, at: datetime) -> OverrideRow:
    """An override that began without this database."""
    held = state.override
    assert held is not None
    return OverrideRow(
        id=held.id,
        gateway=gateway,
        room=state.zone,
        actuator=state.actuator,
        value=held.value,
        by=held.by[:80],
        created_at=at,
        until=held.until,
        state="in_force",
        confirmed_at=at,
    )


def _view(row: OverrideRow) -> Override:
    return Override(
        id=row.id,
        gateway=row.gateway,
        room=row.room,
        actuator=row.actuator,
        value=row.value,
        by=row.by,
        until=row.until,
        state=row.state,
        code=row.code,
        end=row.end,
        asked_at=row.created_at,
    )
