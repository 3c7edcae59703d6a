"""Answering an alarm: the command to the panel, and a moment's wait for what the panel says."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sqlalchemy.orm import Session

from carrel.clock import Clock
from carrel.contracts.actuation import CommandStatus, PanelCommand
from carrel.contracts.alarms import AlarmState
from server.alarms import service
from server.alarms.book import AlarmBook
from server.alarms.errors import RefusedByPanelError, UnknownAlarmError
from server.db import Database
from server.deps import Principal
from server.edge.outbox import Order, Outbox

Action = Literal["acknowledge", "silence", "reset"]

PANEL = "panel"
EXPIRES_AFTER = timedelta(seconds=30)
"""Nobody wants a siren silenced by an order given long ago."""

CATCH_UP_S, LOOK_AGAIN_S = 1.0, 0.05

DONE: dict[Action, Callable[[AlarmState], bool]] = {
    "acknowledge": lambda alarm: alarm.acknowledged_at is not None,
    "silence": lambda alarm: alarm.silenced,
    "reset": lambda alarm: alarm.state == "reset",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The alarm now, and whether the panel has done what was asked or not answered yet."""

    alarm: AlarmState
    done: bool


class AlarmControl:
    """Of one server process; `app.state.alarm_control`. Calls block up to 3 s; not inside a transaction."""

    def __init__(self, outbox: Outbox, database: Database, clock: Clock, book: AlarmBook) -> None:
        self._outbox = outbox
        self._database = database
        self._clock = clock
        self._book = book

    def perform(self, alarm: str, action: Action, *, by: Principal) -> Outcome:
        """Ask the panel; raises UnknownAlarmError, RefusedByPanelError."""
        with self._database.reading() as session:
            gateway = service.gateway_of(session, alarm)
        held = self._book.held(alarm)
        if gateway is None and held is not None:
            gateway, _ = held
        if gateway is None:
            raise UnknownAlarmError
        now = self._clock.now()
        command = PanelCommand(id=uuid.uuid4().hex, action=action, alarm=alarm, by=by.user, expires=now + EXPIRES_AFTER)
        order = Order(gateway, PANEL, command)

        def note(session: Session) -> None:
            if held is not None:
                service.record(session, *held)
            service.asked(session, command, by.subject, now)

        result = self._outbox.carry_out(order, note)
        if result is not None and result.status is not CommandStatus.DONE:
            raise RefusedByPanelError(result.code or result.status.value, result.detail)
        return Outcome(self._after(alarm, action if result else None), result is not None)

    def _after(self, alarm: str, action: Action | None) -> AlarmState:
        """The alarm as stored; what the panel has done arrives beside its answer, so it is given a moment."""
        deadline = time.monotonic() + CATCH_UP_S
        while True:
            with self._database.reading() as session:
                found = service.find(session, alarm)
            assert found is not None, "alarms are never deleted"
            if action is None or DONE[action](found) or time.monotonic() >= deadline:
                return found
            time.sleep(LOOK_AGAIN_S)
