"""The gateway's session with a real broker: how it begins, ends, breaks and comes back, and what is retained."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from carrel.contracts import topics
from carrel.contracts.codec import encode
from carrel.contracts.telemetry import DeviceList
from gateway.relay import uplink as module
from gateway.relay.spool import Spool
from gateway.relay.uplink import Uplink
from gateway.store import Store
from tests.support.broker import Broker
from tests.support.clock import ManualClock
from tests.support.mqtt_listener import Listener, listening
from tests.support.sim import eventually
from tests.support.uplink import ME, ROOT, Session, alarm_of, events, retained, session, states


async def test_it_says_online_and_an_orderly_end_says_offline(
    broker: Broker, tmp_path: Path, clock: ManualClock
) -> None:
    async with listening(broker.config) as server:
        async with session(broker, tmp_path, clock) as gateway:
            await eventually(lambda: states(server) == ["online"])
            assert (await retained(broker, "/$state"))[0]["session"] == gateway.store.session
        await eventually(lambda: states(server)[-1] == "offline")
    assert [state["state"] for state in await retained(broker, "/$state")] == ["offline"]


async def test_the_broker_says_offline_when_the_gateway_vanishes(
    broker: Broker, tmp_path: Path, clock: ManualClock
) -> None:
    """The last will is the gateway's own words, sent by the broker when the line breaks without a goodbye."""
    store = Store(tmp_path / "gateway.db")
    client = Uplink(broker.config, ME, store=store, spool=Spool(store), clock=clock, on_command=print)._client()
    async with listening(broker.config) as server:
        await client.__aenter__()
        line = client._client.socket()
        assert isinstance(line, socket.socket)
        line.shutdown(socket.SHUT_RDWR)
        await eventually(lambda: states(server) == ["offline"])
        await client.__aexit__(None, None, None)
    assert [state["state"] for state in await retained(broker, "/$state")] == ["offline"]
    store.close()


async def test_states_are_retained_and_given_again_to_a_broker_that_forgot_them(
    broker: Broker, tmp_path: Path, clock: ManualClock
) -> None:
    async with session(broker, tmp_path, clock) as gateway:
        gateway.uplink.outbox.put(topics.DEVICES, DeviceList(devices=()))
        await eventually(lambda: gateway.uplink.connected)
        await asyncio.sleep(0.05)
        assert await retained(broker, "/$devices") == [{"devices": []}]
        broker.stop()
        await eventually(lambda: not gateway.uplink.connected)
        broker.start()
        async with listening(broker.config) as server:
            await eventually(lambda: server.on("/$devices") == [b'{"devices":[]}'])
            await eventually(lambda: states(server) == ["online"])


async def test_an_alarm_that_stands_no_more_is_cleared_at_a_broker_that_remembers_it(
    broker: Broker, tmp_path: Path, clock: ManualClock
) -> None:
    """Reset while the broker was away and the gateway restarted in between: nobody else would ever clear it."""
    standing, gone = alarm_of(clock, 1), alarm_of(clock, 2)
    async with listening(broker.config) as server:
        for alarm in (standing, gone):
            await server.client.publish(f"{ROOT}alarm/{alarm.id}", encode(alarm), qos=1, retain=True)
        made = Session(broker, Store(tmp_path / "gateway.db"), clock)
        made.uplink.outbox.put(topics.ALARM, standing, standing.id)
        made.start()
        await eventually(lambda: (f"{ROOT}alarm/{gone.id}", b"") in server.heard)
        await asyncio.sleep(0.1)
        assert [alarm["id"] for alarm in await retained(broker, "") if "place" in alarm] == [standing.id]
        await made.stop()
        made.store.close()


async def test_a_fault_of_ours_ends_the_session_not_the_gateway(
    broker: Broker, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    async with listening(broker.config) as server, session(broker, tmp_path, clock) as gateway:
        await eventually(lambda: gateway.uplink.connected)
        read, count = gateway.store.events_after, 0

        def sometimes(seq: int) -> Any:
            nonlocal count
            count += 1
            if count == 1:
                raise sqlite3.OperationalError("disk I/O error")
            return read(seq)

        monkeypatch.setattr(gateway.store, "events_after", sometimes)
        alarm = gateway.raise_alarm(1)
        await eventually(lambda: alarm.id in events(server))
        assert gateway.task is not None
        assert not gateway.task.done()
    assert "session with the broker failed" in caplog.text


async def test_told_to_end_in_the_moment_of_an_answer_it_ends(
    broker: Broker, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python 3.11's wait_for, in the library, may swallow it; the same ends a session whose broker is lost."""
    publish, swallowed = aiomqtt.Client.publish, False
    async with session(broker, tmp_path, clock) as gateway:
        task = gateway.task
        assert task is not None

        async def swallows(client: aiomqtt.Client, name: str, *args: Any, **more: Any) -> None:
            nonlocal swallowed
            await publish(client, name, *args, **more)
            if "/event" in name and not swallowed:
                swallowed = True  # once, so that a session that goes on fails the test and does not hang it
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()

        monkeypatch.setattr(aiomqtt.Client, "publish", swallows)
        gateway.raise_alarm(1)
        done, _ = await asyncio.wait({task}, timeout=10)
        assert done


async def test_home_assistant_is_told_of_the_devices_that_are_and_no_more_of_those_that_were(
    broker: Broker, tmp_path: Path, clock: ManualClock
) -> None:
    def topic(device: str, gateway: str = "gw-1") -> str:
        return topics.announcement("ha", "main", gateway, device)

    broker.config = broker.config.model_copy(update={"home_assistant": "ha"})
    devices = ["lamp", "vent"]
    async with listening(broker.config, "ha/#") as home:
        for name in (topic("sold"), topic("sold", "gw-10")):
            await home.client.publish(name, b"{}", qos=1, retain=True)
        async with session(broker, tmp_path, clock) as gateway:
            gateway.uplink.announcements = lambda: [(topic(device), b"{}") for device in devices]
            await eventually(lambda: standing(home) == {topic("lamp"), topic("vent"), topic("sold", "gw-10")})
            devices[0] = "blind"
            gateway.uplink.devices_changed()
            await eventually(lambda: standing(home) == {topic("blind"), topic("vent"), topic("sold", "gw-10")})
            assert gateway.uplink.bad_messages == 0


def standing(listener: Listener) -> set[str]:
    """Topics whose newest message is not empty."""
    return {topic for topic, payload in dict(listener.heard).items() if payload}


async def test_a_lost_broker_is_told_once(
    broker: Broker, tmp_path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with session(broker, tmp_path, clock) as gateway:
        await eventually(lambda: gateway.uplink.connected)
        broker.stop()
        await asyncio.sleep(0.5)
        assert len([r for r in caplog.records if r.name == module.__name__ and "lost" in r.getMessage()]) == 1


async def test_a_wrong_password_is_tried_again_and_never_raised(tmp_path: Path, clock: ManualClock) -> None:
    guarded = Broker("carrel", "right")
    guarded.start()
    right, guarded.config = guarded.config, guarded.config.model_copy(update={"password": "wrong"})
    async with session(guarded, tmp_path, clock) as gateway:
        await asyncio.sleep(0.3)
        assert not gateway.uplink.connected
        assert gateway.task is not None
        assert not gateway.task.done()
    guarded.config = right
    async with session(guarded, tmp_path, clock) as gateway:
        await eventually(lambda: gateway.uplink.connected)
    guarded.stop()
