"""A device on its way through the whole gateway: pressed, joined, named, measured by, removed - without a restart."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from carrel.config import load
from carrel.contracts.actuation import CommandResult
from carrel.contracts.network import NetworkCommand, NetworkState
from carrel.system_clock import SystemClock
from gateway.app import Gateway, build
from gateway.settings import read_settings
from tests.support.field import VirtualRadio, open_radio
from tests.support.ports import free_port
from tests.support.sim import ROOT, eventually
from tests.support.zigbee_site import EVERY, placed

CO2 = EVERY["reading-co2"].ieee


class House:
    """A gateway with a virtual radio, and nobody at its other wires."""

    def __init__(self, folder: Path) -> None:
        text = (ROOT / "config.toml").read_text(encoding="utf-8")
        (folder / "config.toml").write_text(text, encoding="utf-8")
        ports = {"CARREL_GATEWAY__KIOSK__0__PORT": str(free_port()), "CARREL_MQTT__PORT": str(free_port())}
        wires = {
            "CARREL_MODBUS__0__URL": f"tcp://127.0.0.1:{free_port()}",
            "CARREL_ZIGBEE__PATH": str(folder / "zigbee"),
            "CARREL_ZIGBEE__JOIN_AT_START_S": "0",
        }
        self.gateway: Gateway = build(read_settings(load(folder / "config.toml", {**ports, **wires})), SystemClock())

    def said(self, path: str, id_: str = "") -> bytes:
        pending = self.gateway.uplink.outbox._pending.values()
        return next((item.payload for item in pending if (item.topic.path, item.id) == (path, id_)), b"")

    def network(self) -> NetworkState | None:
        body = self.said("network")
        return NetworkState.model_validate_json(body) if body else None

    def device(self) -> Any:
        network = self.network()
        return next((one for one in network.devices if one.ieee == CO2), None) if network else None

    async def ask(self, id_: str, action: str, **fields: Any) -> CommandResult:
        expires = SystemClock().now() + timedelta(minutes=1)
        wish = {"id": id_, "action": action, "by": "user:1", "expires": expires}
        self.gateway._command(NetworkCommand.model_validate(wish | fields))
        return CommandResult.model_validate_json(await eventually(lambda: self.said("ack/{id}", id_), 20))

    def rows(self) -> set[str]:
        return {sensor.id for sensor in self.gateway._settings.environment.sensor}


@pytest.fixture
async def radio(tmp_path: Path) -> AsyncIterator[VirtualRadio]:
    async with open_radio(tmp_path, devices=placed("reading-co2")) as opened:
        yield opened


async def test_a_sensor_is_let_in_named_counted_and_removed_without_a_restart(
    tmp_path: Path, radio: VirtualRadio
) -> None:
    house = House(tmp_path)
    running = asyncio.create_task(house.gateway.run())
    try:
        await eventually(lambda: (found := house.network()) is not None and found.state == "running", 20)
        assert (await house.ask("n1", "permit", seconds=60)).status == "done"
        await eventually(lambda: (found := house.device()) is not None and found.state == "online", 20)
        naming = {"ieee": CO2, "device": "desk-co2", "zone": "stacks", "device_kind": "sensor"}
        assert (await house.ask("n2", "name", **naming)).status == "done"
        await eventually(lambda: house.said("dev/{id}/state", "desk-co2"), 20)
        await eventually(lambda: "desk-co2-co2" in house.rows())
        assert b'"desk-co2"' in house.said("$devices")
        assert (await house.ask("n3", "name", **naming | {"zone": "reading-room"})).status == "done"
        await eventually(lambda: b"reading-room" in house.said("dev/{id}/state", "desk-co2"), 20)
        assert (await house.ask("n4", "remove", ieee=CO2)).status == "done"
        await eventually(lambda: not radio.joined(CO2))
        assert house.said("dev/{id}/state", "desk-co2") == b""
        assert "desk-co2-co2" not in house.rows()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_names_outlive_the_gateway(tmp_path: Path, radio: VirtualRadio) -> None:
    house = House(tmp_path)
    naming = {"ieee": CO2, "device": "desk-co2", "zone": "stacks", "device_kind": "sensor"}
    assert (await house.ask("n1", "name", **naming)).status == "done"
    await house.gateway.network.close()
    house.gateway._store.close()
    again = House(tmp_path)
    assert again.gateway._settings.zigbee.device[-1].id == "desk-co2"
    assert (await again.ask("n1", "name", **naming)).status == "done"
    again.gateway._store.close()
