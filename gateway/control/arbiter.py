"""One slot per priority at each output; the highest filled slot wins, and a released one falls back. Pure.

The idea is the priority array of building control (ASHRAE 135, commandable objects).
"""

from __future__ import annotations

from carrel.contracts.actuation import DeviceOrder, Priority


class Arbiter:
    """Who has the say at every output. An output is a device's id, or `module.output`."""

    def __init__(self) -> None:
        self._slots: dict[str, dict[Priority, DeviceOrder]] = {}

    def place(self, output: str, priority: Priority, order: DeviceOrder | None) -> DeviceOrder | None:
        """Fill or release (None) a slot; returns the order now in force if that changed what is in force."""
        slots = self._slots.setdefault(output, {})
        before = self.winner(output)
        if order is None:
            slots.pop(priority, None)
        else:
            slots[priority] = order
        after = self.winner(output)
        return after if after != before else None

    def winner(self, output: str) -> DeviceOrder | None:
        """The order in force at an output."""
        slots = self._slots.get(output)
        return slots[max(slots)] if slots else None

    def holder(self, output: str) -> Priority | None:
        """The priority in force at an output."""
        slots = self._slots.get(output)
        return max(slots) if slots else None

    def winners(self) -> dict[str, DeviceOrder]:
        """Every output's order in force: what a link that came back must be told again."""
        return {output: slots[max(slots)] for output, slots in self._slots.items() if slots}
