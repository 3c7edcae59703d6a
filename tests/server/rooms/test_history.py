"""The history of rooms and devices over the API: what is derived, what gaps look like, what an outage does."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from carrel.config import load
from carrel.contracts import topics
from carrel.contracts.network import NetworkDevice, NetworkState
from carrel.contracts.telemetry import Quantity, TelemetryPoint
from environment.preservation.moisture import absolute_humidity, dew_point
from server.app import create_app
from server.db import Database
from server.settings import read_settings
from server.telemetry.store import Kept, TelemetryStore
from tests.support.acting_gateway import ActingGateway, building_settings, eventually, point
from tests.support.broker import Broker
from tests.support.influxql_fake import DATABASE, TOKEN, QueryFake, Stored, running_query_fake
from tests.support.library import ManualClock
from tests.support.ports import free_port
from tests.support.spine import House

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOURS = {"from": "2026-03-01T12:00:00Z", "to": "2026-03-01T15:00:00Z", "buckets": 3}
MORE = """
[[environment.sensor]]
id = "h1"
zone = "stacks"
metric = "rh"
device = "th-9"
[[environment.sensor]]
id = "h2"
zone = "stacks"
metric = "temp"
device = "th-9"
[[environment.sensor]]
id = "o1"
zone = "stacks"
metric = "occupancy"
device = "pir-9"
"""


def ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


@pytest.fixture
def client(broker: Broker, database_url: str, clock: ManualClock, tmp_path: Path) -> Iterator[TestClient]:
    """A server with a second room whose sensors measure more; its broker is not talked to."""
    yield from _client(broker, database_url, clock, tmp_path, MORE)


def _client(broker: Broker, database_url: str, clock: ManualClock, folder: Path, more: str) -> Iterator[TestClient]:
    building_settings(folder, database_url, broker)
    file = folder / "config.toml"
    file.write_text(file.read_text(encoding="utf-8") + more, encoding="utf-8")
    app = create_app(read_settings(load(file, {})), clock)
    with TestClient(app, raise_server_exceptions=False) as talking:
        yield talking


def store_of(client: TestClient) -> TelemetryStore:
    store: TelemetryStore = client.app.state.rooms.past.store  # type: ignore[attr-defined]
    return store


def put(client: TestClient, minutes: float, value: float, quantity: Quantity, device: str = "th-9") -> None:
    at = NOON + timedelta(minutes=minutes)
    store_of(client).append([TelemetryPoint(ts=at, device=device, zone="stacks", quantity=quantity, value=value)])


def ask(client: TestClient, address: str = "rooms/stacks", **query: Any) -> Any:
    return client.get(f"/api/v1/{address}/history", params={**HOURS, **query})


class TestRooms:
    def test_derived_metrics_are_of_the_buckets_means_and_need_both(self, client: TestClient) -> None:
        for minutes, temp in ((0, 18.0), (30, 22.0), (61, 19.0), (130, 20.0)):
            put(client, minutes, temp, Quantity.TEMP)
        for minutes, rh in ((5, 40.0), (35, 60.0), (131, 0.0)):
            put(client, minutes, rh, Quantity.RH)
        found = ask(client, metric="dew_point").json()
        value = round(dew_point(20.0, 50.0), 3)
        assert found == {
            "metric": "dew_point", "unit": "°C", "bucket_s": 3600, "t": [ms(NOON)],
            "min": [value], "mean": [value], "max": [value], "n": [2],
        }  # fmt: skip
        found = ask(client, metric="abs_humidity").json()
        assert (found["unit"], found["mean"]) == ("g/m³", [round(absolute_humidity(20.0, 50.0), 3), 0.0])

    def test_occupancy_has_a_history_too(self, client: TestClient) -> None:
        put(client, 1, 1.0, Quantity.OCCUPANCY, "pir-9")
        put(client, 2, 0.0, Quantity.OCCUPANCY, "pir-9")
        found = ask(client, metric="occupancy").json()
        assert (found["mean"], found["max"], found["unit"]) == ([0.5], [1.0], "")

    def test_a_gap_is_a_missing_bucket_and_the_last_one_ends_where_asked(self, client: TestClient) -> None:
        for minutes in (10, 130, 140, 170):
            put(client, minutes, float(minutes), Quantity.TEMP)
        found = ask(client, metric="temp", to="2026-03-01T14:30:00Z", buckets=2).json()
        assert found["t"] == [ms(NOON), ms(NOON + timedelta(hours=2))]
        assert (found["n"], found["max"]) == ([1, 2], [10.0, 140.0])

    def test_where_only_coarse_rows_are_left_buckets_are_as_wide(self, client: TestClient, clock: ManualClock) -> None:
        put(client, 10, 1.0, Quantity.TEMP)
        put(client, 11, 3.0, Quantity.TEMP)
        store = store_of(client)
        while store.trim(clock.now() + timedelta(days=8), Kept(), 100):
            pass
        found = ask(client, metric="temp", buckets=1000).json()
        assert (found["bucket_s"], found["t"], found["mean"]) == (300, [ms(NOON + timedelta(minutes=10))], [2.0])

    def test_a_window_at_the_beginning_of_time_is_refused(self, client: TestClient) -> None:
        answer = ask(client, metric="temp", **{"from": "0001-01-01T00:00:00+08:00", "to": "0001-06-01T00:00:00Z"})
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_range")


class TestDevices:
    def test_what_an_actuator_did_and_what_it_was_doing_before(self, client: TestClient) -> None:
        put(client, -300, 100.0, Quantity.POSITION, "curtain-9")
        put(client, 30, 0.0, Quantity.POSITION, "curtain-9")
        assert ask(client, "devices/curtain-9", quantity="position").json() == {
            "device": "curtain-9", "quantity": "position", "unit": "%", "bucket_s": 3600,
            "before": {"t": ms(NOON - timedelta(minutes=300)), "value": 100.0},
            "t": [ms(NOON)], "min": [0.0], "mean": [0.0], "max": [0.0], "n": [1],
        }  # fmt: skip

    def test_a_quantity_it_never_told_is_empty(self, client: TestClient) -> None:
        put(client, 30, 1.0, Quantity.ON, "vent-9")
        found = ask(client, "devices/vent-9", quantity="level").json()
        assert (found["t"], found["before"]) == ([], None)

    def test_a_device_nobody_knows_is_not_found(self, client: TestClient) -> None:
        answer = ask(client, "devices/ghost", quantity="on")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_device")
        assert ask(client, "devices/Ghost!", quantity="on").status_code == 422
        assert ask(client, "devices/ghost", quantity="speed").status_code == 422

    def test_one_that_a_gateway_tells_of_is_known_before_it_says_anything(self, house: House) -> None:
        house.edge.devices("th-1")
        eventually(lambda: house.room()["devices"], "the device")
        assert ask(house.client, "devices/th-1", quantity="temp").json()["t"] == []


class TestMoving:
    """A device is carried to another room and renamed, over the wire of a gateway; nothing of its past is lost."""

    def test_readings_stay_in_the_room_where_they_were_measured_and_follow_their_device(self, house: House) -> None:
        edge, client = house.edge, house.client
        ieee = "02:ca:77:e1:00:00:00:42"

        def live_at(minutes: int, name: str, zone: str, first: int) -> None:
            at = NOON + timedelta(minutes=minutes)
            device = NetworkDevice(ieee=ieee, id=name, zone=zone, kind="sensor", state="online")
            edge.network(NetworkState(ts=at - timedelta(minutes=1), state="running", devices=(device,)))
            edge.devices(name, zone=zone)
            edge.report(name, zone, at=at, temp=20.0 + minutes)
            measured = {"device": name, "zone": zone, "quantity": Quantity.TEMP}
            edge.batch(first, TelemetryPoint(ts=at, value=20.0 + minutes, **measured))  # type: ignore[arg-type]
            eventually(lambda: first in edge.acked(topics.TELEMETRY_ACK), "the confirmation")

        live_at(10, "desk-air", "stacks", 1)
        live_at(70, "desk-air", "reading-room", 2)
        live_at(130, "window-air", "reading-room", 3)
        assert ask(client, metric="temp").json()["mean"] == [30.0]
        assert ask(client, "rooms/reading-room", metric="temp").json()["mean"] == [90.0, 150.0]
        found = ask(client, "devices/window-air", quantity="temp").json()
        assert (found["mean"], found["n"]) == ([30.0, 90.0, 150.0], [1, 1, 1])
        assert ask(client, "devices/window-air", quantity="temp", **{"from": "2026-03-01T14:00:00Z"}).json()[
            "before"
        ] == {"t": ms(NOON + timedelta(minutes=70)), "value": 90.0}
        made = client.post(
            "/api/v1/exports",
            json={"rooms": ["stacks"], "metrics": ["temp"], "resolution": "raw"}
            | {"from": HOURS["from"], "to": HOURS["to"]},
            headers=house.staff(),
        ).json()
        address = f"/api/v1/exports/{made['id']}"
        eventually(lambda: client.get(address, headers=house.staff()).json()["state"] == "done", "the export")
        rows = client.get(f"{address}/file", headers=house.staff()).text.splitlines()[1:]
        assert [row.split(",")[2:6] for row in rows] == [["stacks", "desk-air", "temp", "30.0"]]

    def test_a_sensor_of_config_toml_shows_in_the_room_to_which_it_was_carried(self, house: House) -> None:
        edge = house.edge

        def temp(room: str) -> object:
            values: Any = house.room(room)["values"]
            return values["temp"]["value"]

        edge.devices("th-1", zone="reading-room")
        edge.report("th-1", "reading-room", temp=21.0)
        eventually(lambda: temp("reading-room") == 21.0, "the value")
        edge.devices("th-1", zone="stacks")
        eventually(lambda: temp("reading-room") is None, "the move")
        edge.report("th-1", "stacks", temp=18.0)
        eventually(lambda: temp("stacks") == 18.0, "the value in the new room")
        assert temp("reading-room") is None

    def test_of_a_name_that_two_living_devices_had_each_keeps_its_own(self, house: House) -> None:
        one, two = "02:ca:77:e1:00:00:00:01", "02:ca:77:e1:00:00:00:02"

        def tell(minutes: int, **names: str) -> None:
            devices = tuple(
                NetworkDevice(ieee=ieee, id=names[key], state="online")
                for key, ieee in (("one", one), ("two", two))
                if key in names
            )
            house.edge.network(NetworkState(ts=NOON + timedelta(minutes=minutes), state="running", devices=devices))

        tell(0, one="x")
        tell(30, one="y", two="x")
        house.edge.batch(
            1, point(NOON + timedelta(minutes=20), 20.0, "x"), point(NOON + timedelta(minutes=40), 40.0, "x")
        )
        eventually(lambda: house.edge.acked(topics.TELEMETRY_ACK) == [2], "the confirmation")
        assert ask(house.client, "devices/x", quantity="temp").json()["mean"] == [40.0]
        assert ask(house.client, "devices/y", quantity="temp").json()["mean"] == [20.0]


class TestInflux:
    """The whole server with `store = "influx"`."""

    @pytest.fixture
    def fake(self) -> QueryFake:
        return QueryFake()

    @pytest.fixture
    def port(self) -> int:
        return free_port()

    @pytest.fixture
    def client(
        self, broker: Broker, database_url: str, clock: ManualClock, tmp_path: Path, port: int
    ) -> Iterator[TestClient]:
        influx = (
            f'[telemetry]\nstore = "influx"\n[telemetry.influx]\nurl = "http://127.0.0.1:{port}"\n'
            f'database = "{DATABASE}"\ntoken = "{TOKEN}"\n'
        )
        yield from _client(broker, database_url, clock, tmp_path, MORE + influx)

    def test_history_comes_from_there(self, client: TestClient, fake: QueryFake, port: int) -> None:
        tags = {"branch": "main", "gateway": "gw-1", "zone": "stacks", "device": "th-9"}
        fake.rows.append(Stored("temp", tags, ms(NOON), 21.0))
        with running_query_fake(fake, port):
            assert ask(client, metric="temp").json()["mean"] == [21.0]
            assert client.get("/readyz").json()["checks"]["history"] == "ok"

    def test_while_it_is_away_history_says_so_and_everything_else_goes_on(self, client: TestClient) -> None:
        answer = ask(client, metric="temp")
        assert (answer.status_code, answer.json()["code"]) == (503, "history_unavailable")
        assert answer.headers["retry-after"] == "30"
        assert "Live values go on" in answer.json()["title"]
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["checks"]["history"] != "ok") == (200, True)
        assert client.get("/api/v1/rooms").status_code == 200
        assert client.get("/").status_code == 200

    def test_what_comes_by_mqtt_is_confirmed_and_leaves_the_newest_value_only(
        self, client: TestClient, broker: Broker, clock: ManualClock, database: Database
    ) -> None:
        eventually(lambda: client.get("/readyz").json()["checks"]["broker"] == "ok", "the server's session")
        edge = ActingGateway(broker, clock.now)
        edge.start()
        try:
            edge.batch(1, point(NOON, 20.0), point(NOON + timedelta(seconds=1), 21.0))
            eventually(lambda: edge.acked(topics.TELEMETRY_ACK) == [2], "the confirmation")
        finally:
            edge.stop()
        assert [p.value for p in store_of(client).latest("reading-room")] == [21.0]
        with database.reading() as session:
            assert session.scalar(text("SELECT COUNT(*) FROM telemetry_point")) == 0
