"""Alarms as this server process knows them: what the database has, and what the gateways told that it has not taken.

A database that takes nothing, because its disk is full, must not hide a fire: what is told is held here until it is
recorded (docs/adr/0012).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from carrel.contracts.alarms import AlarmState
from server.alarms import policy, service
from server.db import Database
from server.health import Writes

HELD_LIMIT = 1000
"""A sender of made-up alarms must not fill the memory."""


@dataclass(frozen=True, slots=True)
class Told:
    """Alarms in the order that was asked for, and the ids of those of which the database lacks the present state."""

    alarms: list[AlarmState]
    unrecorded: frozenset[str]


class AlarmBook:
    """`app.state.alarm_book`; for any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._held: Mapping[str, tuple[str, AlarmState]] = {}
        self.writes = Writes(self._rehearse)
        database.on_refused = self.writes.doubt

    def hear(self, gateway: str, alarm: AlarmState) -> None:
        """A gateway tells of an alarm, which is to be recorded."""
        with self._lock:
            known = self._held.get(alarm.id)
            newer = known is None or known[1].version < alarm.version
            if newer and (known is not None or len(self._held) < HELD_LIMIT):
                self._held = {**self._held, alarm.id: (gateway, alarm)}

    def record(self, gateway: str, alarm: AlarmState) -> None:
        """Record it, in a transaction of its own."""
        with self._database.writing() as session:
            service.record(session, gateway, alarm)
        with self._lock:
            self._held = {id_: held for id_, held in self._held.items() if not _covers(alarm, held[1])}

    def record_held(self) -> None:
        """Record what could not be recorded when it was told, once the database takes what is written."""
        if self.writes.probe() is not None:
            return
        for gateway, alarm in self._held.values():
            with suppress(SQLAlchemyError):
                self.record(gateway, alarm)

    def held(self, id_: str) -> tuple[str, AlarmState] | None:
        """The gateway and the state of an alarm that is not recorded as it is now."""
        return self._held.get(id_)

    def open_alarms(self, session: Session) -> Told:
        """Alarms that are not over, most urgent first."""
        held = self._unrecorded(session)
        known = policy.overlaid(service.open_alarms(session), held)
        return Told(policy.most_urgent_first(known), frozenset(held))

    def newest(self, session: Session, limit: int) -> Told:
        """Alarms, over or not, newest first."""
        held = self._unrecorded(session)
        known = policy.overlaid(service.newest(session, limit), held)
        return Told(policy.newest_first(known)[:limit], frozenset(held))

    def quiet_since(self, session: Session) -> datetime | None:
        """When the last alarm was reset; None when an alarm is open or there never was one."""
        return None if self.open_alarms(session).alarms else self._last_reset(session)

    def rev(self, session: Session) -> str:
        """The `rev` of `alarms` on the live channel: differs when an alarm was raised, changed or recorded, or when the
        database begins or ceases to take what is written."""
        told = self.open_alarms(session)
        facts = sorted((alarm.id, alarm.version, alarm.id in told.unrecorded) for alarm in told.alarms)
        return policy.digest((facts, self._last_reset(session), self.writes.trouble))

    def _last_reset(self, session: Session) -> datetime | None:
        resets = [service.last_reset(session), *(alarm.reset_at for alarm in self._unrecorded(session).values())]
        return max((at for at in resets if at is not None), default=None)

    def _unrecorded(self, session: Session) -> dict[str, AlarmState]:
        """Another server process may have recorded what is held here."""
        recorded = {id_: service.find(session, id_) for id_ in self._held}
        return {
            id_: alarm
            for id_, (_, alarm) in self._held.items()
            if (row := recorded.get(id_)) is None or row.version < alarm.version
        }

    def _rehearse(self) -> None:
        with self._database.writing(at_once=True) as session:
            service.rehearse(session)


def _covers(recorded: AlarmState, held: AlarmState) -> bool:
    return recorded.id == held.id and recorded.version >= held.version
