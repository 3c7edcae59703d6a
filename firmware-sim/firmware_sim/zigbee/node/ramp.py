"""A value that moves to its target at a steady rate: a curtain, a fan running up."""

from collections.abc import Callable
from typing import Final

from firmware_sim.zigbee.timers import Timer, Timers

TICK_S: Final = 0.1


class Ramp:
    """Calls `moved(value, at_rest)` at each tick while moving and once at the end."""

    def __init__(self, timers: Timers, value: float, moved: Callable[[float, bool], None]) -> None:
        self.value = value
        self._timers = timers
        self._moved = moved
        self._target = value
        self._rate_s = 0.0
        self._seen_at_s = 0.0
        self._timer: Timer | None = None

    @property
    def moving(self) -> bool:
        """Whether it is on its way."""
        return self._timer is not None

    def go(self, target: float, rate_s: float) -> None:
        """Move to `target` at `rate_s` units a second, from wherever it is now."""
        self._halt()
        self._target, self._rate_s = target, rate_s
        self._seen_at_s = self._timers.now()
        self._arm()

    def stop(self) -> None:
        """Stay where it is now."""
        if self.moving:
            self._advance()
            self._halt()
            self._moved(self.value, True)

    def jump(self, value: float) -> None:
        """Be there at once, without a call to `moved`."""
        self._halt()
        self.value = value

    def _tick(self) -> None:
        self._timer = None
        self._advance()
        if self.value == self._target:
            self._moved(self.value, True)
        else:
            self._moved(self.value, False)
            self._arm()

    def _advance(self) -> None:
        now_s = self._timers.now()
        step = self._rate_s * (now_s - self._seen_at_s)
        self._seen_at_s = now_s
        way = self._target - self.value
        self.value = self._target if abs(way) <= step else self.value + (step if way > 0 else -step)

    def _arm(self) -> None:
        rest_s = abs(self._target - self.value) / self._rate_s
        self._timer = self._timers.after(min(TICK_S, rest_s), self._tick)

    def _halt(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
