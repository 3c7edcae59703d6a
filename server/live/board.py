"""Writes on the feed what rooms and alarms are like; in the event loop."""

from __future__ import annotations

from datetime import UTC, datetime

from carrel.contracts.telemetry import Quantity
from server.live.feed import Feed
from server.rooms.service import Rooms

ALARMS, HEALTH = "alarms", "health"
DECIMALS = 3


class Board:
    """Of one server process."""

    def __init__(self, feed: Feed, rooms: Rooms) -> None:
        self._feed = feed
        self._rooms = rooms

    def show_all(self) -> None:
        """Everything but the alarms; also called now and then, since values grow stale by themselves."""
        for room in self._rooms.plan.rooms:
            self.show_values(room)
        self.show_actuators()
        self.show_health()

    def show_values(self, room: str) -> None:
        """The values of a room; a zone that is no room of ours has none."""
        plan = self._rooms.plan.rooms.get(room)
        for quantity in plan.shown if plan else ():
            self._show_value(room, quantity)

    def show_actuators(self) -> None:
        """What the actuators do, or why."""
        for room in self._rooms.plan.rooms:
            patch = {"rev": self._rooms.actuators_rev(room)}
            self._feed.publish(room_topic(room), f"{room}.actuators", patch, at_once=True)

    def show_health(self) -> None:
        """Gateways and links."""
        self._feed.publish(HEALTH, HEALTH, {"rev": self._rooms.health_rev()})

    def show_alarms(self, rev: str) -> None:
        """An alarm was raised or changed, if the rev differs."""
        self._feed.publish(ALARMS, ALARMS, {"rev": rev}, at_once=True)

    def _show_value(self, room: str, quantity: Quantity) -> None:
        found = self._rooms.value(room, quantity)
        value = None if found.value is None else round(found.value, DECIMALS)
        patch = {"v": value, "t": None if found.at is None else _ms(found.at)}
        self._feed.publish(room_topic(room), f"{room}.{quantity}", patch)


def room_topic(room: str) -> str:
    """The topic under which a page asks for a room."""
    return f"room:{room}"


def topics_of(rooms: Rooms) -> list[str]:
    """All topics there are."""
    return [ALARMS, HEALTH, *(room_topic(room) for room in rooms.plan.rooms)]


def _ms(at: datetime) -> int:
    return int(at.astimezone(UTC).timestamp() * 1000)
