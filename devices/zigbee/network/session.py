"""One connection with a network that runs: every device tended, the join window, removal, backups.

Lives from LinkUp until radio or port fail; what must outlive that is in the crew.
"""

from __future__ import annotations

import asyncio
import logging
import math
import sqlite3
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from zigpy.application import ControllerApplication
from zigpy.device import ZigbeeDevice

from carrel.clock import Clock
from devices.events import BadFrame, DeviceJoined, DeviceLeft, NetworkChanged
from devices.orders import DONE, OrderResult, failed, rejected
from devices.zigbee import ias, radio
from devices.zigbee.clusters import IAS_WARNING
from devices.zigbee.config import ZigbeeConfig
from devices.zigbee.member import UNREACHABLE, Emit
from devices.zigbee.network import backup
from devices.zigbee.network.care import Announcements, Care, Door, wait
from devices.zigbee.network.crew import Crew
from devices.zigbee.network.joining import ASKED_AGAIN, JoinReport

LOOK_EVERY_S = 1.0
SOUND_AGAIN_S = 120.0
CLEAN_AFTER_S = 2.0  # without a broken frame
SETTLE_S = 5.0  # one backup for changes that come together
PERMIT_MOST_S = 254  # Zigbee knows no longer window
DAILY = timedelta(days=1)
AFTER_FAILURE = timedelta(hours=1)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Window:
    """Until when the network is open for joining; `ours` when no person asked for it."""

    until: datetime
    ours: bool = False


class Session:
    """zigpy calls the methods that begin with `device_` by name."""

    def __init__(
        self, app: ControllerApplication, crew: Crew, emit: Emit, *, config: ZigbeeConfig, clock: Clock
    ) -> None:
        self.app = app
        self.doubt = asyncio.Event()
        self.garbled = asyncio.Event()
        self.backup_due = asyncio.Event()
        self.join_until: datetime | None = None
        self.window: Window | None = None
        """What is open, or was on the connection before this one: a radio that restarts has forgotten it."""
        self.backup_at: datetime | None = None
        self._crew = crew
        self._emit = emit
        self._config = config
        self._clock = clock
        self._asked_in = False  # who is missing was waited for on this connection
        self._care = Care(app, emit, Door(self._let_in, self._close_door), clock=clock, doubt=self.doubt)

    # ------------------------------------------------------------ zigpy's events
    def device_joined(self, device: ZigbeeDevice) -> None:
        """A device came onto the network; its interview begins."""
        member = self._crew.meet(str(device.ieee))
        member.report = JoinReport()
        member.nwk, member.left = int(device.nwk), False
        self._emit(DeviceJoined(member.config.id if member.config else None, str(device.ieee), self._clock.now()))
        if member.config is None:
            log.info("device %s joined: give it a name on the devices page", device.ieee)
        self._care.tend(member)
        self._changed()

    def device_initialized(self, device: ZigbeeDevice) -> None:
        """A device is interviewed, or is back with a new address: nothing that it says from now on is missed."""
        if device.nwk == 0:
            return  # the radio itself
        member = self._crew.meet(str(device.ieee))
        member.nwk = None
        member.report.look(device, self._clock.now())
        if member.attach(device, self._emit):
            device.zdo.add_listener(Announcements(member))
            self.backup_due.set()
        self._care.tend(member)
        member.wake.set()

    def device_reinterviewed(self, device: ZigbeeDevice) -> None:
        """zigpy has put a new object in the old one's place."""
        self.device_initialized(device)

    def device_init_failure(self, device: ZigbeeDevice) -> None:
        """Its interview lost an answer."""
        member = self._crew.at(str(device.ieee))
        if member is not None:
            member.report.failed(self._clock.now(), ASKED_AGAIN)
            self._changed()

    def device_left(self, device: ZigbeeDevice) -> None:
        """A device leaves; its name and history stay."""
        member = self._crew.at(str(device.ieee))
        self._emit(
            DeviceLeft(member.config.id if member and member.config else None, str(device.ieee), self._clock.now())
        )
        if member is not None:
            member.left = True
            member.lost()
            self._changed()

    # ------------------------------------------------------------ what people ask
    async def permit(self, seconds: int) -> OrderResult:
        """Open the network for joining; 0 closes it."""
        try:
            await self.app.permit(seconds)
        except (*UNREACHABLE, RuntimeError) as error:
            log.warning("joining could not be set to %d s: %s", seconds, error)
            return failed("radio_refused", str(error) or type(error).__name__)
        self.join_until = self._clock.now() + timedelta(seconds=seconds) if seconds else None
        self.window = Window(self.join_until) if self.join_until is not None else None
        self._asked_in = False
        self._changed()
        return DONE

    async def remove(self, ieee: str) -> OrderResult:
        """Ask a device to leave and forget it; one that does not hear it is forgotten all the same."""
        member = self._crew.at(ieee)
        if member is None:
            return rejected("unknown_device", ieee)
        self._care.drop(member)
        self._crew.forget(ieee)
        await self.app.remove(member.ieee)
        self.backup_due.set()
        self._changed()
        return DONE

    async def reinterview(self, ieee: str) -> OrderResult:
        """Ask a device everything again."""
        member = self._crew.at(ieee)
        device = self.app.devices.get(member.ieee) if member is not None else None
        if member is None or not isinstance(device, ZigbeeDevice):
            return failed("device_missing", f"{ieee} is not on the network")
        member.report = JoinReport()
        if not device.is_initialized:
            member.resume_interview(self.app)
            return DONE
        await device.reinterview()
        if self.app.devices.get(member.ieee) is device:
            member.report.failed(self._clock.now(), "no answer; it goes on as it was")
            member.wake.set()
            self._changed()
            return failed("no_answer", f"{member.name} did not answer; it goes on as it was")
        return DONE

    async def backup(self) -> OrderResult:
        """Write a backup of network and devices now."""
        try:
            taken = await self.app.backups.create_backup()
            document = taken.as_open_coordinator_json()
            await asyncio.to_thread(self._write_backup, document)
        except (*UNREACHABLE, RuntimeError, sqlite3.Error) as error:
            log.error("the Zigbee network could not be backed up: %s", error or type(error).__name__)
            return failed("not_written", str(error) or type(error).__name__)
        self._changed()
        return DONE

    def _write_backup(self, document: dict[str, Any]) -> None:
        now = self._clock.now()
        file = backup.write(self._config.backups, backup.make(document, self._crew.devices, self._config.database, now))
        self.backup_at = now
        log.info("Zigbee network backed up to %s", file)

    # ------------------------------------------------------------ serving
    def take_known(self) -> None:
        """Before the radio starts: attach to the devices of the database, and go on with interviews begun."""
        for member in self._crew:
            if member.nwk is not None and member.ieee not in self.app.devices:
                self.app.add_device(member.ieee, radio.short_address(member.nwk))
        for device in list(self.app.devices.values()):
            if isinstance(device, ZigbeeDevice) and device.nwk != 0:
                if device.is_initialized:
                    self.device_initialized(device)
                else:
                    self._crew.meet(str(device.ieee)).nwk = int(device.nwk)

    async def serve(self, watch: radio.RadioWatch) -> None:
        """Until the connection ends; raises its reason."""
        self._care.serving = True
        for member in self._crew:
            if member.device(self.app) is None:  # a detector that is not even there
                member.listen_for_fire(self._emit)
                member.lost()
        await watch.meanwhile(self._open_doors())
        self.tend_all()
        work = [
            radio.keep_asking(self.app, watch, self.doubt, self.radio_silent),
            self._read_again_when_clean(),
            self._look(),
            self._keep_backups(),
            self._keep_sounding(),
        ]
        tasks = [asyncio.create_task(one) for one in work]
        waiters: set[asyncio.Future[Any]] = {watch.lost, *tasks}
        try:
            done, _ = await asyncio.wait(waiters, return_when=asyncio.FIRST_COMPLETED)
            if not watch.lost.done():
                for task in done:
                    task.result()  # a bug in our own care ends the attempt, with its trace
            raise await watch.lost
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, self._care.close(), return_exceptions=True)

    def tend_all(self) -> None:
        """Members may have come or been named."""
        for member in self._crew:
            self._care.tend(member)

    def bad_frame(self, detail: str) -> None:
        """A frame was broken; so may others be that passed."""
        self._emit(BadFrame(detail))
        self.garbled.set()

    def radio_silent(self, detail: str) -> None:
        """The radio owed an answer; perhaps it only lost one."""
        self._emit(BadFrame(detail))
        self.doubt.set()

    # ------------------------------------------------------------ care
    async def _look(self) -> None:
        """Who is silent, how far interviews are, whether the window has closed by itself."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            changed = False
            for member in self._crew:
                if member.look():
                    changed = True
                    if member.silent:
                        member.wake.set()  # its reporting is set up once more
                if not member.report.complete:
                    device = self.app.devices.get(member.ieee)
                    changed |= isinstance(device, ZigbeeDevice) and member.report.look(device, self._clock.now())
            if self.join_until is not None and self._clock.now() >= self.join_until:
                self.join_until = self.window = None
                changed = True
            if changed:
                self._changed()

    async def _read_again_when_clean(self) -> None:
        """UNPI's checksum is one byte of XOR, so of many broken frames some pass with a wrong value, which would stand
        until the next report: once the line is clean, ask every device again."""
        while True:
            await self.garbled.wait()
            while self.garbled.is_set():
                self.garbled.clear()
                await asyncio.sleep(CLEAN_AFTER_S)
            for member in self._crew:
                member.wake.set()

    async def _keep_backups(self) -> None:
        """Daily, and after every change of network or names."""
        await self._take_up()
        while True:
            last = self.backup_at
            due_s = (last + DAILY - self._clock.now()).total_seconds() if last is not None else 0.0
            if due_s > 0:
                await wait(self.backup_due, due_s)
            await asyncio.sleep(SETTLE_S)
            self.backup_due.clear()
            if not (await self.backup()).done:
                await asyncio.sleep(AFTER_FAILURE.total_seconds())

    async def _take_up(self) -> None:
        """Named devices that our database lost and the radio still knows need not join again."""
        missing = [one for one in self._crew if one.config is not None and one.ieee not in self.app.devices]
        if not missing:
            return
        try:
            await self.app.load_network_info(load_devices=True)
        except (*UNREACHABLE, RuntimeError) as error:
            log.warning("the radio's table of devices cannot be read: %s", error or type(error).__name__)
            return
        known = self.app.state.network_info.nwk_addresses
        for member in missing:
            nwk = known.get(member.ieee)
            if nwk is not None and nwk < radio.BROADCASTS and member.ieee not in self.app.devices:
                self.app.handle_join(nwk=nwk, ieee=member.ieee, parent_nwk=radio.short_address(0), handle_rejoin=False)

    async def _keep_sounding(self) -> None:
        """A siren stops by itself after a while; one that is still wanted is told again."""
        while True:
            await asyncio.sleep(SOUND_AGAIN_S)
            for member in self._crew:
                cluster = member.clusters.get(IAS_WARNING)
                if member.sounding and cluster is not None:
                    cluster.create_catching_task(ias.sound(cluster, on=True))

    async def _open_doors(self) -> None:
        await self._reopen()
        if any(member.config is not None and member.device(self.app) is None for member in self._crew):
            await self._let_in()

    async def _let_in(self) -> None:
        """Open the network for devices of config.toml that are missing, once per connection."""
        if self._asked_in or not self._config.join_at_start_s or self.join_until is not None:
            return
        log.info("devices are missing: the network is open for joining for %d s", self._config.join_at_start_s)
        await self._open(self._config.join_at_start_s, ours=True)

    async def _reopen(self) -> None:
        """The window that the connection before this one left open, for the time that was left of it."""
        window = self.window
        left_s = math.ceil((window.until - self._clock.now()).total_seconds()) if window is not None else 0
        if window is None or left_s <= 0:
            self.window = None
            return
        log.info("the radio was away while the network was open for joining: it is open again for %d s", left_s)
        await self._open(min(left_s, PERMIT_MOST_S), ours=window.ours)

    async def _open(self, seconds: int, *, ours: bool) -> None:
        if (await self.permit(seconds)).done and self.window is not None:
            self.window = replace(self.window, ours=ours)
        self._asked_in = ours

    async def _close_door(self) -> None:
        """Nobody else may join once all are in, unless a person has opened the network."""
        if (
            self.window is not None
            and self.window.ours
            and all(member.served for member in self._crew if member.config is not None)
        ):
            await self.permit(0)

    def _changed(self) -> None:
        self._emit(NetworkChanged())
