"""Taking and giving back manual control: two transactions with the wait for the gateway's answer between them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.exc import IntegrityError

from carrel.clock import Clock
from carrel.contracts.actuation import CommandStatus, OverrideCancel, OverrideSet
from server.db import Database
from server.deps import Principal
from server.edge.outbox import Order, Outbox
from server.rooms import overrides, policy
from server.rooms.errors import (
    EdgeUnknownError,
    OverrideEndedError,
    RefusedByEdgeError,
    UnknownActuatorError,
    UnknownOverrideError,
)
from server.rooms.overrides import Override, Wish
from server.rooms.policy import Stage, digest
from server.rooms.service import Rooms

EXPIRES_AFTER = timedelta(seconds=60)
"""A comfort command that has not reached the gateway by then is not wanted any more."""

ABOVE_PEOPLE = ("safety", "interlock")
"""What stands above a person's wish for as long as it lasts."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A person's wish for an actuator and how far it has come."""

    wish: Override
    stage: Stage


class RoomControl:
    """Of one server process; `app.state.room_control`. Calls block up to 3 s; not inside a transaction."""

    def __init__(self, rooms: Rooms, outbox: Outbox, database: Database, clock: Clock) -> None:
        self._rooms = rooms
        self._outbox = outbox
        self._database = database
        self._clock = clock

    def take(
        self,
        room: str,
        actuator: str,
        *,
        value: float,
        duration_s: int,
        by: Principal,
        key: str | None = None,
        wait: bool = True,
    ) -> Override:
        """Put a person's wish above the rules; `state` is in_force, or sent when no answer came yet.

        A repeat with the same `key` changes nothing. Without `wait` the answer is for `progress` to tell.
        Raises UnknownRoomError, UnknownActuatorError, EdgeUnknownError, RefusedByEdgeError.
        """
        gateway = self._gateway(room, actuator)
        now = self._clock.now()
        command = OverrideSet(
            id=key or uuid.uuid4().hex,
            actuator=actuator,
            value=value,
            duration_s=duration_s,
            by=by.user,
            expires=now + EXPIRES_AFTER,
        )
        wish = Wish(gateway, room, command, by.subject)
        order = Order(gateway, actuator, command)
        try:
            self._outbox.carry_out(order, lambda session: overrides.begin(session, wish, now), wait=wait)
        except IntegrityError:
            if key is None:
                raise
        found = self._find(command.id)
        if found.state == "refused":
            raise RefusedByEdgeError(found.code)
        return found

    def progress(self) -> dict[tuple[str, str], Progress]:
        """(room, actuator) -> the newest wish for it that matters now."""
        now = self._clock.now()
        with self._database.reading() as session:
            wishes = overrides.newest(session, now)
        found = {place: self._progress(wish) for place, wish in wishes.items()}
        return {place: progress for place, progress in found.items() if progress is not None}

    def wishes(self) -> Mapping[str, str]:
        """A digest a room, which differs when a wish came further."""
        facts: dict[str, list[tuple[str, Stage]]] = {}
        for (room, _), progress in self.progress().items():
            facts.setdefault(room, []).append((progress.wish.id, progress.stage))
        return {room: digest(sorted(found)) for room, found in facts.items()}

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

    def _progress(self, wish: Override) -> Progress | None:
        """None for a wish that the gateway has ended meanwhile."""
        now = self._clock.now()
        if wish.state == "refused":
            return Progress(wish, "refused")
        if wish.state == "sent":
            return Progress(wish, policy.stage_of_order(wish.asked_at, now, sent=wish.id in self._outbox.sent))
        state = self._rooms.picture.actuator(wish.room, wish.actuator)
        if state is None or state.override is None or state.override.id != wish.id:
            return Progress(wish, "sent") if now - wish.asked_at <= policy.CONFIRM_WITHIN else None
        if state.cause in ABOVE_PEOPLE:
            return Progress(wish, "held")
        doing = self._rooms.picture.doing(wish.room, wish.actuator)
        return Progress(wish, policy.stage_of_override(wish.value, doing, now))

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
