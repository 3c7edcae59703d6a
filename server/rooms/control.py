"""Taking and giving back manual control: two transactions with the wait for the gateway's answer between them."""

from __future__ import annotations

import uuid
from datetime import timedelta

from carrel.clock import Clock
from carrel.contracts.actuation import CommandStatus, OverrideCancel, OverrideSet
from server.db import Database
from server.deps import Principal
from server.edge.outbox import Order, Outbox
from server.rooms import overrides
from server.rooms.errors import (
    EdgeUnknownError,
    OverrideEndedError,
    RefusedByEdgeError,
    UnknownActuatorError,
    UnknownOverrideError,
)
from server.rooms.overrides import Override, Wish
from server.rooms.service import Rooms

EXPIRES_AFTER = timedelta(seconds=60)
"""A comfort command that has not reached the gateway by then is not wanted any more."""


class RoomControl:
    """Of one server process; `app.state.room_control`. Calls block up to 3 s; not inside a transaction."""

    def __init__(self, rooms: Rooms, outbox: Outbox, database: Database, clock: Clock) -> None:
        self._rooms = rooms
        self._outbox = outbox
        self._database = database
        self._clock = clock

    def take(self, room: str, actuator: str, *, value: float, duration_s: int, by: Principal) -> Override:
        """Put a person's wish above the rules; `state` is in_force, or sent when no answer came yet.

        Raises UnknownRoomError, UnknownActuatorError, EdgeUnknownError, RefusedByEdgeError.
        """
        gateway = self._gateway(room, actuator)
        now = self._clock.now()
        command = OverrideSet(
            id=uuid.uuid4().hex,
            actuator=actuator,
            value=value,
            duration_s=duration_s,
            by=by.user,
            expires=now + EXPIRES_AFTER,
        )
        wish = Wish(gateway, room, command, by.subject)
        self._outbox.carry_out(Order(gateway, actuator, command), lambda session: overrides.begin(session, wish, now))
        found = self._find(command.id)
        if found.state == "refused":
            raise RefusedByEdgeError(found.code)
        return found

    def give_back(self, override: str, *, by: Principal) -> bool:
        """End a wish before its time; True when it has ended, False when no answer came yet.

        Raises UnknownOverrideError, OverrideEndedError, RefusedByEdgeError.
        """
        found = self._find(override)
        if found.state in ("ended", "refused"):
            raise OverrideEndedError
        command = OverrideCancel(
            id=uuid.uuid4().hex,
            actuator=found.actuator,
            override=override,
            by=by.user,
            expires=self._clock.now() + EXPIRES_AFTER,
        )
        order = Order(found.gateway, found.actuator, command)
        result = self._outbox.carry_out(order, lambda session: overrides.cancelling(session, override, by.subject))
        if result is None:
            return False
        if result.status is not CommandStatus.DONE:
            raise RefusedByEdgeError(result.code or result.status.value, result.detail)
        return True

    def _gateway(self, room: str, actuator: str) -> str:
        known = [state.actuator for state in self._rooms.one(room).actuators]
        if not any(gateway.rules for gateway in self._rooms.picture.gateways().values()):
            raise EdgeUnknownError
        gateway = self._rooms.picture.gateway_of(room, actuator)
        if gateway is None:
            raise UnknownActuatorError(actuators=", ".join(known) or "none")
        return gateway

    def _find(self, id_: str) -> Override:
        with self._database.reading() as session:
            found = overrides.find(session, id_)
        if found is None:
            raise UnknownOverrideError
        return found
