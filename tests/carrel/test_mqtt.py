"""Mosquitto with TLS, users and our own rights file: who is heard, who is not, and what a person is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from carrel import mqtt
from carrel.contracts import topics
from carrel.contracts.actuation import EdgeOrder, PanelCommand
from carrel.contracts.codec import decode, encode
from carrel.contracts.health import GatewayStatus
from carrel.mqtt_acl import acl
from carrel.sections import MqttConfig
from gateway.relay.spool import Spool
from gateway.relay.uplink import Identity, Uplink
from gateway.store import Store
from server.edge import clearing
from server.edge.connection import Connection
from tests.support.clock import ManualClock
from tests.support.mosquitto import Mosquitto, make_certificates, running_mosquitto
from tests.support.sim import eventually

SERVER, GATEWAY, OTHER = "carrel-server", "gw-1", "gw-2"
USERS = {SERVER: "server-secret", GATEWAY: "gw-1-secret", OTHER: "gw-2-secret"}
ROOT = "carrel/1/main/gw-1"


@pytest.fixture(scope="module")
def broker() -> Iterator[Mosquitto]:
    rights = acl("main", SERVER, {GATEWAY: GATEWAY, OTHER: OTHER})
    with running_mosquitto(tls=True, users=USERS, acl=rights) as found:
        yield found


class Heard:
    """The server's session, and everything that it heard."""

    def __init__(self, config: MqttConfig) -> None:
        self.connection = Connection(config, "main")
        self.messages: list[tuple[str, bytes]] = []

    def on(self, topic: str) -> list[bytes]:
        return [payload for name, payload in self.messages if name == topic]

    async def run(self) -> None:
        await self.connection.run(lambda *message: self.messages.append(message), asyncio.Event().wait)


@asynccontextmanager
async def server(config: MqttConfig) -> AsyncIterator[Heard]:
    heard = Heard(config)
    async with running(heard.run()):
        await eventually(lambda: heard.connection.connected)
        yield heard


@asynccontextmanager
async def running(work: object) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work)  # type: ignore[arg-type]  # any coroutine
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def uplink(config: MqttConfig, folder: Path, clock: ManualClock, orders: list[EdgeOrder]) -> Uplink:
    who = Identity("main", GATEWAY, "0.1")
    store = Store(folder / "gateway.db")
    return Uplink(config, who, store=store, spool=Spool(store), clock=clock, on_command=orders.append)


async def test_gateway_and_server_talk_over_tls_each_with_its_own_rights(
    broker: Mosquitto, tmp_path: Path, clock: ManualClock
) -> None:
    orders: list[EdgeOrder] = []
    edge = uplink(broker.config(GATEWAY), tmp_path, clock, orders)
    async with server(broker.config(SERVER)) as heard, running(edge.run()):
        await eventually(lambda: heard.on(f"{ROOT}/$state"))
        assert decode(GatewayStatus, heard.on(f"{ROOT}/$state")[-1]).state == "online"
        wish = PanelCommand(
            id="w-1", action="silence", alarm="fire-1", by="user:duty", expires=clock.now() + timedelta(minutes=1)
        )
        await heard.connection.publish(topics.name("main", GATEWAY, topics.COMMAND, "panel"), encode(wish))
        await eventually(lambda: orders)
        assert orders == [wish]


async def test_a_gateway_can_neither_speak_nor_hear_for_another(broker: Mosquitto, clock: ManualClock) -> None:
    forged = encode(GatewayStatus(state="offline", since=clock.now(), session=1, version="0"))
    own = f"carrel/1/main/{OTHER}/$state"
    async with server(broker.config(SERVER)) as heard, mqtt.client(broker.config(OTHER), "other", waiting=10) as other:
        await other.subscribe(f"{ROOT}/#", qos=1)
        await other.publish(f"{ROOT}/$state", forged, qos=1)
        await other.publish(topics.name("main", OTHER, topics.COMMAND, "panel"), b"{}", qos=1)
        await heard.connection.publish(topics.name("main", GATEWAY, topics.COMMAND, "panel"), b"{}")
        await other.publish(own, forged, qos=1)  # comes after the others, on the same connection
        await eventually(lambda: heard.on(own))
        assert heard.on(f"{ROOT}/$state")[-1:] != [forged]
        assert heard.on(topics.name("main", OTHER, topics.COMMAND, "panel")) == []
        assert len(other.messages) == 0, "another gateway's orders are not for it"


async def test_the_server_cannot_pass_for_a_gateway(broker: Mosquitto) -> None:
    async with server(broker.config(SERVER)) as heard:
        await heard.connection.publish(f"{ROOT}/telemetry", b"forged")
        await heard.connection.publish(f"{ROOT}/telemetry/ack", b"mine")
        await eventually(lambda: heard.on(f"{ROOT}/telemetry/ack"))
        assert heard.on(f"{ROOT}/telemetry") == []


async def test_the_server_clears_what_is_retained_of_a_gateway_and_no_other_gateway_may(
    broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clearing, "TAKEN_WITHIN_S", 0.5)
    kept = [f"{ROOT}/$state", f"{ROOT}/dev/th-1/availability", f"{ROOT}/alarm/fire-1"]
    async with mqtt.client(broker.config(GATEWAY), "edge", waiting=10) as edge:
        for name in kept:
            await edge.publish(name, b"{}", qos=1, retain=True)
    for user, may in ((OTHER, False), (SERVER, True)):
        assert await clearing.clear(broker.config(user), "main", GATEWAY) is may
        async with server(broker.config(SERVER)) as heard:
            await heard.connection.publish(f"{ROOT}/telemetry/ack", b"after what is retained")
            await eventually(lambda heard=heard: heard.on(f"{ROOT}/telemetry/ack"))
            assert [name for name in kept if heard.on(name)] == ([] if may else kept)


@pytest.mark.parametrize("wrong", ["password", "authority", "plain"])
async def test_what_keeps_a_gateway_out_is_said_once(
    wrong: str,
    broker: Mosquitto,
    tmp_path: Path,
    *,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mqtt, "CONNECT_WITHIN_S", 0.5)
    config = broker.config(GATEWAY)
    if wrong == "password":
        config = config.model_copy(update={"password": "guessed"})
    elif wrong == "authority":
        make_certificates(tmp_path)
        config = config.model_copy(update={"ca_file": tmp_path / "ca.pem"})
    else:
        config = config.model_copy(update={"tls": False, "ca_file": None})
    edge = uplink(config, tmp_path, clock, [])

    def ours() -> list[logging.LogRecord]:
        return [record for record in caplog.records if record.name == "gateway.relay.uplink"]

    with caplog.at_level(logging.WARNING):
        async with running(edge.run()):
            await eventually(ours)
            await asyncio.sleep(0.5)  # a second try follows after 0.3 s
    words = {"password": "Not authorized", "authority": "certificate", "plain": "lost"}
    assert [words[wrong].lower() in record.getMessage().lower() for record in ours()] == [True]
    assert not any(record.exc_info for record in ours())
    assert not edge.connected
