"""From raw attributes to readings, where one attribute's meaning hangs on another. Pure."""

from __future__ import annotations

from carrel.contracts.telemetry import Quantity
from devices.zigbee.clusters import Attribute

Values = tuple[tuple[Quantity, float], ...]


class Translator:
    """One device's values. A fan that is off keeps its level attribute: its level counts as 0 until it is on again."""

    def __init__(self, *, invert: bool = False) -> None:
        self._invert = invert
        self._on: float | None = None
        self._level: float | None = None

    def feed(self, description: Attribute, raw: int) -> Values:
        """The quantities that a raw value tells, none when the device does not know it."""
        value = description.read(raw, invert=self._invert)
        if value is None:
            return ()
        quantity = description.quantity
        if quantity is Quantity.LEVEL:
            self._level = value
            return ((quantity, self._running(value)),)
        if quantity is Quantity.ON:
            self._on = value
            if self._level is not None:
                return ((quantity, value), (Quantity.LEVEL, self._running(self._level)))
        return ((quantity, value),)

    def _running(self, level: float) -> float:
        return 0.0 if self._on == 0.0 else level
