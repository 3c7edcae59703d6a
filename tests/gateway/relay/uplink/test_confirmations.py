"""Alarms and readings over a real broker: sent again until the server has stored them, and then no more."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from carrel.contracts.alarms import EdgeEvent
from carrel.contracts.codec import encode
from carrel.contracts.telemetry import StoredAck
from gateway.relay.spool import SERVER
from tests.support.broker import Broker
from tests.support.clock import ManualClock
from tests.support.mqtt_listener import listening
from tests.support.sim import eventually
from tests.support.uplink import ROOT, batches, events, reading, session, states


async def test_events_are_sent_again_until_the_server_has_stored_them(
    broker: Broker, tmp_path: Path, clock: ManualClock
) -> None:
    async with listening(broker.config) as server, session(broker, tmp_path, clock) as gateway:
        alarm = gateway.raise_alarm(1)
        await eventually(lambda: len(events(server)) >= 3)
        assert set(events(server)) == {alarm.id}
        seq = EdgeEvent.model_validate_json(server.on("event/alarm")[0]).seq
        await server.say(ROOT + "event/ack", encode(StoredAck(session=gateway.store.session, seq=seq)))
        await eventually(lambda: not gateway.store.events_after(0))
        count = len(events(server))
        await asyncio.sleep(0.3)
        assert len(events(server)) <= count + 1, "one may have been under way"


async def test_an_alarm_raised_while_everything_was_down_arrives_when_it_is_back(
    broker: Broker, tmp_path: Path, clock: ManualClock
) -> None:
    broker.stop()
    async with session(broker, tmp_path, clock) as gateway:
        alarm = gateway.raise_alarm(1)
        gateway.measure(20.5)
        await asyncio.sleep(0.1)
    async with session(broker, tmp_path, clock) as again:
        await asyncio.sleep(0.1)
        broker.start()
        async with listening(broker.config) as server:
            await eventually(lambda: alarm.id in events(server))
            await eventually(lambda: batches(server))
            assert [p.value for p in batches(server)[0].points] == [20.5]
            assert batches(server)[0].session == again.store.session


async def test_telemetry_comes_in_order_and_goes_on_after_each_confirmation(
    broker: Broker, tmp_path: Path, clock: ManualClock
) -> None:
    async with listening(broker.config) as server, session(broker, tmp_path, clock) as gateway:
        gateway.measure(*range(700))
        await eventually(lambda: batches(server))
        first = batches(server)[0]
        assert len(first.points) == 500
        last = first.first + 499
        await server.say(ROOT + "telemetry/ack", encode(StoredAck(session=gateway.store.session, seq=last)))
        await eventually(lambda: batches(server)[-1].first == last + 1)
        assert [p.value for p in batches(server)[-1].points] == list(range(500, 700))


async def test_a_broker_that_restarts_again_and_again_costs_no_reading_and_doubles_none(
    broker: Broker, tmp_path: Path, clock: ManualClock
) -> None:
    stored: dict[int, float] = {}

    async def serve() -> None:
        """As the server: by number, so that what comes twice counts once."""
        async with listening(broker.config, topics=ROOT + "telemetry") as server:
            while True:
                await asyncio.sleep(0.005)
                for batch in batches(server):
                    stored.update((batch.first + n, point.value) for n, point in enumerate(batch.points))
                    seq = batch.first + len(batch.points) - 1
                    await server.say(ROOT + "telemetry/ack", encode(StoredAck(session=batch.session, seq=seq)))
                server.heard.clear()

    async with session(broker, tmp_path, clock) as gateway:
        for round_ in range(4):
            serving = asyncio.create_task(serve())
            gateway.measure(*range(round_ * 700, round_ * 700 + 700))
            await eventually(lambda least=700 * round_: len(stored) > least, within_s=20)
            broker.stop()
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            broker.start()
        serving = asyncio.create_task(serve())
        await eventually(lambda: not gateway.spool.waiting(SERVER, 1), within_s=20)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    assert stored == {n + 1: float(n) for n in range(2800)}


async def test_a_confirmation_of_another_session_confirms_nothing(
    broker: Broker, tmp_path: Path, clock: ManualClock
) -> None:
    async with listening(broker.config) as server, session(broker, tmp_path, clock) as gateway:
        gateway.raise_alarm(1)
        gateway.measure(1.0)
        await eventually(lambda: events(server) and batches(server))
        for topic in ("event/ack", "telemetry/ack"):
            await server.say(ROOT + topic, encode(StoredAck(session=gateway.store.session - 1, seq=10_000)))
        count = len(batches(server))
        await eventually(lambda: len(batches(server)) > count + 1)
        assert gateway.store.events_after(0)
        assert gateway.spool.waiting(SERVER, 10)


async def test_a_row_that_cannot_be_read_does_not_hold_up_the_others(
    broker: Broker, tmp_path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(broker.config) as server, session(broker, tmp_path, clock) as gateway:
        gateway.store.save_with_events("panel", 1, [("alarm", '{"an": "older shape"}')])
        with gateway.store.transaction() as db:
            db.execute(
                "INSERT INTO reading VALUES (1, 0, 'No Device', 'room', 'temp', 1.0), (2, ?, 'x', 'y', 'z', 1.0)",
                (1 << 62,),
            )
        gateway.spool.append([reading(2.0, clock)])
        alarm = gateway.raise_alarm(2)
        gateway.uplink.telemetry_waiting()
        await eventually(lambda: alarm.id in events(server))
        await eventually(lambda: batches(server))
        assert [p.value for p in batches(server)[0].points] == [2.0]
        assert len(gateway.store.events_after(0)) == 1
    said = [r.getMessage().partition(":")[0] for r in caplog.records if r.levelname == "ERROR"]
    assert sorted(said) == [
        "event 1 cannot be read and is dropped",
        "reading 1 cannot be sent and is dropped",
        "reading 2 cannot be sent and is dropped",
    ]


async def test_a_disk_that_takes_no_confirmation_does_not_end_the_session(
    broker: Broker, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    async with listening(broker.config) as server, session(broker, tmp_path, clock) as gateway:
        gateway.measure(1.0)
        await eventually(lambda: batches(server))
        confirm = gateway.spool.confirm

        def full(*_: object) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(gateway.spool, "confirm", full)
        ack = encode(StoredAck(session=gateway.store.session, seq=batches(server)[0].first))
        await server.say(ROOT + "telemetry/ack", ack)
        await eventually(lambda: "confirmations are not written" in caplog.text)
        monkeypatch.setattr(gateway.spool, "confirm", confirm)
        await server.say(ROOT + "telemetry/ack", ack)
        await eventually(lambda: not gateway.spool.waiting(SERVER, 10))
        assert states(server) == ["online"]
