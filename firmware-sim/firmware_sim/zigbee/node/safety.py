"""Safety devices: the zone that reports an alarm until it is heard (ZCL 8, 8.2), detectors, and the siren (8.4)."""

from typing import Any, Final

from firmware_sim.building import Room
from firmware_sim.zigbee import zcl
from firmware_sim.zigbee.node.device import VirtualDevice
from firmware_sim.zigbee.node.models import IAS_WARNING, IAS_ZONE, MANUFACTURER_CODE
from firmware_sim.zigbee.node.reporting import Target
from firmware_sim.zigbee.octets import Octets, u16
from firmware_sim.zigbee.timers import Timer, Timers

ALARM: Final = 1 << 0
TAMPER: Final = 1 << 2
BATTERY_LOW: Final = 1 << 3
TROUBLE: Final = 1 << 6
TEST: Final = 1 << 8
EVENTS: Final = {"on": ALARM, "test": ALARM | TEST, "tamper": TAMPER, "trouble": TROUBLE}

REPEAT_S: Final = 0.2  # between copies of a frame that nobody answers
COPIES: Final = 15
UNHEARD_S: Final = 10.0  # until it tries again, when nobody answered at all
REMINDER_S: Final = 120.0  # between notifications of an alarm that lasts
TEST_S: Final = 10.0
LOW_BATTERY_PCT: Final = 10

_STATE: Final = (IAS_ZONE, 0x0000)
_TYPE: Final = (IAS_ZONE, 0x0001)
_STATUS: Final = (IAS_ZONE, 0x0002)
_CIE: Final = (IAS_ZONE, 0x0010)
_ID: Final = (IAS_ZONE, 0x0011)
_STATUS_CHANGE: Final = 0x00
_ENROLL_REQUEST: Final = 0x01
_ENROLL_RESPONSE: Final = 0x00
_ENROLLED: Final = 1
_ENROLL_S: Final = 0.2
_FAILURE: Final = 0x01


class Zone:
    """Enrolment, and a status that is told unasked: the same frame again until its default response comes."""

    def __init__(self, device: VirtualDevice, timers: Timers) -> None:
        self._device = device
        self._timers = timers
        self._pending: int | None = None  # tsn of a notification that nobody answered yet
        self._copies = 0
        self._timer: Timer | None = None
        self._test_timer: Timer | None = None
        device.on_default_response = self._answered

    @property
    def status(self) -> int:
        """Zone status bits."""
        return self._device.number(_STATUS)

    def event(self, name: str) -> None:
        """`on`, `off`, `test`, `tamper` or `trouble`; ValueError names them."""
        if name != "off" and name not in EVENTS:
            raise ValueError(f"no alarm {name!r}; there are: {', '.join(EVENTS)}, off")
        if self._test_timer is not None:
            self._test_timer.cancel()
            self._test_timer = None
        if name == "off":
            self.put(self.status & BATTERY_LOW)
            return
        if name == "test":
            self._test_timer = self._timers.after(TEST_S, lambda: self.event("off"))
        self.put(self.status | EVENTS[name])

    def sample(self) -> None:
        """A battery that runs low is a bit of the status."""
        percent = self._device.battery_pct
        if percent is not None:
            low = BATTERY_LOW if percent <= LOW_BATTERY_PCT else 0
            self.put(self.status & ~BATTERY_LOW | low)

    def put(self, status: int) -> None:
        """Set the status; a change is told at once."""
        if status != self.status:
            self._device.set(_STATUS, status)
            self._tell()

    def written(self, target: Target) -> None:
        """The address of the control equipment came: ask it for a zone."""
        if target == _CIE and self._device.number(_CIE):
            self._timers.after(_ENROLL_S, self._ask_to_enroll)

    def command(self, command: int, args: Octets) -> int:
        """Enroll response, asked for or not; it counts only after an address has been written."""
        if command != _ENROLL_RESPONSE:
            return zcl.UNSUP_COMMAND
        code, number = args.u8(), args.u8()
        if code != 0 or not self._device.number(_CIE):
            return _FAILURE
        new = self._device.number(_STATE) != _ENROLLED
        self._device.set(_ID, number)
        self._device.set(_STATE, _ENROLLED)
        if new and self.status:
            self._tell()
        return zcl.SUCCESS

    def describe(self) -> dict[str, Any]:
        """Enrolment and status."""
        names = {"alarm": ALARM, "tamper": TAMPER, "battery_low": BATTERY_LOW, "trouble": TROUBLE, "test": TEST}
        status = self.status
        return {
            "enrolled": self._device.number(_STATE) == _ENROLLED,
            "status": status,
            "bits": [name for name, bit in names.items() if status & bit],
            "unanswered": self._pending is not None,
        }

    def _ask_to_enroll(self) -> None:
        if self._device.number(_STATE) != _ENROLLED:
            payload = u16(self._device.number(_TYPE)) + u16(MANUFACTURER_CODE)
            self._device.notify(IAS_ZONE, _ENROLL_REQUEST, payload, endpoint=self._endpoint())

    def _endpoint(self) -> int:
        bound = self._device.bound_endpoint(IAS_ZONE)
        return self._device.host_endpoint if bound is None else bound

    def _tell(self) -> None:
        """A new notification with its own number."""
        self._pending, self._copies = self._device.next_tsn(), 0
        self._send()

    def _send(self) -> None:
        self._rest()
        if self._device.number(_STATE) != _ENROLLED:
            self._pending = None
            return
        payload = u16(self.status) + bytes((0, self._device.number(_ID))) + u16(0)
        self._copies += 1
        wait_s = REPEAT_S if self._copies < COPIES else UNHEARD_S
        self._timer = self._timers.after(wait_s, self._send if self._copies < COPIES else self._tell)
        self._device.notify(IAS_ZONE, _STATUS_CHANGE, payload, endpoint=self._endpoint(), tsn=self._pending)

    def _answered(self, cluster: int, tsn: int) -> None:
        if cluster == IAS_ZONE and tsn == self._pending:
            self._pending = None
            self._rest()
            if self.status & ALARM:
                self._timer = self._timers.after(REMINDER_S, self._tell)

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Detector:
    """A smoke or flame detector: a zone and a test button."""

    def __init__(self, device: VirtualDevice, timers: Timers) -> None:
        self.zone = Zone(device, timers)

    def start(self) -> None:
        """It wakes up quiet."""

    def sample(self) -> None:
        """Look at the battery."""
        self.zone.sample()

    def state(self) -> dict[str, Any]:
        """The zone's."""
        return self.zone.describe()

    def written(self, target: Target) -> None:
        """The zone may have to enroll."""
        self.zone.written(target)

    def command(self, cluster: int, command: int, args: Octets) -> int:
        """The zone's commands."""
        return self.zone.command(command, args) if cluster == IAS_ZONE else zcl.UNSUP_COMMAND


_MAX_DURATION: Final = (IAS_WARNING, 0x0000)
_MODES: Final = ("off", "burglar", "fire", "emergency", "police panic", "fire panic", "emergency panic")
_SQUAWK_S: Final = 0.5


class Siren(Detector):
    """A warning device: it sounds for as long as it was asked to, at most its longest time, and squawks."""

    def __init__(self, device: VirtualDevice, room: Room, timers: Timers) -> None:
        super().__init__(device, timers)
        self._device = device
        self._room = room
        self._timers = timers
        self._sound = ""
        self._level = 0
        self._strobe = False
        self._ends: Timer | None = None

    def state(self) -> dict[str, Any]:
        """What is heard and seen of it, and its zone."""
        return {"sound": self._sound, "level": self._level, "strobe": self._strobe, **super().state()}

    def command(self, cluster: int, command: int, args: Octets) -> int:
        """Start warning and squawk."""
        if cluster != IAS_WARNING:
            return super().command(cluster, command, args)
        if command == 0x00:
            return self._warn(args.u8(), args.u16(), args)
        if command == 0x01:
            return self._squawk(args.u8())
        return zcl.UNSUP_COMMAND

    def _warn(self, info: int, duration_s: int, args: Octets) -> int:
        args.take(2)  # duty cycle and level of the strobe
        if info >> 4 >= len(_MODES):
            return zcl.INVALID_VALUE
        longest_s = self._device.number(_MAX_DURATION)
        self._sounds(_MODES[info >> 4], info & 3, strobe=bool(info >> 2 & 3), seconds=min(duration_s, longest_s))
        return zcl.SUCCESS

    def _squawk(self, info: int) -> int:
        """A short sound; while it warns it has better things to do."""
        if info >> 4 > 1:
            return zcl.INVALID_VALUE
        if not self._sound:
            self._sounds("squawk", info & 3, strobe=bool(info >> 3 & 1), seconds=_SQUAWK_S)
        return zcl.SUCCESS

    def _sounds(self, sound: str, level: int, *, strobe: bool, seconds: float) -> None:
        if self._ends is not None:
            self._ends.cancel()
            self._ends = None
        on = sound != "off" and seconds > 0
        self._sound, self._level, self._strobe = (sound, level, strobe) if on else ("", 0, False)
        self._room.siren = on
        if on:
            self._ends = self._timers.after(seconds, lambda: self._sounds("off", 0, strobe=False, seconds=0))
