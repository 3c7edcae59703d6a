"""Rules that the server sends over a real broker, in a whole gateway whose other wires are dead."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from carrel.config import load
from carrel.contracts.actuation import OverrideSet, RulesState
from carrel.contracts.codec import encode
from carrel.contracts.config import ConfigState, sign, unsigned
from carrel.contracts.telemetry import Quantity, Reading
from carrel.sections import MqttConfig
from devices.events import ReadingSeen
from environment.rulebook.book import RuleBook, book_of, to_text
from gateway.app import Gateway, build
from gateway.settings import GatewaySettings, read_settings
from tests.support.broker import Broker
from tests.support.clock import ManualClock
from tests.support.mqtt_listener import Listener, listening
from tests.support.ports import free_port
from tests.support.sim import ROOT, eventually

TOKEN = "a machine token of tests"
PREFIX = "carrel/1/main/gw-1/"


def settings(folder: Path, broker: Broker) -> GatewaySettings:
    (folder / "config.toml").write_text((ROOT / "config.toml").read_text(encoding="utf-8"), encoding="utf-8")
    token = folder / "var/run/machine-token"
    token.parent.mkdir(parents=True, exist_ok=True)
    token.write_text(TOKEN)
    ports = {"CARREL_GATEWAY__KIOSK__0__PORT": str(free_port()), "CARREL_MQTT__PORT": str(broker.port)}
    module = {"CARREL_MODBUS__0__URL": f"tcp://127.0.0.1:{free_port()}"}
    return read_settings(load(folder / "config.toml", {**ports, **module}))


class House:
    """The gateway and whoever plays the server."""

    def __init__(self, gateway: Gateway, server: Listener, clock: ManualClock) -> None:
        self.gateway, self.server, self.clock = gateway, server, clock

    def measure(self, device: str, quantity: Quantity, value: float, zone: str = "reading-room") -> None:
        reading = Reading(device=device, zone=zone, quantity=quantity, value=value, at=self.clock.now())
        self.gateway.reactor.handle(ReadingSeen(reading))

    def book(self, *, off: str = "", **above: float) -> RuleBook:
        """config.toml's rules with one switched off and with other limits: `reading_cool=24.0`."""
        data = json.loads(to_text(book_of(self.gateway._shipped.environment)))
        for rule in data["rule"]:
            rule["enabled"] = rule["id"] != off
            limit = above.get(rule["id"].replace("-", "_"))
            if limit is not None:
                rule["when"]["above"] = limit
        return RuleBook.model_validate(data)

    async def send(self, version: int, book: RuleBook) -> ConfigState:
        document = unsigned("rules", version, at=self.clock.now(), by="librarian", body=to_text(book))
        document = sign(document, branch="main", gateway="gw-1", secret=TOKEN)
        await self.server.client.publish(f"{PREFIX}config/rules", encode(document), qos=1, retain=True)

        def answered() -> bool:
            told = self.told()
            return told is not None and version in (told.version, told.refused and told.refused.version)

        await eventually(answered)
        found = self.told()
        assert found is not None
        return found

    def told(self) -> ConfigState | None:
        heard = self.server.on("config/rules/state")
        return ConfigState.model_validate_json(heard[-1]) if heard else None

    def table(self) -> RulesState:
        return self.gateway.reactor._comfort.table(self.clock.now())

    def row(self, actuator: str) -> Any:
        return next(row for row in self.table().actuators if row.actuator == actuator)

    def rule(self, id_: str) -> Any:
        return next(rule for rule in self.table().rules if rule.id == id_)


@asynccontextmanager
async def running(folder: Path, broker: Broker, clock: ManualClock) -> AsyncIterator[House]:
    gateway = build(settings(folder, broker), clock)
    task = asyncio.create_task(gateway.run())
    try:
        async with listening(MqttConfig(port=broker.port)) as server:
            await eventually(lambda: gateway.uplink.connected)
            yield House(gateway, server, clock)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_changed_limit_is_in_force_at_the_moment_it_comes(
    tmp_path: Path, broker: Broker, clock: ManualClock
) -> None:
    async with running(tmp_path, broker, clock) as house:
        house.measure("reading-th", Quantity.TEMP, 25.5)
        assert (house.rule("reading-cool").threshold, house.row("reading-ac").commanded) == (27.0, 0)
        state = await house.send(1, house.book(reading_cool=25.0))
        assert (state.version, state.refused) == (1, None)
        assert (house.rule("reading-cool").threshold, house.row("reading-ac").commanded) == (25.0, 1)
        await eventually(lambda: any(b'"threshold":25.0' in body for body in house.server.on("rules/state")))


async def test_protection_times_and_people_stand_above_new_rules(
    tmp_path: Path, broker: Broker, clock: ManualClock
) -> None:
    async with running(tmp_path, broker, clock) as house:
        house.measure("reading-th", Quantity.TEMP, 28.0)
        clock.advance(5)
        expires = clock.now().replace(year=clock.now().year + 1)
        wish = OverrideSet(id="o1", actuator="reading-vent", value=40, duration_s=600, by="a", expires=expires)
        house.gateway.reactor.command(wish)
        await house.send(1, house.book(off="reading-cool"))
        ac = house.row("reading-ac")
        assert (ac.wanted, ac.commanded, ac.reason) == (0, 1, "min_on")
        assert house.row("reading-vent").override is not None
        clock.advance(11)
        house.gateway.reactor.tick_comfort()
        assert house.row("reading-ac").commanded == 0


async def test_refused_rules_change_nothing_and_say_why(tmp_path: Path, broker: Broker, clock: ManualClock) -> None:
    async with running(tmp_path, broker, clock) as house:
        await house.send(2, house.book(reading_cool=25.0))
        attic = json.loads(to_text(house.book()).replace('"zone":"stacks"', '"zone":"attic"'))
        refusals = {
            "does_not_fit": RuleBook.model_validate(attic),
            "rules_contradict": house.book(reading_cool=300.0),
        }
        for version, (code, book) in enumerate(refusals.items(), start=3):
            state = await house.send(version, book)
            assert state.refused is not None
            assert (state.refused.code, state.version) == (code, 2)
        assert house.rule("reading-cool").threshold == 25.0


async def test_what_is_retained_reaches_a_gateway_that_starts_later_and_a_restart_keeps_it(
    tmp_path: Path, broker: Broker, clock: ManualClock
) -> None:
    async with running(tmp_path, broker, clock) as house:
        await house.send(1, house.book(reading_cool=25.0))
    broker.stop()
    gateway = build(settings(tmp_path, broker), clock)  # nobody there to tell it anything
    try:
        found = gateway.reactor._comfort.table(clock.now()).rules
        assert next(rule.threshold for rule in found if rule.id == "reading-cool") == 25.0
    finally:
        gateway._store.close()


async def test_kept_rules_that_config_toml_has_no_device_for_any_more_give_way_to_its_own(
    tmp_path: Path, broker: Broker, clock: ManualClock
) -> None:
    async with running(tmp_path, broker, clock) as house:
        await house.send(1, house.book(reading_cool=25.0))
    file = tmp_path / "config.toml"
    made = settings(tmp_path, broker)
    text = file.read_text(encoding="utf-8").replace('id = "reading-ac"\ntype', 'id = "reading-cooler"\ntype')
    text = text.replace('actuators = ["reading-ac"]', 'actuators = ["reading-cooler"]')
    text = text.replace('"reading-ac", "stacks-ac"]', '"reading-cooler", "stacks-ac"]')
    file.write_text(text, encoding="utf-8")
    ports = {"CARREL_GATEWAY__KIOSK__0__PORT": str(free_port()), "CARREL_MQTT__PORT": str(made.mqtt.port)}
    gateway = build(read_settings(load(file, ports)), clock)
    try:
        rules = gateway.reactor._comfort.table(clock.now()).rules
        assert next(rule.threshold for rule in rules if rule.id == "reading-cool") == 27.0
        body = gateway.uplink.outbox._pending["config/{id}/state", "rules"].payload
        state = ConfigState.model_validate_json(body)
        assert state.refused is not None
        assert (state.version, state.newest, state.refused.code) == (0, 1, "does_not_fit")
    finally:
        gateway._store.close()
