"""The Zigbee network for people: its state published, their commands carried out once, names kept in the store."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from carrel.clock import Clock
from carrel.contracts import topics
from carrel.contracts.actuation import CommandResult, CommandStatus
from carrel.contracts.network import DeviceAvailability, NetworkCommand, NetworkState
from carrel.contracts.telemetry import Quantity
from devices.config import DETECTORS, ZigbeeDeviceConfig
from devices.orders import DONE, OrderResult, failed, rejected
from environment.config import EnvironmentConfig
from gateway.control.answers import Answers
from gateway.control.roster import MEMORY, Roster, from_json, to_json
from gateway.relay.outgoing import Outbox
from gateway.store import Store

GATHER_S = 0.3
REFRESH_S = 30.0
"""A device's last word and signal are shown so often when nothing else changes."""
PERMIT_S = 180

log = logging.getLogger(__name__)


class Network(Protocol):
    """What is asked of the radio's link."""

    def configure(self, devices: Iterable[ZigbeeDeviceConfig]) -> None:
        """These have names from now on, and no others."""

    def state(self) -> NetworkState:
        """The network now, or as it was last known."""

    def tells_fire(self, ieee: str) -> bool:
        """Whether this device says of itself that it detects fire; False while that is not known."""

    async def form(self) -> OrderResult:
        """Make a network on a radio that has none."""

    async def permit(self, seconds: int) -> OrderResult:
        """Open the network for joining; 0 closes it."""

    async def remove(self, ieee: str) -> OrderResult:
        """Ask a device to leave and forget it."""

    async def reinterview(self, ieee: str) -> OrderResult:
        """Ask a device everything again."""

    async def backup(self) -> OrderResult:
        """Write a backup now."""


@dataclass(frozen=True, slots=True)
class House:
    """What config.toml says and a name must fit. `used` are devices that its sensors, actuators and fire panel name,
    with their kind; `detectors` those that a fire zone names; `taken` are ids of other things."""

    shipped: tuple[ZigbeeDeviceConfig, ...]
    environment: EnvironmentConfig
    rooms: frozenset[str]
    used: frozenset[str]
    detectors: frozenset[str]
    taken: frozenset[str]


class NetworkDesk:
    """Takes NetworkCommands; `on_roster` brings changed names to all who use them."""

    def __init__(
        self,
        network: Network | None,
        house: House,
        *,
        store: Store,
        outbox: Outbox,
        clock: Clock,
        on_roster: Callable[[Roster], None],
    ) -> None:
        self._network = network
        self._house = house
        self._store = store
        self._answers = Answers(store)
        self._outbox = outbox
        self._clock = clock
        self._on_roster = on_roster
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._told: dict[str, DeviceAvailability] = {}
        self.roster = read_roster(store)

    def rules_changed(self, environment: EnvironmentConfig) -> None:
        """These are the rules that a name must fit from now on."""
        self._house = replace(self._house, environment=environment)

    def changed(self) -> None:
        """The network looks otherwise now: publish it soon."""
        self._changed.set()

    async def run(self) -> None:
        """Publish the network's state whenever it changes; ends only by cancellation."""
        if self._network is None:
            await asyncio.Event().wait()
            return
        while True:
            self._changed.clear()
            self._publish(self._network.state())
            try:
                async with asyncio.timeout(REFRESH_S):
                    await self._changed.wait()
                await asyncio.sleep(GATHER_S)
            except TimeoutError:
                pass

    def _publish(self, state: NetworkState) -> None:
        self._outbox.put(topics.NETWORK, state)
        heard = availability(state)
        for id_ in self._told.keys() - heard.keys():  # renamed or removed
            self._outbox.put(topics.AVAILABILITY, None, id_)
        for id_, now in heard.items():
            before = self._told.get(id_)
            if before is None or (before.state, before.reason) != (now.state, now.reason):
                self._outbox.put(topics.AVAILABILITY, now, id_)
        self._told = heard

    async def close(self) -> None:
        """Give up what is under way."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def learn(self, device: str, quantities: tuple[Quantity, ...]) -> None:
        """A named device is interviewed and measures these."""
        roster = self.roster.learnt(device, quantities)
        if roster is not self.roster:
            result = self._take_over(roster)
            if not result.done:
                log.error("%s does not count for the rules: %s", device, result.detail)

    def command(self, wish: NetworkCommand) -> None:
        """Carry out a command once, in the background; a repeat gets the first answer. Never raises."""
        known = self._answers.given(wish.id)
        if known is not None:
            self._outbox.put(topics.COMMAND_ACK, known, wish.id)
        elif wish.id not in self._under_way:  # a repeat meanwhile is answered with the first
            task = asyncio.get_running_loop().create_task(self._carry_out(wish))
            self._under_way[wish.id] = task
            task.add_done_callback(lambda _task: self._under_way.pop(wish.id, None))

    async def _carry_out(self, wish: NetworkCommand) -> None:
        now = self._clock.now()
        try:
            done = await self._do(wish, now)
        except Exception as error:
            log.exception("network command %s failed", wish.id)
            done = failed("internal_error", f"{type(error).__name__}: {error}")
        now = self._clock.now()
        result = CommandResult(id=wish.id, status=done.status, code=done.code, detail=done.detail, ts=now)
        self._answers.remember(result, wish.expires, now)
        self._outbox.put(topics.COMMAND_ACK, result, wish.id)
        log.info("network command %s by %s: %s %s", wish.action, wish.by, done.status, done.code)
        self.changed()

    async def _do(self, wish: NetworkCommand, now: datetime) -> OrderResult:
        if wish.expires < now:
            return OrderResult(CommandStatus.EXPIRED, "expired")
        network = self._network
        if network is None:
            return rejected("no_radio", "config.toml names no Zigbee radio: set zigbee.path")
        match wish.action:
            case "form":
                return await network.form()
            case "permit":
                return await network.permit(wish.seconds or PERMIT_S)
            case "close":
                return await network.permit(0)
            case "backup":
                return await network.backup()
            case "name" | "remove" | "reinterview":
                return await self._to_device(wish, network)

    async def _to_device(self, wish: NetworkCommand, network: Network) -> OrderResult:
        if wish.ieee is None:
            return rejected("ieee_missing", "say which device, by its address")
        if wish.action == "name":
            return self._name(wish, wish.ieee, tells_fire=network.tells_fire(wish.ieee))
        if wish.action == "reinterview":
            return await network.reinterview(wish.ieee)
        roster = self.roster.without(wish.ieee)
        try:
            roster.environment(self._house.environment)
        except ValueError as error:
            return rejected("rule_needs_sensor", _first_sentence(error))
        result = await network.remove(wish.ieee)
        return self._take_over(roster) if result.done else result

    def _name(self, wish: NetworkCommand, ieee: str, *, tells_fire: bool) -> OrderResult:
        devices = {device.ieee: device for device in self.roster.devices(self._house.shipped)}
        before = devices.pop(ieee, None)
        id_ = wish.device or (before.id if before else None)
        zone = wish.zone or (before.zone if before else None)
        kind = wish.device_kind or (before.kind if before else None)
        if id_ is None or zone is None or kind is None:
            return rejected("incomplete", "a new device needs a name, a room and a kind")
        if tells_fire and kind not in DETECTORS:
            return rejected(
                "fire_detector",
                f"this device says that it detects fire: as a {kind} its alarm would reach nobody; "
                "name it as a smoke or flame detector",
            )
        fields = before.model_dump() if before else {}
        device = ZigbeeDeviceConfig.model_validate({**fields, "ieee": ieee, "id": id_, "zone": zone, "kind": kind})
        refusal = self._refusal(device, before, {other.id for other in devices.values()})
        return refusal or self._take_over(self.roster.named(device))

    def _refusal(
        self, device: ZigbeeDeviceConfig, before: ZigbeeDeviceConfig | None, others: set[str]
    ) -> OrderResult | None:
        house = self._house
        if device.zone not in house.rooms:
            return rejected("unknown_zone", f"there is no room '{device.zone}'")
        if device.id in others or device.id in house.taken:
            return rejected("name_taken", f"'{device.id}' is the name of something else")
        if before is not None and before.id in house.used and before.id != device.id:
            return rejected("named_in_config", f"config.toml uses the name '{before.id}': change it there first")
        expected = next((shipped.kind for shipped in house.shipped if shipped.id == device.id), device.kind)
        if device.id in house.used and device.kind != expected:
            return rejected("named_in_config", f"config.toml uses '{device.id}' as a {expected}")
        if device.kind in DETECTORS and device.id not in house.detectors:
            return rejected(
                "no_fire_zone",
                f"a {device.kind} detector belongs to the fire panel: add [[security.fire_zone]] with "
                f'detector = "{device.id}" to config.toml and start the gateway again, then name it here',
            )
        return None

    def _take_over(self, roster: Roster) -> OrderResult:
        """Keep changed names and bring them to all who use them; nothing changes when a rule or the disk refuses."""
        try:
            roster.environment(self._house.environment)
        except ValueError as error:
            return rejected("rule_needs_sensor", _first_sentence(error))
        try:
            self._store.save(MEMORY, to_json(roster))
        except sqlite3.Error as error:
            log.error("the names of Zigbee devices are not written: %s", error)
            return failed("not_stored", str(error))
        self.roster = roster
        self._on_roster(roster)
        self.changed()
        return DONE


def availability(state: NetworkState) -> dict[str, DeviceAvailability]:
    """Of each named device."""
    return {
        device.id: DeviceAvailability(state="online", last_seen=device.last_seen)
        if state.state == "running" and device.state == "online"
        else DeviceAvailability(
            state="offline",
            reason="link_down" if state.state != "running" or device.state == "online" else device.state,
            last_seen=device.last_seen,
        )
        for device in state.devices
        if device.id is not None
    }


def read_roster(store: Store) -> Roster:
    """What people changed; config.toml's devices alone when that cannot be read."""
    try:
        return from_json(store.load(MEMORY))
    except ValueError as error:
        log.error("names given to Zigbee devices cannot be read, config.toml's are in force: %s", error)
        return Roster()


def _first_sentence(error: ValueError) -> str:
    """Without what pydantic says of where and why."""
    errors = getattr(error, "errors", None)
    return str(errors()[0]["msg"]).removeprefix("Value error, ") if errors else str(error)
