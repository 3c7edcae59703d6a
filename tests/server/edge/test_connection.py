"""The session with the broker, and what is lost when it is: nothing."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import aiomqtt
import pytest
from fastapi.testclient import TestClient

from carrel.contracts import topics
from server.alarms import service
from server.app import create_app
from server.db import Database
from server.edge.connection import Connection
from tests.support.acting_gateway import ActingGateway, building_settings, curtain, eventually, fire, point
from tests.support.broker import Broker
from tests.support.library import ManualClock
from tests.support.ports import free_port
from tests.support.server_process import ServerProcess
from tests.support.spine import House

WISH = {"actuator": "reading-curtain", "value": 100}


def test_a_server_that_starts_before_the_broker_finds_it_and_is_ready_meanwhile(
    database_url: str, clock: ManualClock, tmp_path: Path
) -> None:
    broker = Broker()
    with TestClient(create_app(building_settings(tmp_path, database_url, broker), clock)) as client:
        before = client.get("/readyz")
        assert (before.status_code, before.json()["ready"]) == (200, True)
        assert before.json()["checks"]["broker"] != "ok"
        broker.start()
        try:
            eventually(lambda: client.get("/readyz").json()["checks"]["broker"] == "ok", "the session")
        finally:
            broker.stop()


def test_after_a_restart_of_the_broker_everything_goes_on(house: House) -> None:
    house.edge.event(fire(house.clock.now()), 1)
    eventually(house.alarms, "the alarm")
    house.broker.stop()
    eventually(lambda: not house.reaches_broker(), "the loss")
    assert len(house.alarms()) == 1, "what is stored is told without a broker"
    house.broker.start()
    eventually(house.reaches_broker, "the session")
    house.edge.await_connection()
    house.edge.event(fire(house.clock.now(), version=2, silenced=True), 2)
    eventually(lambda: house.alarms()[0]["silenced"], "the alarm's change")


def test_a_command_written_while_the_broker_is_away_is_sent_when_it_is_back(house: House) -> None:
    house.edge.table(curtain())
    eventually(lambda: house.room()["actuators"], "the table")
    headers = house.staff()
    house.broker.stop()
    eventually(lambda: not house.reaches_broker(), "the loss")
    answer = house.client.post("/api/v1/rooms/reading-room/overrides", json=WISH, headers=headers)
    assert answer.status_code == 202
    house.broker.start()
    house.edge.await_connection()
    eventually(lambda: house.edge.commands, "the command")
    assert house.edge.commands[0][1].id == answer.json()["id"]


def test_a_command_that_has_run_out_is_not_sent_any_more(house: House) -> None:
    house.edge.table(curtain())
    eventually(lambda: house.room()["actuators"], "the table")
    headers = house.staff()
    house.broker.stop()
    eventually(lambda: not house.reaches_broker(), "the loss")
    house.client.post("/api/v1/rooms/reading-room/overrides", json=WISH, headers=headers)
    house.clock.advance(seconds=61)
    house.broker.start()
    house.edge.await_connection()
    eventually(house.reaches_broker, "the session")
    house.edge.batch(1, point(house.clock.now(), 1.0))
    eventually(lambda: house.edge.acked(topics.TELEMETRY_ACK), "the exchange")
    assert house.edge.commands == []


@pytest.fixture
def two(house: House, tmp_path: Path) -> Iterator[tuple[House, TestClient]]:
    """A second application on the same database and broker."""
    settings = replace(house.settings)
    with TestClient(create_app(settings, house.clock)) as other:
        eventually(lambda: other.get("/readyz").json()["checks"]["broker"] == "ok", "the other's session")
        yield house, other


class TestTwoServers:
    def test_both_take_everything_and_nothing_is_doubled(self, two: tuple[House, TestClient]) -> None:
        house, other = two
        now = house.clock.now()
        house.edge.batch(1, *(point(now, 20.0 + n, device=f"th-{n}") for n in range(1, 4)))
        house.edge.event(fire(now), 1)
        eventually(lambda: house.edge.acked(topics.TELEMETRY_ACK) == [3, 3], "both confirmations")
        eventually(lambda: house.edge.acked(topics.EVENT_ACK) == [1, 1], "both confirmations")
        query = {"metric": "temp", "to": "2026-03-03T00:00:00Z", "buckets": 1}
        for client in (house.client, other):
            assert client.get("/api/v1/rooms/reading-room/history", params=query).json()["mean"] == [22.0]
            assert len(client.get("/api/v1/alarms?state=all").json()["alarms"]) == 1

    def test_a_wish_through_either_is_done_once(self, two: tuple[House, TestClient]) -> None:
        house, other = two
        house.edge.table(curtain())
        house.edge.on_command = house.edge.result
        headers = house.staff()
        for client in (house.client, other):
            eventually(lambda client=client: client.get("/api/v1/rooms").json()["rooms"][0]["actuators"])  # type: ignore[misc]
            answer = client.post("/api/v1/rooms/reading-room/overrides", json=WISH, headers=headers)
            assert answer.status_code == 201
        assert len({command.id for _, command in house.edge.commands}) == 2


@pytest.mark.process
def test_a_server_killed_in_mid_stream_confirms_nothing_that_it_has_not_stored(
    database_url: str, database: Database, broker: Broker, tmp_path: Path
) -> None:
    port = free_port()
    building_settings(tmp_path, database_url, broker, port=port)
    clock = ManualClock()
    edge = ActingGateway(broker, clock.now)
    edge.start()
    with ExitStack() as stack:
        stack.callback(edge.stop)
        server = ServerProcess(tmp_path / "config.toml", port)
        stack.callback(lambda: server.kill())  # noqa: PLW0108  # the name is bound anew below
        for seq in range(1, 40):
            edge.event(fire(clock.now(), id=f"fire-{seq}"), seq)
        eventually(lambda: edge.acked(topics.EVENT_ACK), "the first confirmation")
        server.kill()
        confirmed = max(edge.acked(topics.EVENT_ACK))
        server = ServerProcess(tmp_path / "config.toml", port)
        for seq in range(confirmed + 1, 41):
            edge.event(fire(clock.now(), id=f"fire-{seq}"), seq)
        eventually(lambda: max(edge.acked(topics.EVENT_ACK)) == 40, "the last confirmation")
        assert server.end() == 0
    with database.reading() as session:
        assert len(service.newest(session, 500)) == 40


@pytest.mark.parametrize("turns", range(8))
async def test_told_to_end_while_the_broker_dies_it_ends(broker: Broker, turns: int) -> None:
    connection = Connection(broker.config, "main")

    async def beside() -> None:
        await asyncio.Event().wait()

    running = asyncio.create_task(connection.run(lambda _topic, _payload: None, beside))
    async with asyncio.timeout(10):
        while not connection.connected:  # noqa: ASYNC110  # the connection tells nobody
            await asyncio.sleep(0.01)
        stopping = asyncio.create_task(asyncio.to_thread(broker.stop))
        while connection.connected and not stopping.done():  # noqa: ASYNC110
            await asyncio.sleep(0)
        for _ in range(turns):
            await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await stopping


async def test_nothing_can_be_published_without_a_session(broker: Broker) -> None:
    with pytest.raises(aiomqtt.MqttError):
        await Connection(broker.config, "main").publish("x", b"")
