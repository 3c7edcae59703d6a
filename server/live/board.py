"""Writes on the feed what rooms and alarms are like; in the event loop."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from carrel.contracts.telemetry import Quantity
from server.live.feed import Feed
from server.rooms import policy
from server.rooms.policy import RoomValue
from server.rooms.service import Rooms
from server.sip2.terminals import Terminals

ALARMS, HEALTH, NETWORK, RULEBOOK = "alarms", "health", "network", "rulebook"
DECIMALS = 3


class Board:
    """Of one server process."""

    def __init__(self, feed: Feed, rooms: Rooms, terminals: Terminals) -> None:
        self._feed = feed
        self._rooms = rooms
        self._terminals = terminals
        self._alarms_rev: str | None = None

    def show_all(self) -> None:
        """Everything but the alarms; also called now and then, since values grow stale by themselves."""
        for room in self._rooms.plan.rooms:
            self.show_values(room)
            self.show_devices(room)
        self.show_actuators()
        self.show_health()
        self.show_network()
        self.show_rulebook()

    def show_values(self, room: str) -> None:
        """The values of a room; a zone that is no room of ours has none."""
        plan = self._rooms.plan.rooms.get(room)
        if plan is None:
            return
        for quantity in plan.shown:
            self._show(room, quantity, self._rooms.value(room, quantity))
        if Quantity.TEMP in plan.sensors and Quantity.RH in plan.sensors:
            temp, rh = (self._rooms.value(room, quantity) for quantity in (Quantity.TEMP, Quantity.RH))
            self._show(room, "dew_point", policy.dew_point(temp, rh))

    def show_actuators(self) -> None:
        """What the actuators do, or why, and how the rules stand."""
        for room in self._rooms.plan.rooms:
            patch = {"rev": self._rooms.actuators_rev(room)}
            self._feed.publish(room_topic(room), f"{room}.actuators", patch, at_once=True)
            self._feed.publish(room_topic(room), f"{room}.rules", {"rev": self._rooms.picture.rules_rev(room)})

    def show_devices(self, room: str) -> None:
        """Which devices a room has and, to the minute, when they were heard."""
        self._feed.publish(room_topic(room), f"{room}.devices", {"rev": self._rooms.picture.devices_rev(room)})

    def show_network(self) -> None:
        """The Zigbee networks."""
        self._feed.publish(NETWORK, NETWORK, {"rev": self._rooms.picture.network_rev()}, at_once=True)

    def show_rulebook(self) -> None:
        """Which rules the gateways run."""
        self._feed.publish(RULEBOOK, RULEBOOK, {"rev": self._rooms.picture.config_rev()}, at_once=True)

    def show_health(self) -> None:
        """Gateways and links, and self-service terminals."""
        self._feed.publish(HEALTH, HEALTH, {"rev": self._rooms.health_rev() + self._terminals.rev()})

    def show_alarms(self, rev: str) -> None:
        """An alarm was raised or changed, if the rev differs."""
        self._alarms_rev = rev
        self._feed.publish(ALARMS, ALARMS, {"rev": self._rooms.alarms_rev(rev)}, at_once=True)

    def show_watch(self) -> None:
        """Whether the gateways are heard; the alarms' headline depends on it."""
        self._feed.set_old(old=self._rooms.picture.unreached)
        self.show_health()
        if self._alarms_rev is not None:
            self.show_alarms(self._alarms_rev)

    def _show(self, room: str, quantity: str, found: RoomValue) -> None:
        value = None if found.value is None else round(found.value, DECIMALS)
        patch: dict[str, Any] = {"v": value, "t": None if found.at is None else _ms(found.at)}
        if not found.heard:
            patch["old"] = True
        self._feed.publish(room_topic(room), f"{room}.{quantity}", patch)


def room_topic(room: str) -> str:
    """The topic under which a page asks for a room."""
    return f"room:{room}"


def topics_of(rooms: Rooms) -> list[str]:
    """All topics there are."""
    return [ALARMS, HEALTH, NETWORK, RULEBOOK, *(room_topic(room) for room in rooms.plan.rooms)]


def _ms(at: datetime) -> int:
    return int(at.astimezone(UTC).timestamp() * 1000)
