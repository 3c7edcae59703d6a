"""COMPOSITION ROOT of the edge: build(settings) -> Gateway, and its run()."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from importlib.metadata import version
from typing import Any

from carrel.clock import Clock
from carrel.contracts import topics
from carrel.contracts.health import LinkHealth, LinkReport
from carrel.contracts.telemetry import DeviceInfo
from devices.events import DeviceSeen
from environment.engine import Engine
from gateway.control.actuation import Actuator
from gateway.control.arbiter import Arbiter
from gateway.control.comfort import Comfort, build_plant
from gateway.control.reactor import Outlets, Reactor
from gateway.control.safety import Safety
from gateway.ending import apart, end_if_told
from gateway.links.link import Link
from gateway.links.registry import Wiring, make_link
from gateway.links.supervisor import Supervisor
from gateway.relay.telemetry import TelemetryLog
from gateway.relay.uplink import EdgeOrder, Identity, Uplink
from gateway.settings import GatewaySettings
from gateway.stations.kiosk.station import KioskStation, build_kiosks
from gateway.store import Store

SHOW_EVERY_S = 0.25
FIRE_TICK_S = 1.0
TELL_AFTER_S = 0.01
AGAIN_AFTER_S = 2.0

Work = Callable[[], Coroutine[Any, Any, None]]

log = logging.getLogger(__name__)


class Gateway:
    """Everything of one edge daemon; `run` serves until cancelled and closes what it opened."""

    def __init__(self, settings: GatewaySettings, clock: Clock, store: Store) -> None:
        """Wire the parts; nothing is opened but the store, which becomes ours to close."""
        self._settings = settings
        self._store = store
        now = clock.now()
        who = Identity(settings.common.library.branch, settings.gateway.id, version("carrel"))
        plant = build_plant(
            settings.environment, settings.controlled, lambda config: Engine(config, settings.common.library.zone)
        )
        moved = {a.id: plant.devices[a.device] for a in settings.environment.actuator}
        arbiter = Arbiter()
        self.uplink = Uplink(settings.common.mqtt, who, store=store, clock=clock, on_command=self._command)
        self.telemetry = TelemetryLog(store, self.uplink.telemetry_waiting)
        self.kiosks: tuple[KioskStation, ...] = build_kiosks(settings, store, clock)
        self._health: dict[str, LinkHealth] = {}
        wiring = Wiring(clock, {kiosk.pad.name: kiosk.pad for kiosk in self.kiosks})
        self._supervisors = [
            Supervisor(link, emit=self._heard, on_health=self._link_health, clock=clock)
            for link in make_links(settings, wiring)
        ]
        self.actuator = Actuator(arbiter, routes(settings, [s.link for s in self._supervisors]))
        safety = Safety(settings.security, moved, arbiter=arbiter, store=store)
        comfort = Comfort(plant, arbiter=arbiter, store=store, now=now)
        outlets = Outlets(
            self.actuator.apply,
            self.actuator.outputs_read,
            self.uplink.outbox,
            self.telemetry,
            self.uplink.events_waiting,
            later=_soon,
        )
        self.reactor = Reactor(safety, comfort, outlets, store=store, clock=clock)

    async def run(self) -> None:
        """Serve until cancelled. Links, cores and kiosks go on whether or not broker and server are there."""
        async with AsyncExitStack() as ending:
            ending.callback(self._store.close)
            for kiosk in self.kiosks:
                ending.push_async_callback(kiosk.close)
            ending.push_async_callback(self.actuator.close)
            self.reactor.start(devices(self._settings))
            async with asyncio.TaskGroup() as group:
                for name, work in self._work():
                    group.create_task(kept_going(name, work))

    def _work(self) -> list[tuple[str, Work]]:
        tick_s = self._settings.environment.tick_s
        return [
            *((f"link {supervisor.link.name}", supervisor.run) for supervisor in self._supervisors),
            ("fire panel", lambda: _every(FIRE_TICK_S, self.reactor.tick_safety)),
            ("rules", lambda: _every(tick_s, self.reactor.tick_comfort)),
            ("memory of rules", lambda: _every_in_thread(tick_s, self.reactor.save_comfort)),
            ("decision table", lambda: _every(SHOW_EVERY_S, self.reactor.show)),
            ("uplink", self.uplink.run),
            ("telemetry", self.telemetry.run),
            *((f"kiosk {n}", kiosk.run) for n, kiosk in enumerate(self.kiosks)),
        ]

    def _heard(self, event: object) -> None:
        self.reactor.handle(event)
        if isinstance(event, DeviceSeen):
            self.actuator.output_up(event.device)

    def _command(self, wish: EdgeOrder) -> None:
        self.reactor.command(wish)

    def _link_health(self, health: LinkHealth) -> None:
        before = self._health.get(health.link)
        self._health[health.link] = health
        self.uplink.outbox.put(topics.LINKS, LinkReport(links=tuple(self._health.values())))
        served = before is not None and before.state in ("up", "degraded")
        if health.state == "up" and not served:
            self.actuator.link_up(health.link)


def build(settings: GatewaySettings, clock: Clock) -> Gateway:
    """Make a gateway; raises StoreError or ConfigError."""
    store = Store(settings.store)
    try:
        return Gateway(settings, clock, store)
    except BaseException:
        store.close()
        raise


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
    return found


def devices(settings: GatewaySettings) -> list[DeviceInfo]:
    """What config.toml says hangs on this gateway."""
    simulated = settings.common.library.simulated
    return [DeviceInfo(id=d.id, zone=d.zone, kind=d.kind, simulated=simulated) for d in settings.zigbee.device]


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


def _soon(call: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(TELL_AFTER_S, call)


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
