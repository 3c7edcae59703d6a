"""Actuators that do not follow: an alarm for each when its order failed again and again, until it follows.

A fault is on the disk with the event that tells it, so that a restart neither forgets it nor tells it twice.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from carrel.contracts.alarms import AlarmState, Severity
from carrel.contracts.codec import encode
from gateway.store import Store

log = logging.getLogger(__name__)

MEMORY = "actuator_faults"
EVENT_KIND = "alarm"


@dataclass(frozen=True, slots=True)
class Fault:
    """An open fault of an output."""

    id: str
    since: datetime


class ActuatorFaults:
    """Owns the open faults. Outputs that no rule moves (sirens, doors) are the fire panel's business, not ours."""

    def __init__(self, actuators: Mapping[str, str], store: Store) -> None:
        """`actuators`: output -> the actuator's id, which names the alarm's place."""
        self._actuators = actuators
        self._store = store
        self._open = _remembered(store)

    def standing(self) -> list[AlarmState]:
        """After a restart: the faults that were left; those of actuators that no longer exist are over."""
        return [self._alarm(output, fault) for output, fault in self._open.items() if output in self._actuators]

    def forgotten(self, now: datetime) -> list[AlarmState]:
        """End the faults of actuators that no longer exist."""
        return [
            alarm for output in list(self._open) if output not in self._actuators for alarm in self._end(output, now)
        ]

    def failed(self, output: str, code: str, now: datetime) -> list[AlarmState]:
        """An order failed as often as makes an alarm; nothing when it stands already."""
        if output not in self._actuators or output in self._open:
            return []
        actuator = self._actuators[output]
        log.warning("%s does not follow (%s): alarm", actuator, code)
        fault = Fault(f"fault-{actuator}-{round(now.timestamp() * 1000)}"[:96], now)
        alarm = self._alarm(output, fault)
        self._open[output] = fault
        self._persist(alarm)
        return [alarm]

    def followed(self, output: str, now: datetime) -> list[AlarmState]:
        """It carried an order out; nothing when all was well."""
        return self._end(output, now)

    def _end(self, output: str, now: datetime) -> list[AlarmState]:
        fault = self._open.pop(output, None)
        if fault is None:
            return []
        alarm = self._alarm(output, fault).model_copy(update={"version": 2, "state": "reset", "reset_at": now})
        log.warning("%s follows again", alarm.place)
        self._persist(alarm)
        return [alarm]

    def _alarm(self, output: str, fault: Fault) -> AlarmState:
        return AlarmState(
            id=fault.id,
            version=1,
            kind="fault",
            severity=Severity.WARN,
            place=self._actuators.get(output, output),
            state="fault",
            raised_at=fault.since,
            causes=(),
        )

    def _persist(self, alarm: AlarmState) -> None:
        """A disk that refuses must not keep people from seeing it: the alarm is published all the same."""
        memory = {output: [fault.id, fault.since.isoformat()] for output, fault in self._open.items()}
        try:
            self._store.save_with_events(MEMORY, memory, [(EVENT_KIND, encode(alarm).decode())])
        except sqlite3.Error as error:
            log.error("fault of %s is not written: %s", alarm.place, error)


def _remembered(store: Store) -> dict[str, Fault]:
    kept: Any = store.load(MEMORY)
    try:
        return {
            str(output): Fault(str(id_), datetime.fromisoformat(since)) for output, (id_, since) in (kept or {}).items()
        }
    except (AttributeError, TypeError, ValueError) as error:
        log.error("remembered faults of actuators cannot be read, they begin afresh: %s", error)
        return {}
