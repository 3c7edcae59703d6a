"""The Zigbee network as a link: reports become readings, orders become commands. zigpy stays behind this class.

One `run` is one connection: it resumes the network (or forms one where that is allowed), keeps every device bound and
reporting, and ends with a ConnectionError when radio or port fail.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal

from zigpy.application import ControllerApplication

from carrel.clock import Clock
from carrel.contracts.actuation import DeviceOrder, SetOutput
from carrel.contracts.network import NetworkState
from devices.errors import NoNetworkError
from devices.events import LinkUp, NetworkChanged
from devices.orders import DONE, Command, OrderResult, failed, rejected
from devices.zigbee import execute, radio
from devices.zigbee.config import ZigbeeConfig, ZigbeeDeviceConfig
from devices.zigbee.member import Member
from devices.zigbee.network import backup
from devices.zigbee.network.crew import Crew
from devices.zigbee.network.pacing import pace_broadcasts
from devices.zigbee.network.session import Session, Window
from devices.zigbee.network.view import device_view

FORMING_S = 120.0
SIREN = "siren"
"""The output of a warning device, as in `stairs-siren.siren`."""


class Coordinator:
    """A radio with its network; the configuration's paths are absolute."""

    def __init__(self, name: str, config: ZigbeeConfig, clock: Clock) -> None:
        self.name = name
        self.kind: str = config.kind
        self._config = config
        self._clock = clock
        self._crew = Crew(config.device, clock)
        self._session: Session | None = None
        self._emit: Callable[[object], None] = _nobody
        self._radio: Literal["down", "none", "running"] = "down"
        self._network: dict[str, object] = {}
        self._backup_at: datetime | None = None
        self._window: Window | None = None  # of a connection that ended before its time
        self._orphaned = False  # the radio is blank and the devices belong to a network
        self._forming: asyncio.Future[OrderResult] | None = None

    async def run(self, emit: Callable[[object], None]) -> None:
        """Serve until cancelled; raises a ConnectionError when the radio is lost, silent, restarted or blank."""
        self._emit = emit
        watch = radio.RadioWatch()
        forming = self._forming is not None
        try:
            self._backup_at = await asyncio.to_thread(backup.newest_at, self._config.backups)
            app = await radio.load(self._config)
            session = Session(app, self._crew, emit, config=self._config, clock=self._clock)
            session.backup_at, session.window = self._backup_at, self._window
            try:
                await self._start(session, watch, form=self._config.form or forming)
                await session.serve(watch)
            finally:
                self._session, self._backup_at, self._window = None, session.backup_at, session.window
                for member in self._crew:
                    member.detach()
                await radio.stop(app)
        except Exception as error:
            self._over(error, asked=forming)
            raise

    async def execute(self, command: Command) -> OrderResult:
        """Send an order at once; `done` only when the device confirmed it and is seen to follow."""
        if isinstance(command, tuple):
            results = await asyncio.gather(*(self._sound(order) for order in command))
            return next((result for result in results if not result.done), DONE)
        if isinstance(command, SetOutput):
            return await self._sound(command)
        return await self._to(command.device, command)

    # ------------------------------------------------------------ what people ask of the network
    @property
    def devices(self) -> tuple[ZigbeeDeviceConfig, ...]:
        """Those that have a name."""
        return self._crew.devices

    def configure(self, devices: Iterable[ZigbeeDeviceConfig]) -> None:
        """These have names from now on, and no others; takes effect at once."""
        self._crew.configure(devices)
        if self._session is not None:
            self._session.tend_all()
            self._session.backup_due.set()
        self._emit(NetworkChanged())

    def state(self) -> NetworkState:
        """The network now, or as it was last known."""
        session, now = self._session, self._clock.now()
        app = session.app if session is not None else None
        return NetworkState.model_validate(
            {
                "ts": now,
                "state": self._radio,
                **self._network,
                "join_until": session.join_until if session is not None else None,
                "backup_at": session.backup_at if session is not None else self._backup_at,
                "devices": tuple(device_view(member, app, now) for member in self._crew),
            }
        )

    async def form(self) -> OrderResult:
        """Make a network on a radio that has none; the next attempt of the link does it."""
        if self._radio == "running":
            return rejected("network_exists", "the radio has a network; `carrel zigbee form --replace` makes another")
        if self._radio == "down":
            return failed("link_down", "the radio does not answer; see its link")
        if self._orphaned or self._backup_at is not None:
            return rejected("backup_exists", radio.HAS_BACKUP)
        if self._forming is None:
            self._forming = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(FORMING_S):
                return await asyncio.shield(self._forming)
        except TimeoutError:
            return failed("no_answer", f"no network after {FORMING_S:.0f} s; see the radio's link")

    def tells_fire(self, ieee: str) -> bool:
        """Whether this device says of itself that it detects fire; False while that is not known."""
        member = self._crew.at(ieee)
        return member is not None and member.tells_fire

    async def permit(self, seconds: int) -> OrderResult:
        """Open the network for joining; 0 closes it."""
        if self._session is None:
            if not seconds:
                self._window = None  # nor shall it open again when the radio is back
            return self._away()
        return await self._session.permit(seconds)

    async def remove(self, ieee: str) -> OrderResult:
        """Ask a device to leave and forget it."""
        return await self._session.remove(ieee) if self._session is not None else self._away()

    async def reinterview(self, ieee: str) -> OrderResult:
        """Ask a device everything again."""
        return await self._session.reinterview(ieee) if self._session is not None else self._away()

    async def backup(self) -> OrderResult:
        """Write a backup now."""
        return await self._session.backup() if self._session is not None else self._away()

    # ------------------------------------------------------------ inside
    async def _start(self, session: Session, watch: radio.RadioWatch, *, form: bool) -> None:
        app = session.app
        app.add_listener(watch)
        app.add_listener(session)
        session.take_known()
        pace_broadcasts(app)
        await radio.start(app, watch, form=form)
        radio.watch_resets(app, watch)
        radio.count_bad_frames(app, session.bad_frame)
        radio.limit_answers(app, session.radio_silent)
        self._session, self._radio = session, "running"
        self._network = _described(app)
        if self._forming is not None:
            session.backup_due.set()
            self._formed(DONE)
        self._emit(LinkUp())
        self._emit(NetworkChanged())

    def _over(self, error: Exception, *, asked: bool) -> None:
        """The connection has ended, or did not come about: no detector can be heard any more."""
        self._radio = "none" if isinstance(error, NoNetworkError) else "down"
        self._orphaned = str(error) == radio.HAS_BACKUP
        if asked:
            self._formed(failed("not_formed", str(error) or type(error).__name__))
        for member in self._crew:
            member.listen_for_fire(self._emit)
            member.lost()
        self._emit(NetworkChanged())

    def _formed(self, result: OrderResult) -> None:
        forming, self._forming = self._forming, None
        if forming is not None and not forming.done():
            forming.set_result(result)

    async def _sound(self, order: SetOutput) -> OrderResult:
        device, _, output = order.output.partition(".")
        if output != SIREN:
            return rejected("not_supported", f"a Zigbee device has no output '{output}'")
        return await self._to(device, order)

    async def _to(self, name: str, order: DeviceOrder) -> OrderResult:
        member = self._crew.named(name)
        if member is None:
            return rejected("unknown_device", name)
        session = self._session
        if session is None:
            return self._away()
        result = await _deliver(session.app, member, order)
        if result.code == "no_answer":
            session.doubt.set()
        return result

    def _away(self) -> OrderResult:
        return failed("link_down", "the radio is not connected, or has no network")


async def _deliver(app: ControllerApplication, member: Member, order: DeviceOrder) -> OrderResult:
    device = member.device(app)
    if device is None:
        return failed("device_missing", f"{member.name} is not on the network")
    try:
        if isinstance(order, SetOutput):
            return await execute.sound(member, order)
        return await execute.send(member, device, order)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        return failed("link_down", "the radio was lost meanwhile")  # zigpy cancels what waits when it closes


def _described(app: ControllerApplication) -> dict[str, object]:
    found = app.state.network_info
    return {
        "channel": int(found.channel),
        "pan_id": int(found.pan_id),
        "coordinator": str(app.state.node_info.ieee),
    }


def _nobody(_event: object) -> None:
    """Not running yet."""
