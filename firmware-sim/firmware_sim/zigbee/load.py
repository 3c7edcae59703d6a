"""A steady stream of reports from many devices, for load tests: real frames with each device's own rising numbers."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from firmware_sim.zigbee import zcl
from firmware_sim.zigbee.node.device import VirtualDevice
from firmware_sim.zigbee.node.models import (
    CARBON_DIOXIDE,
    ENDPOINT,
    HUMIDITY,
    ILLUMINANCE,
    OCCUPANCY,
    TEMPERATURE,
)
from firmware_sim.zigbee.node.reporting import Target
from firmware_sim.zigbee.timers import Timer, Timers

FASTEST: Final = 2000.0
_TICK_S: Final = 0.01
_LONGEST_GAP_S: Final = 0.5  # after a pause of the process it goes on, it does not catch up
# A wave of 200 steps over 256 numbers: the same frame comes again only after 6400 reports of a device.
_WAVE: Final = 200
_WAVES: Final[dict[Target, Callable[[int], zcl.Number]]] = {
    (TEMPERATURE, 0): lambda step: 2000 + step,
    (HUMIDITY, 0): lambda step: 5000 + 5 * step,
    (ILLUMINANCE, 0): lambda step: 20001 + 40 * step,
    (OCCUPANCY, 0): lambda step: step % 2,
    (CARBON_DIOXIDE, 0): lambda step: (500 + step) / 1e6,
}


class Load:
    """Sends reports of sensors that are on the network at a steady total rate, one device after the other.

    With `bound_only` a device speaks once the host has bound its cluster, as real ones do. The devices' own reports
    come on top of these.
    """

    def __init__(self, timers: Timers, is_member: Callable[[VirtualDevice], bool]) -> None:
        self._timers = timers
        self._is_member = is_member
        self._timer: Timer | None = None
        self._lines: list[tuple[VirtualDevice, Target, Iterator[int]]] = []
        self._next = 0
        self._due = 0.0
        self._seen_at_s = 0.0
        self._bound_only = True
        self.rate_s = 0.0
        self.sent = 0
        self.unsent = 0

    def start(self, devices: Sequence[VirtualDevice], rate_s: float, *, bound_only: bool = True) -> None:
        """Begin, or go on at another rate; 0 ends it. ValueError when the rate cannot be had."""
        if not 0 <= rate_s <= FASTEST:
            raise ValueError(f"{rate_s:g} reports a second is outside 0..{FASTEST:g}")
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.rate_s, self._bound_only = rate_s, bound_only
        self._due, self._seen_at_s = 0.0, self._timers.now()
        self._lines = [
            (device, target, itertools.count())
            for device in devices
            for target in _WAVES
            if target[0] in device.model.server
        ]
        if rate_s and self._lines:
            self._timer = self._timers.after(_TICK_S, self._tick)

    def describe(self) -> dict[str, Any]:
        """Rate and what was sent since the building stands; `unsent` found nobody ready to send."""
        return {"rate_s": self.rate_s, "sent": self.sent, "unsent": self.unsent}

    def _tick(self) -> None:
        self._timer = self._timers.after(_TICK_S, self._tick)
        now_s = self._timers.now()
        self._due += self.rate_s * min(now_s - self._seen_at_s, _LONGEST_GAP_S)
        self._seen_at_s = now_s
        while self._due >= 1:
            self._due -= 1
            if self._send():
                self.sent += 1
            else:
                self.unsent += 1

    def _send(self) -> bool:
        """The next device that is ready sends; False when none is."""
        for _ in self._lines:
            device, target, steps = self._lines[self._next]
            self._next = (self._next + 1) % len(self._lines)
            endpoint = device.bound_endpoint(target[0])
            if (endpoint is None and self._bound_only) or not self._is_member(device):
                continue
            value = _WAVES[target](next(steps) % _WAVE)
            return device.report(target, value, ENDPOINT if endpoint is None else endpoint)
        return False
