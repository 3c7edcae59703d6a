"""Actuators: window covering, thermostat of an air conditioner, vent with a fan, plug of a dehumidifier."""

import random
from typing import Any, Final

from firmware_sim.building import FABRICS, Room
from firmware_sim.zigbee import zcl
from firmware_sim.zigbee.node.device import VirtualDevice
from firmware_sim.zigbee.node.models import ELECTRICAL, FAN, LEVEL, METERING, ON_OFF, THERMOSTAT, WINDOW_COVERING
from firmware_sim.zigbee.node.onoff import OnOff
from firmware_sim.zigbee.node.ramp import Ramp
from firmware_sim.zigbee.node.reporting import Target
from firmware_sim.zigbee.node.sensors import centidegrees
from firmware_sim.zigbee.octets import Octets
from firmware_sim.zigbee.timers import Timers

CURTAIN_PCT_S: Final = 20.0
REPORT_EVERY_S: Final = 1.0
FULL_LEVEL: Final = 254
_LIFT: Final = (WINDOW_COVERING, 0x0008)


class Curtain:
    """A motor that closes the curtain at 20 % a second; 0 open, 100 closed."""

    def __init__(self, device: VirtualDevice, room: Room, timers: Timers) -> None:
        self._device = device
        self._room = room
        self._timers = timers
        self._reported_at_s = 0.0
        self._ramp = Ramp(timers, 0.0, self._moved)

    def start(self) -> None:
        """A curtain stays where it was."""
        self._ramp.jump(self._device.number(_LIFT))
        self._room.curtain_closed_pct = self._ramp.value

    def sample(self) -> None:
        """Nothing to look at."""

    def state(self) -> dict[str, Any]:
        """Where it is."""
        return {"closed_pct": round(self._ramp.value, 1), "moving": self._ramp.moving}

    def written(self, target: Target) -> None:
        """None of its attributes can be written."""

    def command(self, cluster: int, command: int, args: Octets) -> int:
        """Up, down, stop, go to lift percentage (ZCL 8, 7.4.2.2)."""
        if cluster != WINDOW_COVERING or command not in (0, 1, 2, 5):
            return zcl.UNSUP_COMMAND
        if command == 2:
            self._ramp.stop()
            return zcl.SUCCESS
        goal = args.u8() if command == 5 else 100 * command
        if goal > 100:
            return zcl.INVALID_VALUE
        if not self._ramp.moving:
            self._reported_at_s = self._timers.now()
        self._ramp.go(goal, CURTAIN_PCT_S)
        return zcl.SUCCESS

    def _moved(self, closed_pct: float, at_rest: bool) -> None:
        self._room.curtain_closed_pct = closed_pct
        now_s = self._timers.now()
        report = at_rest or now_s - self._reported_at_s >= REPORT_EVERY_S
        if report:
            self._reported_at_s = now_s
        self._device.set(_LIFT, round(closed_pct), report=report)


_LOCAL: Final = (THERMOSTAT, 0x0000)
_SETPOINT: Final = (THERMOSTAT, 0x0011)
_MODE: Final = (THERMOSTAT, 0x001C)
_RUNNING: Final = (THERMOSTAT, 0x0029)
_CALIBRATION: Final = (THERMOSTAT, 0x0010)  # tenths of a kelvin
_FAN_MODE: Final = (FAN, 0x0000)
_COOL: Final = 3
_FAN_ONLY: Final = 7
_FAN_ON: Final = 4
_COOLING: Final = 0x0006  # compressor and fan
_BLOWING: Final = 0x0004
_BAND: Final = 20


class AirConditioner:
    """Cools when its mode is cool; the building's physics does the rest."""

    def __init__(self, device: VirtualDevice, room: Room, rng: random.Random) -> None:
        self._device = device
        self._room = room
        self._rng = rng

    def start(self) -> None:
        """Mode and setpoint survive a power cut."""
        self._apply()
        self.sample()

    def sample(self) -> None:
        """Local temperature, and whether the compressor runs."""
        self._device.set(_LOCAL, centidegrees(self._room.temp, self._rng) + 10 * self._device.number(_CALIBRATION))
        self._switch()

    def state(self) -> dict[str, Any]:
        """What it is set to and whether its compressor runs."""
        running = self._device.number(_RUNNING)
        return {
            "mode": self._device.number(_MODE),
            "setpoint": self._room.ac_setpoint,
            "cooling": running == _COOLING,
            "fan": self._device.number(_FAN_MODE),
        }

    def written(self, target: Target) -> None:
        """Mode, setpoint or fan changed."""
        if target in (_MODE, _SETPOINT, _FAN_MODE):
            self._apply()
            self._switch()

    def command(self, cluster: int, command: int, args: Octets) -> int:
        """Setpoint raise or lower, in tenths of a kelvin (ZCL 8, 6.3.2.3.1)."""
        if cluster != THERMOSTAT or command != 0:
            return zcl.UNSUP_COMMAND
        mode, amount = args.u8(), int(zcl.read_value(zcl.INT8, args))
        if mode not in (1, 2):
            return zcl.INVALID_VALUE
        low, high = self._device.number((THERMOSTAT, 0x0017)), self._device.number((THERMOSTAT, 0x0018))
        setpoint = self._device.number(_SETPOINT) + 10 * amount
        self._device.set(_SETPOINT, max(low, min(high, setpoint)))
        self.written(_SETPOINT)
        return zcl.SUCCESS

    def _apply(self) -> None:
        self._room.ac_on = self._device.number(_MODE) == _COOL
        self._room.ac_setpoint = self._device.number(_SETPOINT) / 100

    def _switch(self) -> None:
        excess = self._device.number(_LOCAL) - self._device.number(_SETPOINT)
        running = self._device.number(_RUNNING)
        if not self._room.ac_on or excess < 0:
            blows = self._device.number(_MODE) == _FAN_ONLY or 0 < self._device.number(_FAN_MODE) <= _FAN_ON
            running = _BLOWING if blows else 0
        elif excess > _BAND:
            running = _COOLING
        self._device.set(_RUNNING, running)


_LEVEL: Final = (LEVEL, 0x0000)
_WITH_ON_OFF: Final = 4
_NO_TRANSITION: Final = 0xFFFF


class Vent:
    """A fan: on or off, and a level of 1..254 that is its speed."""

    def __init__(self, device: VirtualDevice, room: Room, timers: Timers) -> None:
        self._device = device
        self._room = room
        self._switch = OnOff(device, timers, self._switched)
        self._ramp = Ramp(timers, FULL_LEVEL, self._moved)

    def start(self) -> None:
        """On, off or as before, as the start-up attribute says."""
        self._ramp.jump(self._device.number(_LEVEL))
        self._switch.start()

    def state(self) -> dict[str, Any]:
        """Whether and how hard it blows."""
        return {"on": self._switch.on, "level": self._device.number(_LEVEL)}

    def sample(self) -> None:
        """Nothing to look at."""

    def written(self, target: Target) -> None:
        """Nothing acts until the next command or start."""

    def command(self, cluster: int, command: int, args: Octets) -> int:
        """On/off (ZCL 8, 3.8.2.3) and level control (3.10.2.4)."""
        if cluster == ON_OFF:
            return self._switch.command(command, args)
        if cluster == LEVEL and command <= 7:
            return self._level(command % _WITH_ON_OFF, args, with_on_off=command >= _WITH_ON_OFF)
        return zcl.UNSUP_COMMAND

    def _level(self, command: int, args: Octets, *, with_on_off: bool) -> int:
        """Move to level, move, step, stop: the same four without and with on/off."""
        now = self._ramp.value
        if command == 3:
            self._ramp.stop()
            return zcl.SUCCESS
        if command == 0:
            goal, tenths = args.u8(), args.u16()
            if goal > FULL_LEVEL:
                return zcl.INVALID_VALUE
            return self._go(goal, self._rate(goal, tenths), with_on_off=with_on_off)
        down, amount = args.u8() & 1, args.u8()
        if command == 1:
            rate_s = float("inf") if amount in (0, 0xFF) else amount
            return self._go(1 if down else FULL_LEVEL, rate_s, with_on_off=with_on_off)
        goal = round(max(1, min(FULL_LEVEL, now - amount if down else now + amount)))
        return self._go(goal, self._rate(goal, args.u16()), with_on_off=with_on_off)

    def _rate(self, goal: int, tenths: int) -> float:
        """Levels a second that a transition time in tenths of a second asks for."""
        if tenths in (0, _NO_TRANSITION) or goal == self._ramp.value:
            return float("inf")
        return abs(goal - self._ramp.value) / (tenths / 10)

    def _go(self, goal: int, rate_s: float, *, with_on_off: bool) -> int:
        if with_on_off:
            self._switch.turn(goal > 0)
        if self._switch.on and goal > 0:
            if rate_s == float("inf"):
                self._ramp.jump(goal)
                self._moved(goal, True)
            else:
                self._ramp.go(goal, rate_s)
        return zcl.SUCCESS

    def _switched(self, on: bool) -> None:
        if not on:
            self._ramp.stop()
        self._blow()

    def _moved(self, level: float, at_rest: bool) -> None:
        self._device.set(_LEVEL, max(1, round(level)), report=at_rest)
        self._blow()

    def _blow(self) -> None:
        level = self._device.number(_LEVEL)
        self._room.vent_pct = 100 * level / FULL_LEVEL if self._switch.on else 0.0


_ENERGY_WH: Final = (METERING, 0x0000)
_POWER_W: Final = (ELECTRICAL, 0x050B)


class Plug:
    """A metering plug with the room's dehumidifier in it."""

    def __init__(self, device: VirtualDevice, room: Room, timers: Timers) -> None:
        self._device = device
        self._room = room
        self._switch = OnOff(device, timers, self._switched)
        self._metered_kwh = room.energy.drying

    def start(self) -> None:
        """On, off or as before, as the start-up attribute says."""
        self._switch.start()

    def sample(self) -> None:
        """Power, and energy since it left the factory."""
        used_wh = int(1000 * (self._room.energy.drying - self._metered_kwh))
        if used_wh:
            self._metered_kwh += used_wh / 1000
            self._device.set(_ENERGY_WH, self._device.number(_ENERGY_WH) + used_wh)
        self._device.set(_POWER_W, round(self._takes_w()))

    def state(self) -> dict[str, Any]:
        """Whether the dehumidifier runs, and what it takes."""
        return {"on": self._switch.on, "power_w": self._device.number(_POWER_W)}

    def written(self, target: Target) -> None:
        """Nothing acts until the next command or start."""

    def command(self, cluster: int, command: int, args: Octets) -> int:
        """On/off."""
        return self._switch.command(command, args) if cluster == ON_OFF else zcl.UNSUP_COMMAND

    def _takes_w(self) -> float:
        return FABRICS[self._room.id].dry_w if self._room.dehumidifier_on and self._room.id in FABRICS else 0.0

    def _switched(self, on: bool) -> None:
        self._room.dehumidifier_on = on
