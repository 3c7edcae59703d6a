"""Care for the devices of one connection: each is set up when it is there, when it is back, and when it is silent."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from zigpy.application import ControllerApplication
from zigpy.device import ZigbeeDevice

from carrel.clock import Clock
from devices.events import DeviceSeen, NetworkChanged
from devices.zigbee.member import UNREACHABLE, Emit, Member
from devices.zigbee.network.joining import ASKED_AGAIN

RETRY_FIRST_S = 2.0
RETRY_MOST_S = 300.0
LOOK_AGAIN_S = 900.0  # three times the longest reporting interval of a sensor
TRIES_BEFORE_JOINING = 2

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Door:
    """The join window for devices of config.toml that are missing."""

    open: Callable[[], Awaitable[None]]
    close: Callable[[], Awaitable[None]]


class Care:
    """One task for each device while `serving`."""

    def __init__(
        self, app: ControllerApplication, emit: Emit, door: Door, *, clock: Clock, doubt: asyncio.Event
    ) -> None:
        """`doubt` is set when a device does not answer: perhaps it is the radio that does not."""
        self.serving = False
        self._app = app
        self._emit = emit
        self._door = door
        self._clock = clock
        self._doubt = doubt
        self._tended: dict[Member, asyncio.Task[None]] = {}

    def drop(self, member: Member) -> None:
        """It is nobody's any more."""
        task = self._tended.pop(member, None)
        if task is not None:
            task.cancel()

    async def close(self) -> None:
        """The connection has ended."""
        self.serving = False
        tasks, self._tended = list(self._tended.values()), {}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def tend(self, member: Member) -> None:
        """Take care of a device from now on."""
        task = self._tended.get(member)
        if self.serving and (task is None or task.done()):
            self._tended[member] = asyncio.create_task(self._tend(member))

    async def _tend(self, member: Member) -> None:
        """Set a device up when it is there, when it is back, and when it has been silent for too long."""
        pause_s, tries = RETRY_FIRST_S, 0
        while True:
            member.wake.clear()
            device = member.device(self._app)
            ready = device is not None and await self._set_up(member, device)
            if device is None or not ready:
                tries += device is not None
                if tries >= TRIES_BEFORE_JOINING and member.config and not member.met:  # a flat battery opens no door
                    await self._door.open()
                await self._wait_for_it(member, pause_s)
                pause_s = min(2 * pause_s, RETRY_MOST_S)
                member.resume_interview(self._app)
                continue
            pause_s, tries = RETRY_FIRST_S, 0
            member.met = member.served = True
            if member.config is not None:
                seen = DeviceSeen(member.config.id, device.model or "", self._clock.now(), member.quantities)
                self._emit(seen)
            self._emit(NetworkChanged())
            await self._door.close()
            await self._until_doubtful(member, device)

    async def _set_up(self, member: Member, device: ZigbeeDevice) -> bool:
        member.report.look(device, self._clock.now())
        try:
            await member.set_up(device)
        except UNREACHABLE as error:
            reason = str(error) or type(error).__name__
            log.debug("%s is not set up yet: %s", member.name, reason)
            member.report.failed(self._clock.now(), ASKED_AGAIN)
            self._doubt.set()
            self._emit(NetworkChanged())
            return False
        return True

    async def _wait_for_it(self, member: Member, limit_s: float) -> None:
        """For a while, and then on until it says anything: a sleeping device listens only then."""
        await wait(member.wake, min(limit_s, RETRY_FIRST_S))
        device = self._app.devices.get(member.ieee)
        if member.wake.is_set() or device is None or limit_s <= RETRY_FIRST_S:
            return
        listener = _AnyWord(member.wake)
        device.add_listener(listener)
        try:
            await wait(member.wake, limit_s - RETRY_FIRST_S)
        finally:
            device.remove_listener(listener)

    async def _until_doubtful(self, member: Member, device: ZigbeeDevice) -> None:
        """Return when the device announced itself, was named, or has said nothing for too long."""
        limit_s = max(LOOK_AGAIN_S, member.patience_s)
        while not member.wake.is_set():
            silent_s = self._clock.now().timestamp() - (device.last_seen or 0.0)
            if silent_s >= limit_s:
                return
            await wait(member.wake, limit_s - silent_s)


class Announcements:
    """A known device that announces itself with its old address reaches only its ZDO's listeners."""

    def __init__(self, member: Member) -> None:
        self._member = member

    def device_announce(self, _device: ZigbeeDevice) -> None:
        """Called by zigpy."""
        self._member.left = False
        self._member.wake.set()


class _AnyWord:
    """Wakes at the next frame of a device."""

    def __init__(self, wake: asyncio.Event) -> None:
        self._wake = wake

    def device_last_seen_updated(self, _at: datetime | None) -> None:
        self._wake.set()


async def wait(event: asyncio.Event, limit_s: float) -> None:
    """Until it is set, at most so long."""
    try:
        async with asyncio.timeout(limit_s):
            await event.wait()
    except TimeoutError:
        pass
