"""The Zigbee network as a link: reports become readings, orders become commands. zigpy stays behind this class.

One `run` is one connection: it resumes (or restores, or forms) the network, lets missing devices in, keeps every
configured device bound and reporting, and ends with a ConnectionError when radio or port fail.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from zigpy.application import ControllerApplication
from zigpy.device import ZigbeeDevice

from carrel.clock import Clock
from carrel.contracts.actuation import SetOutput
from devices.events import BadFrame, DeviceJoined, DeviceLeft, DeviceSeen, LinkUp
from devices.orders import Command, OrderResult, failed, rejected
from devices.zigbee import execute, radio
from devices.zigbee.config import ZigbeeConfig
from devices.zigbee.member import UNREACHABLE, Member

RETRY_FIRST_S = 2.0
RETRY_MOST_S = 300.0
LOOK_AGAIN_S = 900.0  # three times the longest reporting interval of a sensor
CLEAN_AFTER_S = 2.0  # without a broken frame
TRIES_BEFORE_JOINING = 2

log = logging.getLogger(__name__)


class Coordinator:
    """A radio with its network; the configuration's paths are absolute."""

    def __init__(self, name: str, config: ZigbeeConfig, clock: Clock) -> None:
        self.name = name
        self.kind: str = config.kind
        self._config = config
        self._clock = clock
        self._members = {member.config.id: member for member in (Member(d, clock) for d in config.device)}
        self._by_ieee = {member.config.ieee: member for member in self._members.values()}
        self._app: ControllerApplication | None = None
        self._doubt = asyncio.Event()
        self._garbled = asyncio.Event()
        self._joining = False

    async def run(self, emit: Callable[[object], None]) -> None:
        """Serve until cancelled; raises a ConnectionError when the radio is lost, silent or restarted."""
        watch = radio.RadioWatch()
        app = await radio.load(self._config)
        try:
            app.add_listener(watch)
            app.add_listener(_Arrivals(self, emit))
            self._attach_known(app, emit)
            await radio.start(app, watch, form=self._config.form)
            radio.watch_resets(app, watch)
            radio.count_bad_frames(app, lambda detail: self.garbled(detail, emit))
            self._app = app
            emit(LinkUp())
            await self._serve(app, watch, emit)
        finally:
            self._app = None
            for member in self._members.values():
                member.detach()
            await radio.stop(app)

    async def execute(self, command: Command) -> OrderResult:
        """Send an order at once; `done` only when the device confirmed it."""
        if isinstance(command, tuple | SetOutput):
            return rejected("not_supported", "a Zigbee network has no module outputs")
        member = self._members.get(command.device)
        if member is None:
            return rejected("unknown_device", command.device)
        app = self._app
        if app is None:
            return failed("link_down", "the radio is not connected")
        device = member.device(app)
        if device is None:
            return failed("device_missing", f"{command.device} is not on the network")
        try:
            result = await execute.send(member, device, command)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return failed("link_down", "the radio was lost meanwhile")  # zigpy cancels what waits when it closes
        if result.code == "no_answer":
            self._doubt.set()
        return result

    def garbled(self, detail: str, emit: Callable[[object], None]) -> None:
        """A frame was broken; so may others be that passed."""
        emit(BadFrame(detail))
        self._garbled.set()

    async def read_again_when_clean(self) -> None:
        """UNPI's checksum is one byte of XOR, so of many broken frames some pass with a wrong value, which would stand
        until the next report: once the line is clean, ask every device again. Runs until cancelled."""
        while True:
            await self._garbled.wait()
            while self._garbled.is_set():
                self._garbled.clear()
                await asyncio.sleep(CLEAN_AFTER_S)
            for member in self._members.values():
                member.wake.set()

    def joined(self, device: ZigbeeDevice, emit: Callable[[object], None]) -> None:
        """A device came onto the network; its interview may still be running."""
        member = self._by_ieee.get(str(device.ieee))
        emit(DeviceJoined(member.config.id if member else None, str(device.ieee), self._clock.now()))
        if member is None:
            log.warning("device %s joined and is not in config.toml", device.ieee)

    def ready(self, device: ZigbeeDevice, emit: Callable[[object], None]) -> None:
        """A device is interviewed, or is back with a new address: nothing that it says from now on is missed."""
        if member := self._by_ieee.get(str(device.ieee)):
            if member.attach(device, emit):
                device.zdo.add_listener(_Announcements(member))
            member.wake.set()

    def left(self, device: ZigbeeDevice, emit: Callable[[object], None]) -> None:
        """A device leaves; its name and history stay."""
        member = self._by_ieee.get(str(device.ieee))
        emit(DeviceLeft(member.config.id if member else None, str(device.ieee), self._clock.now()))

    def _attach_known(self, app: ControllerApplication, emit: Callable[[object], None]) -> None:
        for device in app.devices.values():
            if isinstance(device, ZigbeeDevice) and device.is_initialized:
                self.ready(device, emit)

    async def _serve(self, app: ControllerApplication, watch: radio.RadioWatch, emit: Callable[[object], None]) -> None:
        self._joining = False
        self._doubt.clear()
        if any(member.device(app) is None for member in self._members.values()):
            await self._let_in(app)
        tasks = [asyncio.create_task(self._tend(member, app, emit)) for member in self._members.values()]
        tasks.append(asyncio.create_task(radio.keep_asking(app, watch, self._doubt)))
        tasks.append(asyncio.create_task(self.read_again_when_clean()))
        try:
            waiters: set[asyncio.Future[Any]] = {watch.lost, *tasks}
            done, _ = await asyncio.wait(waiters, return_when=asyncio.FIRST_COMPLETED)
            if not watch.lost.done():
                for task in done:
                    task.result()  # a bug in our own care of a device ends the attempt, with its trace
            raise await watch.lost
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _let_in(self, app: ControllerApplication) -> None:
        """Open the network for joining, once per connection."""
        if self._joining or not self._config.join_at_start_s:
            return
        self._joining = True
        log.info("devices are missing: the network is open for joining for %d s", self._config.join_at_start_s)
        await _permit(app, self._config.join_at_start_s)

    async def _tend(self, member: Member, app: ControllerApplication, emit: Callable[[object], None]) -> None:
        """Set a device up when it is there, when it is back, and when it has been silent for too long."""
        pause_s, tries = RETRY_FIRST_S, 0
        while True:
            member.wake.clear()
            device = member.device(app)
            try:
                if device is not None:
                    await member.set_up(device)
            except UNREACHABLE as error:
                log.debug("%s is not set up yet: %s", member.config.id, error or type(error).__name__)
                self._doubt.set()
                device = None
                tries += 1
            if device is None:
                if tries >= TRIES_BEFORE_JOINING and not member.met:  # a flat battery opens no door
                    await self._let_in(app)
                await _wait(member.wake, pause_s)
                pause_s = min(2 * pause_s, RETRY_MOST_S)
                member.resume_interview(app)
                continue
            pause_s, tries = RETRY_FIRST_S, 0
            member.met = member.served = True
            emit(DeviceSeen(member.config.id, device.model or "", self._clock.now()))
            await self._close_door(app)
            await _until_doubtful(member, device, self._clock)

    async def _close_door(self, app: ControllerApplication) -> None:
        """Nobody else may join once all are in."""
        if self._joining and all(member.served for member in self._members.values()):
            self._joining = False
            await _permit(app, 0)


class _Arrivals:
    """zigpy calls these by name."""

    def __init__(self, coordinator: Coordinator, emit: Callable[[object], None]) -> None:
        self._coordinator = coordinator
        self._emit = emit

    def device_joined(self, device: ZigbeeDevice) -> None:
        self._coordinator.joined(device, self._emit)

    def device_initialized(self, device: ZigbeeDevice) -> None:
        self._coordinator.ready(device, self._emit)

    def device_left(self, device: ZigbeeDevice) -> None:
        self._coordinator.left(device, self._emit)


class _Announcements:
    """A known device that announces itself with its old address reaches only its ZDO's listeners."""

    def __init__(self, member: Member) -> None:
        self._member = member

    def device_announce(self, _device: ZigbeeDevice) -> None:
        self._member.wake.set()


async def _permit(app: ControllerApplication, seconds: int) -> None:
    try:
        await app.permit(seconds)
    except (*UNREACHABLE, RuntimeError) as error:
        log.warning("joining could not be set to %d s: %s", seconds, error)


async def _wait(event: asyncio.Event, limit_s: float) -> None:
    try:
        async with asyncio.timeout(limit_s):
            await event.wait()
    except TimeoutError:
        pass


async def _until_doubtful(member: Member, device: ZigbeeDevice, clock: Clock) -> None:
    """Return when the device announced itself, or has said nothing for LOOK_AGAIN_S."""
    while not member.wake.is_set():
        silent_s = clock.now().timestamp() - (device.last_seen or 0.0)
        if silent_s >= LOOK_AGAIN_S:
            return
        await _wait(member.wake, LOOK_AGAIN_S - silent_s)
