"""The gateway's session with a real broker: what is retained, replayed, confirmed, dropped and carried out."""

from __future__ import annotations

import asyncio
import json
import socket
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from carrel.contracts import topics
from carrel.contracts.actuation import (
    CommandResult,
    CommandStatus,
    EdgeOrder,
    OverrideSet,
    PanelCommand,
    SetLevel,
)
from carrel.contracts.alarms import AlarmState, EdgeEvent, Severity
from carrel.contracts.codec import encode
from carrel.contracts.health import GatewayStatus
from carrel.contracts.telemetry import DeviceList, Quantity, Reading, StoredAck, TelemetryBatch
from gateway.relay import uplink as module
from gateway.relay.spool import SERVER, Spool
from gateway.relay.uplink import Identity, Uplink
from gateway.store import Store
from tests.support.broker import Broker, running_broker
from tests.support.clock import ManualClock
from tests.support.edge import Edge
from tests.support.mqtt_listener import Listener, listening
from tests.support.sim import eventually

ROOT = "carrel/1/main/gw-1/"
ME = Identity("main", "gw-1", "0.1")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_RETRY_S", 0.05)
    monkeypatch.setattr(module, "LAST_RETRY_S", 0.1)
    monkeypatch.setattr(module, "CONFIRM_WITHIN_S", 0.2)
    monkeypatch.setattr(module, "GATHER_S", 0.02)


@pytest.fixture
def broker() -> Iterator[Broker]:
    with running_broker() as made:
        yield made


class Session:
    """An uplink on a store, running."""

    def __init__(self, broker: Broker, store: Store, clock: ManualClock) -> None:
        self.commands: list[EdgeOrder] = []
        self.store, self.clock = store, clock
        self.spool = Spool(store)
        self.uplink = Uplink(
            broker.config, ME, store=store, spool=self.spool, clock=clock, on_command=self.commands.append
        )
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self.task = asyncio.create_task(self.uplink.run())

    async def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)

    def raise_alarm(self, number: int, state: str = "alarm") -> AlarmState:
        alarm = alarm_of(self.clock, number, state)
        self.store.save_with_events("panel", number, [("alarm", encode(alarm).decode())])
        self.uplink.events_waiting()
        return alarm

    def measure(self, *values: float) -> None:
        self.spool.append(reading(value, self.clock) for value in values)
        self.uplink.telemetry_waiting()


def alarm_of(clock: ManualClock, number: int, state: str = "alarm") -> AlarmState:
    return AlarmState(
        id=f"fire-hall-{number}", version=1, kind="fire", severity=Severity.CRITICAL, place="hall", state=state,
        raised_at=clock.now(), causes=(),
    )  # type: ignore[arg-type]  # fmt: skip


def reading(value: float, clock: ManualClock) -> Reading:
    return Reading(device="room-th", zone="room", quantity=Quantity.TEMP, value=value, at=clock.now())


@asynccontextmanager
async def session(broker: Broker, folder: Path, clock: ManualClock) -> AsyncIterator[Session]:
    made = Session(broker, Store(folder / "gateway.db"), clock)
    made.start()
    try:
        yield made
    finally:
        await made.stop()
        made.store.close()


def events(listener: Listener) -> list[str]:
    return [EdgeEvent.model_validate_json(payload).alarm.id for payload in listener.on("event/alarm")]


def batches(listener: Listener) -> list[TelemetryBatch]:
    return [TelemetryBatch.model_validate_json(payload) for payload in listener.on("/telemetry")]


def states(listener: Listener) -> list[str]:
    return [GatewayStatus.model_validate_json(payload).state for payload in listener.on("/$state")]


async def retained(broker: Broker, ending: str) -> list[Any]:
    """What a client that comes now is given, each once: amqtt may repeat itself."""
    async with listening(broker.config) as late:
        await asyncio.sleep(0.05)
        return [json.loads(payload) for payload in dict.fromkeys(late.on(ending)) if payload]


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


async def test_commands_reach_the_core(broker: Broker, tmp_path: Path, clock: ManualClock) -> None:
    async with listening(broker.config) as server, session(broker, tmp_path, clock) as gateway:
        await eventually(lambda: gateway.uplink.connected)
        expires = clock.now() + timedelta(minutes=1)
        wish = OverrideSet(id="o1", actuator="vent", value=5, duration_s=60, by="user:7", expires=expires)
        reset = PanelCommand(id="r1", action="reset", alarm="fire-hall-1", by="user:7", expires=expires)
        await server.say(ROOT + "cmd/vent", encode(wish))
        await server.say(ROOT + "cmd/panel", encode(reset))
        await eventually(lambda: gateway.commands == [wish, reset])


GARBAGE = {
    "cmd/vent": [b"", b"{", b"\xff\xfe", b"[" * 5000, b'{"kind":"panel"}', b'{"kind":"open_all_doors","id":"1"}'],
    "telemetry/ack": [b"null", b'{"session":1,"seq":-4}', b'{"session":1,"seq":1e30}', b"9" * 5000],
    "event/ack": [b'{"session":"one"}', b'{"session":1,"seq":2,"more":3}'],
}


async def test_garbage_is_counted_and_the_next_good_message_is_heard(
    broker: Broker, tmp_path: Path, clock: ManualClock
) -> None:
    async with listening(broker.config) as server, session(broker, tmp_path, clock) as gateway:
        await eventually(lambda: gateway.uplink.connected)
        for topic, payloads in GARBAGE.items():
            for payload in payloads:
                await server.say(ROOT + topic, payload)
        await server.say(ROOT + "cmd/vent", b"x" * ((1 << 20) + 1))
        wanted = sum(len(payloads) for payloads in GARBAGE.values()) + 1
        await eventually(lambda: gateway.uplink.bad_messages == wanted)
        expires = clock.now() + timedelta(minutes=1)
        wish = PanelCommand(id="r1", action="silence", alarm="fire-hall-1", by="user:7", expires=expires)
        await server.say(ROOT + "cmd/panel", encode(wish))
        await eventually(lambda: gateway.commands == [wish])
        assert gateway.uplink.connected


async def test_expired_and_repeated_commands_are_answered_and_done_at_most_once(
    broker: Broker, tmp_path: Path, clock: ManualClock
) -> None:
    edge = Edge(tmp_path / "gateway.db", clock)
    edge.reactor.start([])
    spool = Spool(edge.store)
    uplink = Uplink(broker.config, ME, store=edge.store, spool=spool, clock=clock, on_command=edge.reactor.command)
    uplink.outbox = edge.outbox
    task = asyncio.create_task(uplink.run())
    async with listening(broker.config) as server:
        await eventually(lambda: uplink.connected)
        expires = clock.now() + timedelta(minutes=1)
        wish = OverrideSet(id="o1", actuator="vent", value=5, duration_s=60, by="user:7", expires=expires)
        late = wish.model_copy(update={"id": "o2", "value": 50.0, "expires": clock.now() - timedelta(seconds=1)})
        for command, answers in ((wish, 1), (late, 2), (wish, 3)):
            await server.say(ROOT + "cmd/vent", encode(command))
            await eventually(lambda n=answers: len(server.on("ack/o1") + server.on("ack/o2")) == n)
        first, second = (CommandResult.model_validate_json(payload) for payload in server.on("ack/o1"))
        assert first == second
        assert first.status is CommandStatus.DONE
        assert CommandResult.model_validate_json(server.on("ack/o2")[0]).status is CommandStatus.EXPIRED
        assert edge.sent.orders.count(SetLevel(device="vent-1", level_pct=5)) == 1
        assert SetLevel(device="vent-1", level_pct=50) not in edge.sent.orders
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    edge.store.close()


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
