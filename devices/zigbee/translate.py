"""From raw attributes to readings, where one attribute's meaning hangs on its model or on another attribute. Pure."""

from __future__ import annotations

from collections.abc import Callable

from carrel.contracts.telemetry import Quantity
from devices.zigbee.clusters import Attribute, whole_per_cent
from devices.zigbee.models import STANDARD, Traits

Values = tuple[tuple[Quantity, float], ...]

LATE_MOST = 64
"""A sequence number so far behind the newest is an old frame; further behind, the device began to count anew."""
LATE_WITHIN_S = 10.0
"""No frame is under way for longer: what comes later counts, whatever its number."""


class Translator:
    """One device's values. A fan that is off keeps its level attribute: its level counts as 0 until it is on again."""

    def __init__(self, traits: Traits = STANDARD) -> None:
        self._invert = traits.invert
        self._converters: dict[Quantity, Callable[[float], float]] = {}
        if traits.lux == "linear":
            self._converters[Quantity.LUX] = float
        if traits.battery == "whole":
            self._converters[Quantity.BATTERY] = whole_per_cent
        self._on: float | None = None
        self._level: float | None = None

    def feed(self, description: Attribute, raw: float, scale: float | None = 1.0) -> Values:
        """The quantities that a raw value tells, none when the device does not know it or not yet what it counts."""
        quantity = description.quantity
        value = description.read(raw, invert=self._invert, convert=self._converters.get(quantity))
        if value is None or not scale:
            return ()
        if description.scale is not None:
            return ((quantity, round(value * scale, 6)),)
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


class Newest:
    """The newest sequence number heard of each attribute, by which a frame that was overtaken is known."""

    def __init__(self) -> None:
        self._heard: dict[tuple[int, int], tuple[int, float]] = {}

    def overtaken(self, key: tuple[int, int], tsn: int, now_s: float) -> bool:
        """Whether a newer report of this (cluster, attribute) came lately; otherwise this one is the newest."""
        before = self._heard.get(key)
        if before is not None:
            behind = (before[0] - tsn) % 256
            if 0 < behind <= LATE_MOST and now_s - before[1] < LATE_WITHIN_S:
                return True
        self._heard[key] = (tsn, now_s)
        return False

    def forget(self) -> None:
        """The device came back, perhaps after a power cut: it may count from anywhere."""
        self._heard.clear()
