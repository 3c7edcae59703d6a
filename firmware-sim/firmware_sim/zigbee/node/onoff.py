"""On/off cluster of whatever is switched (ZCL 8, 3.8)."""

from collections.abc import Callable
from typing import Final

from firmware_sim.zigbee import zcl
from firmware_sim.zigbee.node.device import VirtualDevice
from firmware_sim.zigbee.node.models import ON_OFF
from firmware_sim.zigbee.octets import Octets
from firmware_sim.zigbee.timers import Timer, Timers

_ON: Final = (ON_OFF, 0x0000)
_ON_TIME: Final = (ON_OFF, 0x4001)
_OFF_WAIT: Final = (ON_OFF, 0x4002)
_START_UP: Final = (ON_OFF, 0x4003)


class OnOff:
    """Calls `switched` with each new state, also when it is the old one."""

    def __init__(self, device: VirtualDevice, timers: Timers, switched: Callable[[bool], None]) -> None:
        self._device = device
        self._timers = timers
        self._switched = switched
        self._off_timer: Timer | None = None

    @property
    def on(self) -> bool:
        """Whether it is on."""
        return bool(self._device.number(_ON))

    def start(self) -> None:
        """On, off or as before, as the start-up attribute says."""
        wish = self._device.number(_START_UP)
        self.turn({0: False, 1: True, 2: not self.on}.get(wish, self.on))

    def command(self, command: int, args: Octets) -> int:
        """Off, on, toggle, on with timed off; their status."""
        if command in (0, 1):
            self.turn(bool(command))
        elif command == 2:
            self.turn(not self.on)
        elif command == 0x42:
            only_when_on, on_time, off_wait = args.u8() & 1, args.u16(), args.u16()
            if not only_when_on or self.on:
                self._device.set(_ON_TIME, on_time)
                self._device.set(_OFF_WAIT, off_wait)
                self.turn(True)
                self._off_timer = self._timers.after(on_time / 10, lambda: self.turn(False))
        else:
            return zcl.UNSUP_COMMAND
        return zcl.SUCCESS

    def turn(self, on: bool) -> None:
        """Switch; a timed off that was to come is off."""
        if self._off_timer is not None:
            self._off_timer.cancel()
            self._off_timer = None
        self._device.set(_ON, int(on))
        self._switched(on)
