"""Attribute reporting: minimum and maximum interval and reportable change per attribute (ZCL 8, 2.5.7 and 2.5.11)."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from firmware_sim.zigbee import zcl
from firmware_sim.zigbee.timers import Timer, Timers

Target = tuple[int, int]  # cluster, attribute
NEVER: Final = 0xFFFF
_FIRST_DELAY_S: Final = 0.1
_RETRY_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Rule:
    """One attribute's configuration; `max_s` 0 means no periodic reports."""

    data_type: int
    min_s: int
    max_s: int
    change: zcl.Number = 0


@dataclass(slots=True)
class _Watch:
    rule: Rule
    sent: zcl.Value | None = None  # None until a report has reached the coordinator
    tried_at_s: float | None = None
    timer: Timer | None = None


class Reporter:
    """Decides when a report is due. `send` puts one on the air and tells whether it was delivered."""

    def __init__(self, timers: Timers, read: Callable[[Target], zcl.Value], send: Callable[[Target], bool]) -> None:
        self._timers = timers
        self._read = read
        self._send = send
        self._watches: dict[Target, _Watch] = {}

    @property
    def rules(self) -> dict[Target, Rule]:
        """All configurations."""
        return {target: watch.rule for target, watch in self._watches.items()}

    def configure(self, target: Target, rule: Rule) -> None:
        """Set or replace a configuration; a first report follows within a second or the minimum interval."""
        self.cancel(target)
        self._watches[target] = watch = _Watch(rule)
        delay_s = max(_FIRST_DELAY_S, min(rule.min_s, 1.0))
        watch.timer = self._timers.after(delay_s, lambda: self._due(target))

    def cancel(self, target: Target) -> None:
        """Forget a configuration."""
        watch = self._watches.pop(target, None)
        if watch is not None:
            self._stop(watch)

    def clear(self) -> None:
        """Forget all configurations."""
        for target in tuple(self._watches):
            self.cancel(target)

    def changed(self, target: Target) -> None:
        """The attribute was set; report now, or when the minimum interval is over."""
        watch = self._watches.get(target)
        if watch is None or not self._differs(target, watch):
            return
        if self._wait_s(watch) <= 0:
            self._report(target, watch)
        else:
            self._arm(target, watch)

    def _due(self, target: Target) -> None:
        watch = self._watches.get(target)
        if watch is None:
            return
        watch.timer = None
        silent_s = 0.0 if watch.tried_at_s is None else self._timers.now() - watch.tried_at_s
        if self._differs(target, watch) or (watch.rule.max_s and silent_s >= watch.rule.max_s - 0.001):
            self._report(target, watch)
        else:
            self._arm(target, watch)

    def _report(self, target: Target, watch: _Watch) -> None:
        value = self._read(target)
        watch.tried_at_s = self._timers.now()
        watch.sent = value if self._send(target) else None
        self._arm(target, watch)

    def _arm(self, target: Target, watch: _Watch) -> None:
        """Set the timer for what comes next: the end of the minimum interval or of the maximum one."""
        self._stop(watch)
        if self._differs(target, watch):
            watch.timer = self._timers.after(self._wait_s(watch), lambda: self._due(target))
        elif watch.rule.max_s and watch.tried_at_s is not None:
            wait_s = watch.tried_at_s + watch.rule.max_s - self._timers.now()
            watch.timer = self._timers.after(wait_s, lambda: self._due(target))

    def _differs(self, target: Target, watch: _Watch) -> bool:
        value = self._read(target)
        sent = watch.sent
        if isinstance(value, int | float) and isinstance(sent, int | float):
            if math.isnan(value) or math.isnan(sent):
                return math.isnan(value) != math.isnan(sent)
            return abs(value - sent) >= watch.rule.change and value != sent
        return value != sent

    def _wait_s(self, watch: _Watch) -> float:
        """Seconds until a report is allowed; one that was not delivered is tried again soon, but not at once."""
        if watch.tried_at_s is None:
            return 0.0
        pause_s = _RETRY_S if watch.sent is None else watch.rule.min_s
        return watch.tried_at_s + pause_s - self._timers.now()

    @staticmethod
    def _stop(watch: _Watch) -> None:
        if watch.timer is not None:
            watch.timer.cancel()
            watch.timer = None
