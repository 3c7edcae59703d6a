"""COMPOSITION ROOT of the edge: build(settings) -> Gateway, and its run()."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from carrel.clock import Clock
from carrel.contracts import topics
from carrel.contracts.actuation import EdgeOrder
from carrel.contracts.health import LinkHealth, LinkReport
from carrel.contracts.network import NetworkCommand
from carrel.contracts.telemetry import DeviceInfo, Quantity
from devices.ending import apart, end_if_told
from devices.events import DeviceSeen, NetworkChanged
from devices.orders import OrderResult
from devices.zigbee.coordinator import SIREN, Coordinator
from environment.engine import Engine
from environment.rulebook.book import RuleBook, checked, laid_over
from gateway.control.actuation import Actuator
from gateway.control.arbiter import Arbiter
from gateway.control.comfort import Comfort, Plant, build_plant
from gateway.control.network import NetworkDesk, read_roster
from gateway.control.reactor import Outlets, Reactor
from gateway.control.roster import Roster
from gateway.control.safety import Safety
from gateway.household import house_of, wiring, with_roster
from gateway.links.link import Link
from gateway.links.registry import Wiring, make_link
from gateway.links.supervisor import Supervisor
from gateway.relay.config import ConfigDesk
from gateway.relay.history import History
from gateway.relay.home_assistant import Announced, Site, announcements
from gateway.relay.uplink import Identity, Uplink
from gateway.settings import GatewaySettings
from gateway.stations.kiosk.station import KioskStation, build_kiosks
from gateway.store import Store

SHOW_EVERY_S = 0.25
SAVE_EVERY_S = 0.5
"""A kill within this time forgets that a compressor has just started."""
FIRE_TICK_S = 1.0
TELL_AFTER_S = 0.05
AGAIN_AFTER_S = 2.0

Work = Callable[[], Coroutine[Any, Any, None]]

log = logging.getLogger(__name__)


class Gateway:
    """Everything of one edge daemon; `run` serves until cancelled and closes what it opened."""

    def __init__(self, settings: GatewaySettings, clock: Clock, store: Store) -> None:
        """Wire the parts; nothing is opened but the store, which becomes ours to close."""
        self._shipped, self._store = settings, store
        who = Identity(settings.common.library.branch, settings.gateway.id, version("carrel"))
        self._roster = read_roster(store)
        self.rulebook = ConfigDesk(who, settings.token_file, store=store, clock=clock, fits=self._fits)
        settings = self._settings = with_roster(settings, self._roster, self.rulebook.book)
        plant = plant_of(settings)
        moved = {a.id: plant.devices[a.device] for a in settings.environment.actuator}
        arbiter = Arbiter()
        self.history = History(settings.common.telemetry, who, store=store, clock=clock, on_health=self._show_health)
        self.uplink = self._make_uplink(who, clock)
        self.kiosks: tuple[KioskStation, ...] = build_kiosks(settings, store, clock)
        self._health: dict[str, LinkHealth] = {}
        wiring = Wiring(clock, {kiosk.pad.name: kiosk.pad for kiosk in self.kiosks})
        self._supervisors = [
            Supervisor(link, emit=self._heard, on_health=self._link_health, clock=clock)
            for link in make_links(settings, wiring)
        ]
        self._links = [supervisor.link for supervisor in self._supervisors]
        self._routes = routes(settings, self._links)
        self.actuator = Actuator(arbiter, self._routes, on_follow=self._followed)
        safety = Safety(settings.security, moved, arbiter=arbiter, store=store)
        comfort = Comfort(plant, arbiter=arbiter, store=store, now=clock.now())
        outlets = Outlets(
            self.actuator.apply,
            self.actuator.outputs_read,
            self.uplink.outbox,
            self.history.log,
            self.uplink.events_waiting,
            later=Soon(TELL_AFTER_S),
        )
        self.reactor = Reactor(safety, comfort, outlets, store=store, clock=clock)
        out, house = self.uplink.outbox, house_of(self._with_book())
        self.network = NetworkDesk(self._radio, house, store=store, outbox=out, clock=clock, on_roster=self._renamed)
        self.rulebook.tell_through(out)
        self.rulebook.on_change, self.uplink.on_config = self._rules_changed, self.rulebook.take

    def _make_uplink(self, who: Identity, clock: Clock) -> Uplink:
        settings, history = self._settings, self.history
        uplink = Uplink(
            settings.mqtt, who, store=self._store, spool=history.spool, clock=clock, on_command=self._command
        )
        history.on_stored = uplink.telemetry_waiting
        if settings.mqtt.home_assistant:
            site = Site(settings.mqtt.home_assistant, who.branch, who.gateway, who.version)
            uplink.announcements = lambda: announcements(site, announced(self._settings))
        return uplink

    async def run(self) -> None:
        """Serve until cancelled. Links, cores and kiosks go on whether or not broker and server are there."""
        async with AsyncExitStack() as ending:
            ending.callback(self._store.close)
            for kiosk in self.kiosks:
                ending.push_async_callback(kiosk.close)
            ending.push_async_callback(self.actuator.close)
            ending.push_async_callback(self.network.close)
            self.reactor.start(devices(self._settings), missing=self._missing_detectors())
            async with asyncio.TaskGroup() as group:
                for name, work in self._work():
                    group.create_task(kept_going(name, work))

    def _work(self) -> list[tuple[str, Work]]:
        tick_s = self._settings.environment.tick_s
        return [
            *((f"link {supervisor.link.name}", supervisor.run) for supervisor in self._supervisors),
            ("fire panel", lambda: _every(FIRE_TICK_S, self.reactor.tick_safety)),
            ("rules", lambda: _every(tick_s, self.reactor.tick_comfort)),
            ("memory of rules", lambda: _every_in_thread(SAVE_EVERY_S, self.reactor.save_comfort)),
            ("decision table", lambda: _every(SHOW_EVERY_S, self.reactor.show)),
            ("devices", self.network.run),
            ("uplink", self.uplink.run),
            *self.history.work(),
            *((f"kiosk {n}", kiosk.run) for n, kiosk in enumerate(self.kiosks)),
        ]

    def _heard(self, event: object) -> None:
        self.reactor.handle(event)
        if isinstance(event, DeviceSeen):
            self.actuator.output_up(event.device)
            self.network.learn(event.device, event.quantities)
        elif isinstance(event, NetworkChanged):
            self.network.changed()

    def _command(self, wish: EdgeOrder) -> None:
        if isinstance(wish, NetworkCommand):
            self.network.command(wish)
        else:
            self.reactor.command(wish)

    @property
    def _radio(self) -> Coordinator | None:
        return next((link for link in self._links if isinstance(link, Coordinator)), None)

    def _missing_detectors(self) -> set[str]:
        """Detectors that a fire zone counts on and nobody has named yet: that is a fault, not silence."""
        wanted = {zone.detector for zone in self._settings.security.fire_zone if zone.detector is not None}
        return wanted - {device.id for device in self._settings.zigbee.device}

    def _renamed(self, roster: Roster) -> None:
        """People named, moved or removed a Zigbee device: all who use names take them over, without a restart."""
        self._roster = roster
        self.rulebook.try_again()
        settings = self._settings = with_roster(self._shipped, roster, self.rulebook.book)
        self._routes.update(routes(settings, self._links))
        if self._radio is not None:
            self._radio.configure(settings.zigbee.device)
        self.reactor.devices_changed(devices(settings))
        self.uplink.devices_changed()
        self.reactor.plant_changed(plant_of(settings))

    def _rules_changed(self) -> None:
        """People changed the rules: they are in force from this moment on; nothing else is touched."""
        self._settings = with_roster(self._shipped, self._roster, self.rulebook.book)
        self.network.rules_changed(self._with_book().environment)
        self.reactor.plant_changed(plant_of(self._settings))

    def _fits(self, book: RuleBook) -> None:
        checked(wiring(self._shipped.environment, self._roster), book)

    def _with_book(self) -> GatewaySettings:
        """config.toml with the rules in force; names given on the page are not looked at."""
        book, shipped = self.rulebook.book, self._shipped
        return replace(shipped, environment=laid_over(shipped.environment, book)) if book else shipped

    def _followed(self, output: str, result: OrderResult) -> None:
        self.reactor.follow(output, result)

    def _link_health(self, health: LinkHealth) -> None:
        before = self._health.get(health.link)
        self._show_health(health)
        served = before is not None and before.state in ("up", "degraded")
        if health.state == "up" and not served:
            self.actuator.link_up(health.link)

    def _show_health(self, health: LinkHealth) -> None:
        self._health[health.link] = health
        self.uplink.outbox.put(topics.LINKS, LinkReport(links=tuple(self._health.values())))


def build(settings: GatewaySettings, clock: Clock) -> Gateway:
    """Make a gateway; raises StoreError or ConfigError."""
    store = Store(settings.store)
    try:
        return Gateway(settings, clock, store)
    except BaseException:
        store.close()
        raise


def plant_of(settings: GatewaySettings) -> Plant:
    """The rules in force and what they move."""
    zone = settings.common.library.zone
    return build_plant(settings.environment, settings.controlled, lambda config: Engine(config, zone))


def make_links(settings: GatewaySettings, wiring: Wiring) -> list[Link]:
    """One link for the radio, each module and each reader."""
    links = [make_link("modbus", module.id, module, wiring) for module in settings.modbus]
    links += [make_link(reader.kind, reader.id, reader, wiring) for reader in settings.readers]
    if settings.zigbee.path:
        links.append(make_link(settings.zigbee.kind, "zigbee", settings.zigbee, wiring))
    return links


def routes(settings: GatewaySettings, links: list[Link]) -> dict[str, Link]:
    """Output -> the link that serves it."""
    by_name = {link.name: link for link in links}
    found = {f"{m.id}.{output}": by_name[m.id] for m in settings.modbus for output in m.outputs}
    if "zigbee" in by_name:
        found |= {device.id: by_name["zigbee"] for device in settings.controlled}
        sirens = (device.id for device in settings.zigbee.device if device.kind == "siren")
        found |= {f"{siren}.{SIREN}": by_name["zigbee"] for siren in sirens}
    return found


def devices(settings: GatewaySettings) -> list[DeviceInfo]:
    """What hangs on this gateway by name."""
    simulated = settings.common.library.simulated
    return [DeviceInfo(id=d.id, zone=d.zone, kind=d.kind, simulated=simulated) for d in settings.zigbee.device]


def announced(settings: GatewaySettings) -> list[Announced]:
    """The devices as Home Assistant is told of them."""
    measured = [
        (sensor.device, Quantity(sensor.metric)) for sensor in settings.environment.sensor if sensor.metric != "flag"
    ]
    moved = {actuator.device: actuator.id for actuator in settings.environment.actuator}
    return [
        Announced(info, tuple(q for device, q in measured if device == info.id), moved.get(info.id))
        for info in devices(settings)
    ]


async def kept_going(name: str, work: Work, *, again_after_s: float = AGAIN_AFTER_S) -> None:
    """Run a part of the gateway for ever: what goes wrong in one must not end the fire panel or the other parts."""
    while True:
        try:
            await apart(work())
            end_if_told()
            log.error("%s ended by itself; starting it again", name)
        except Exception as error:
            end_if_told()
            cause = _sole_cause(error)
            if isinstance(cause, OSError):
                log.error("%s failed: %s; starting it again", name, cause)
            else:
                log.exception("%s failed; starting it again", name)
        await asyncio.sleep(again_after_s)


def _sole_cause(error: Exception) -> Exception:
    """What went wrong inside groups of one."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


class Soon:
    """Runs calls in their order a moment later, those of a moment together: to wake costs more than most."""

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._calls: list[Callable[[], None]] = []

    def __call__(self, call: Callable[[], None]) -> None:
        """Put a call off; it must not raise."""
        if not self._calls:
            asyncio.get_running_loop().call_later(self._after_s, self._run)
        self._calls.append(call)

    def _run(self) -> None:
        calls, self._calls = self._calls, []
        for call in calls:
            call()


async def _every(seconds: float, action: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(seconds)
        action()


async def _every_in_thread(seconds: float, action: Callable[[], None]) -> None:
    """For actions that wait for the disk; done once more at the end."""
    try:
        while True:
            await asyncio.sleep(seconds)
            await asyncio.to_thread(action)
    finally:
        action()
