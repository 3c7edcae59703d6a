"""What the gateway expects of a link: one port or socket, whatever hangs on it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from devices.orders import Command, OrderResult

Emit = Callable[[object], None]
"""Takes an event of `devices.events`; called from the event loop, must return at once and never raise."""


class LinkState(StrEnum):
    """`degraded` is up with errors lately; `down` waits for the next attempt."""

    CONNECTING = "connecting"
    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"


class Link(Protocol):
    """One wire. Reconnecting is the supervisor's business, never the link's."""

    @property
    def name(self) -> str:
        """The link's id in health reports: `zigbee`, or the id of the module or reader."""

    @property
    def kind(self) -> str:
        """The key of LINK_FACTORIES that made it."""

    async def run(self, emit: Emit) -> None:
        """Connect, tell events, and end only by cancellation or a ConnectionError. Emits LinkUp once it serves."""

    async def execute(self, command: Command) -> OrderResult:
        """Carry out a command; answers within a few seconds, also while the link is down (failed, `link_down`)."""
