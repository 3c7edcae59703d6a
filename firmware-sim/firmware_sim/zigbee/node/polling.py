"""When a sleepy device listens: it polls its parent, which keeps frames for it for a while (ZCL 8, 3.16)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firmware_sim.zigbee import zcl
from firmware_sim.zigbee.node.models import POLL_CONTROL
from firmware_sim.zigbee.node.reporting import Target
from firmware_sim.zigbee.octets import Octets
from firmware_sim.zigbee.timers import Timer, Timers

if TYPE_CHECKING:
    from firmware_sim.zigbee.node.device import VirtualDevice

KEPT_S: Final = 7.68  # a parent keeps a frame for a sleeping child this long
AWAKE_S: Final = 1.5  # after each frame, either way
AFTER_JOINING_S: Final = 20.0
CHECK_IN: Final = 0x00
_CHECK_IN_INTERVAL: Final = (POLL_CONTROL, 0x0000)
_LONG: Final = (POLL_CONTROL, 0x0001)
_SHORT: Final = (POLL_CONTROL, 0x0002)
_FAST_TIMEOUT: Final = (POLL_CONTROL, 0x0003)
_QUARTERS: Final = 4


@dataclass(frozen=True, slots=True)
class _Kept:
    arrive: Callable[[], None]
    expiry: Timer


class Polling:
    """One sleepy device's polls, and what its parent keeps for it. `in_range` tells whether a poll is heard."""

    def __init__(self, device: "VirtualDevice", timers: Timers) -> None:
        self.in_range: Callable[[], bool] = lambda: True
        self._device = device
        self._timers = timers
        self._kept: list[_Kept] = []
        self._polled_at_s = 0.0
        self._awake_until_s = 0.0
        self._poll_timer: Timer | None = None
        self._check_in_timer: Timer | None = None

    def start(self) -> None:
        """Power is on."""
        self._polled_at_s = self._timers.now()
        self._arm_check_in()

    @property
    def poll_s(self) -> float:
        """Seconds between polls while it sleeps."""
        return self._device.number(_LONG) / _QUARTERS

    def set_poll_s(self, seconds: float) -> None:
        """Change how often it polls while it sleeps; kept in quarters of a second."""
        self._device.set(_LONG, max(1, round(seconds * _QUARTERS)))

    def stay_awake(self, seconds: float) -> None:
        """Poll fast for a while."""
        now_s = self._timers.now()
        if now_s >= self._awake_until_s:
            self._polled_at_s = now_s
        self._awake_until_s = max(self._awake_until_s, now_s + seconds)
        self._arm()

    def hold(self, arrive: Callable[[], None], expire: Callable[[], None]) -> None:
        """A frame waits at the parent: `arrive` at the next poll, `expire` when that takes too long."""

        def too_late() -> None:
            self._kept.remove(kept)
            expire()

        kept = _Kept(arrive, self._timers.after(KEPT_S, too_late))
        self._kept.append(kept)
        self._arm()

    def forget_kept(self) -> None:
        """The parent lost what it kept."""
        for each in self._kept:
            each.expiry.cancel()
        self._kept.clear()
        self._arm()

    def check_in(self) -> bool:
        """Tell the bound host that this is the moment; True when the frame was sent."""
        self._arm_check_in()
        endpoint = self._device.bound_endpoint(POLL_CONTROL)
        if endpoint is None:
            return False
        self.stay_awake(KEPT_S)
        return self._device.notify(POLL_CONTROL, CHECK_IN, b"", endpoint=endpoint)

    def _time_to_check_in(self) -> None:
        self.check_in()

    def written(self, target: Target) -> None:
        """The check-in interval may have changed."""
        if target == _CHECK_IN_INTERVAL:
            self._arm_check_in()

    def command(self, command: int, args: Octets) -> int:
        """Check-in response, fast poll stop, set long and short poll interval."""
        if command == 0x00:
            fast, timeout = args.u8(), args.u16()
            if fast:
                self.stay_awake((timeout or self._device.number(_FAST_TIMEOUT)) / _QUARTERS)
            return zcl.SUCCESS
        if command == 0x01:
            self._awake_until_s = self._timers.now()
            return zcl.SUCCESS
        if command in (0x02, 0x03):
            return self._set(_LONG if command == 0x02 else _SHORT, args.u32() if command == 0x02 else args.u16())
        return zcl.UNSUP_COMMAND

    def _set(self, target: Target, value: int) -> int:
        short = value if target == _SHORT else self._device.number(_SHORT)
        long = value if target == _LONG else self._device.number(_LONG)
        if not 1 <= short <= long:
            return zcl.INVALID_VALUE
        self._device.set(target, value)
        self._arm()
        return zcl.SUCCESS

    def _wait_s(self) -> float:
        now_s = self._timers.now()
        interval_s = self._device.number(_SHORT if now_s < self._awake_until_s else _LONG) / _QUARTERS
        return interval_s - (now_s - self._polled_at_s) % interval_s

    def _arm(self) -> None:
        if self._poll_timer is not None:
            self._poll_timer.cancel()
            self._poll_timer = None
        if self._kept:
            self._poll_timer = self._timers.after(self._wait_s(), self._poll)

    def _poll(self) -> None:
        self._poll_timer = None
        self._polled_at_s = self._timers.now()
        if not self.in_range():
            self._arm()
            return
        kept, self._kept = self._kept, []
        for each in kept:
            each.expiry.cancel()
            self.stay_awake(AWAKE_S)
            each.arrive()

    def _arm_check_in(self) -> None:
        if self._check_in_timer is not None:
            self._check_in_timer.cancel()
            self._check_in_timer = None
        interval_s = self._device.number(_CHECK_IN_INTERVAL) / _QUARTERS
        if interval_s:
            self._check_in_timer = self._timers.after(interval_s, self._time_to_check_in)
