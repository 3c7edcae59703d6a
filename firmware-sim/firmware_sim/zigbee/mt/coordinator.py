"""The coordinator on its wire: frames in, answers out (TI MT interface of Z-Stack 3.30)."""

import logging
from collections.abc import Callable
from typing import Final

from firmware_sim.zigbee import unpi
from firmware_sim.zigbee.mt import af, system, utility, zdo
from firmware_sim.zigbee.mt.ncp import EXTERNAL, POWER_UP, WATCHDOG, Ncp
from firmware_sim.zigbee.octets import Octets, TruncatedError

LOGGER: Final = logging.getLogger(__name__)
HANDLERS: Final = {
    1: system.HANDLERS,
    4: af.HANDLERS,
    5: zdo.HANDLERS,
    7: utility.HANDLERS,
    15: utility.APP_CNF_HANDLERS,
}
UNKNOWN_SUBSYSTEM: Final = 1
UNKNOWN_COMMAND: Final = 2
BAD_LENGTH: Final = 4
_RESET: Final = (unpi.AREQ | 1, 0x00)
_PAUSE_S: Final = 0.1  # longer than any gap inside a frame


class Coordinator:
    """A device for a byte wire (see `firmware_sim.ports.Device`)."""

    def __init__(self, ncp: Ncp) -> None:
        self._ncp = ncp
        self._framer = unpi.Framer()
        self._heard_at_s = 0.0

    @property
    def frame_errors(self) -> int:
        """Stretches of input that were no frame."""
        return self._framer.errors

    def attach(self, send: Callable[[bytes], None]) -> None:
        """Power and wire are there."""
        self._framer = unpi.Framer()
        self._ncp.write = send

    def detach(self) -> None:
        """The stick is pulled: it loses its power too."""
        self._ncp.power_off()

    def receive(self, data: bytes) -> None:
        """Bytes from the host; every answer is sent before this returns."""
        if self._ncp.hung:
            return
        now_s = self._ncp.timers.now()
        if now_s - self._heard_at_s > _PAUSE_S:
            for frame in self._framer.give_up_partial():
                self._handle(frame)
        self._heard_at_s = now_s
        for frame in self._framer.feed(data):
            self._handle(frame)

    def reboot(self, reason: int = POWER_UP) -> None:
        """The firmware boots by itself: endpoints, callbacks and join window are gone, memory stays."""
        self._ncp.reset(reason)

    def watchdog_reset(self) -> None:
        """The firmware hung and booted by itself."""
        self._ncp.reset(WATCHDOG)

    def hang(self) -> None:
        """The firmware hears nothing and says nothing until it is rebooted or unplugged."""
        self._ncp.hung = True

    def spoil(self, frames: int) -> None:
        """Send the next frames with a wrong checksum."""
        self._ncp.spoilt = frames

    def storm(self, seconds: float, status: int) -> None:
        """Somebody floods the channel: for so long nothing to a single device gets out."""
        self._ncp.storm.rage(seconds, status)

    def _handle(self, frame: unpi.Frame) -> None:
        if frame.type == unpi.SREQ:
            self._ncp.hold_back()
            self._ncp.put(self._answer(frame))
            self._ncp.release()
        elif (frame.cmd0, frame.cmd1) == _RESET:
            self._ncp.reset(EXTERNAL)
        else:
            LOGGER.debug("ignored %02X %02X", frame.cmd0, frame.cmd1)

    def _answer(self, frame: unpi.Frame) -> bytes:
        handlers = HANDLERS.get(frame.subsystem)
        if handlers is None:
            return _error(UNKNOWN_SUBSYSTEM, frame)
        handler = handlers.get(frame.cmd1)
        if handler is None:
            return _error(UNKNOWN_COMMAND, frame)
        try:
            payload = handler(self._ncp, Octets(frame.payload))
        except TruncatedError:
            return _error(BAD_LENGTH, frame)
        return unpi.encode(unpi.SRSP | frame.subsystem, frame.cmd1, payload)


def _error(code: int, frame: unpi.Frame) -> bytes:
    """RPC error: the request could not be carried out; its own code is repeated."""
    return unpi.encode(unpi.SRSP, 0x00, bytes((code, frame.cmd0, frame.cmd1)))
