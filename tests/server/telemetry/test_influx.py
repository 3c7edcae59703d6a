"""The history read from InfluxDB: a real 1.6, and the stand-in for what 2 and 3 do differently."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import httpx
import pytest

from carrel.contracts.telemetry import Quantity, TelemetryPoint
from carrel.sections import InfluxConfig
from server.db import Database
from server.telemetry.database import DatabaseStore
from server.telemetry.errors import HistoryUnavailableError
from server.telemetry.influx import InfluxClient, InfluxStore
from server.telemetry.store import Bucket, Kept, Source, Value, Window
from server.telemetry.windows import to_ms
from tests.support.influx import Influx1, running_influx1
from tests.support.influxql_fake import QueryFake, Stored, running_query_fake
from tests.support.ports import free_port

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ONE, TWO = Source("th-1", "stacks", Quantity.TEMP), Source("th-2", "stacks", Quantity.TEMP)
NASTY = 'o\'hare "x" \\ y'
WINDOWS = [
    Window(NOON, NOON + timedelta(hours=3), 3600),
    Window(NOON + timedelta(milliseconds=1234), NOON + timedelta(minutes=55), 87),
    Window(NOON - timedelta(days=1), NOON + timedelta(minutes=127), 300),
]

Write = Callable[[Sequence[TelemetryPoint], str], None]


def point(seconds: float, value: float, source: Source = ONE) -> TelemetryPoint:
    at = NOON + timedelta(seconds=seconds)
    return TelemetryPoint(ts=at, device=source.device, zone=source.zone, quantity=source.quantity, value=value)


@pytest.fixture(scope="module")
def influx1() -> Iterator[Influx1]:
    with running_influx1() as running:
        yield running


def into_influx1(influx: Influx1) -> Write:
    """Line protocol as the gateway writes it."""
    influx.query('DROP DATABASE "carrel"')
    influx.query('CREATE DATABASE "carrel"')

    def write(points: Sequence[TelemetryPoint], branch: str) -> None:
        lines = "\n".join(
            f"{p.quantity.value},branch={branch},gateway=gw-1,zone={p.zone},device={p.device} "
            f"value={p.value!r} {to_ms(p.ts)}"
            for p in points
        )
        url = f"{influx.config.url}/write"
        query = {"db": "carrel", "precision": "ms"}
        httpx.post(url, params=query, content=lines.encode(), trust_env=False).raise_for_status()

    return write


def into_fake(fake: QueryFake) -> Write:
    def write(points: Sequence[TelemetryPoint], branch: str) -> None:
        for p in points:
            tags = {"branch": branch, "gateway": "gw-1", "zone": p.zone, "device": p.device}
            fake.rows.append(Stored(p.quantity.value, tags, to_ms(p.ts), p.value))

    return write


@pytest.fixture(params=["influxdb 1.6", "stand-in for 2 and 3"])
def wired(request: pytest.FixtureRequest, database: Database) -> Iterator[tuple[InfluxStore, Write]]:
    """A store and what writes into its InfluxDB."""
    if request.param == "influxdb 1.6":
        influx = request.getfixturevalue("influx1")
        write = into_influx1(influx)
        client = InfluxClient(influx.config)
        yield InfluxStore(client, "main", DatabaseStore(database)), write
        client.close()
        return
    fake = QueryFake()
    with running_query_fake(fake) as port:
        client = InfluxClient(fake.config(port))
        yield InfluxStore(client, "main", DatabaseStore(database)), into_fake(fake)
        client.close()


def alike(found: Sequence[Bucket], expected: Sequence[Bucket]) -> bool:
    exact = [(b.start, b.minimum, b.maximum, b.count) for b in found]
    return exact == [(b.start, b.minimum, b.maximum, b.count) for b in expected] and [
        b.mean for b in found
    ] == pytest.approx([b.mean for b in expected])


class TestReading:
    def test_it_answers_as_the_embedded_store_does(self, wired: tuple[InfluxStore, Write], database: Database) -> None:
        store, write = wired
        chance = Random(3)
        points = [point(n * 13, chance.uniform(10, 30), chance.choice((ONE, TWO))) for n in range(500)]
        write(points, "main")
        write([point(5, 99.0)], "another-branch")
        embedded = DatabaseStore(database)
        embedded.append(points)
        for window in WINDOWS:
            for sources in ([ONE], [ONE, TWO]):
                expected = embedded.aggregate(sources, window)
                assert expected
                assert alike(store.aggregate(sources, window), expected), (sources, window)
        assert store.finest_s(NOON - timedelta(days=1000)) == 0

    def test_nothing_written_is_nothing_found(self, wired: tuple[InfluxStore, Write]) -> None:
        store, _ = wired
        assert store.aggregate([ONE], WINDOWS[0]) == store.aggregate([], WINDOWS[0]) == []
        assert store.values(ONE, NOON, NOON + timedelta(days=1), limit=5) == []
        assert store.before(ONE, NOON) is None

    def test_raw_values_come_in_pieces_and_the_one_before_is_found(self, wired: tuple[InfluxStore, Write]) -> None:
        store, write = wired
        write([point(n, float(n)) for n in range(5)], "main")
        end = NOON + timedelta(seconds=4)
        assert store.values(ONE, NOON, end, limit=2) == [
            Value(NOON, 0.0), Value(NOON + timedelta(seconds=1), 1.0)
        ]  # fmt: skip
        assert [v.value for v in store.values(ONE, NOON + timedelta(seconds=2), end, limit=9)] == [2.0, 3.0]
        assert store.before(ONE, end) == Value(NOON + timedelta(seconds=3), 3.0)
        assert store.before(ONE, NOON) is None

    def test_a_name_with_quotes_finds_its_own_rows_only(self, wired: tuple[InfluxStore, Write]) -> None:
        store, write = wired
        write([point(1, 1.0)], "main")
        odd = Source(NASTY, f"{NASTY}' OR 'a' = 'a", Quantity.TEMP)
        assert store.aggregate([odd], WINDOWS[0]) == []


class TestNewest:
    def test_what_arrives_by_mqtt_is_the_newest_value_and_no_row(self, database: Database) -> None:
        embedded = DatabaseStore(database)
        store = InfluxStore(InfluxClient(InfluxConfig(url="http://127.0.0.1:1")), "main", embedded)
        store.append([point(0, 1.0), point(9, 2.0)])
        assert store.latest("stacks") == [point(9, 2.0)]
        assert store.sources("th-1") == [ONE]
        assert store.sources_in("stacks") == [ONE]
        assert embedded.values(ONE, NOON, NOON + timedelta(days=1), limit=9) == []
        store.close()

    def test_rows_from_a_time_before_influxdb_are_still_let_go(self, database: Database) -> None:
        DatabaseStore(database).append([point(0, 1.0)])
        store = InfluxStore(InfluxClient(InfluxConfig(url="http://127.0.0.1:1")), "main", DatabaseStore(database))
        assert store.trim(NOON + timedelta(days=30), Kept(), 10) == 1


class TestOutage:
    def test_nobody_there_is_told_at_once_and_then_not_asked_for_a_while(
        self, database: Database, caplog: pytest.LogCaptureFixture
    ) -> None:
        fake, port = QueryFake(), free_port()
        client = InfluxClient(fake.config(port))
        store = InfluxStore(client, "main", DatabaseStore(database))
        assert client.probe() == "ConnectError"
        for _ in range(3):
            with pytest.raises(HistoryUnavailableError):
                store.aggregate([ONE], WINDOWS[0])
        with running_query_fake(fake, port):
            assert client.probe() is None
            with pytest.raises(HistoryUnavailableError):
                store.aggregate([ONE], WINDOWS[0])
        assert fake.asked == []
        assert [record.levelname for record in caplog.records if "InfluxDB" in record.message] == ["WARNING"]
        client.close()

    def test_when_it_is_back_so_is_the_history(self, database: Database, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("INFO", "server.telemetry.influx")
        fake, port = QueryFake(), free_port()
        store = InfluxStore(InfluxClient(fake.config(port), again_after_s=0), "main", DatabaseStore(database))
        with pytest.raises(HistoryUnavailableError):
            store.aggregate([ONE], WINDOWS[0])
        into_fake(fake)([point(0, 1.0)], "main")
        with running_query_fake(fake, port):
            assert len(store.aggregate([ONE], WINDOWS[0])) == 1
        assert [record.levelname for record in caplog.records if "InfluxDB" in record.message] == ["WARNING", "INFO"]

    @pytest.mark.parametrize(
        "answer",
        [
            (500, b"oops"),
            (503, b'{"code":"unavailable"}'),
            (200, b"not json"),
            (200, b"[]"),
            (200, b'{"error":"database not found"}'),
            (200, b'{"results":[{"error":"timeout"}]}'),
        ],
    )
    def test_a_bad_answer_is_an_outage(self, database: Database, answer: tuple[int, bytes]) -> None:
        fake = QueryFake(answer_instead=answer)
        with running_query_fake(fake) as port:
            store = InfluxStore(InfluxClient(fake.config(port)), "main", DatabaseStore(database))
            with pytest.raises(HistoryUnavailableError):
                store.aggregate([ONE], WINDOWS[0])
            store.close()

    @pytest.mark.parametrize("wrong", [{"token": "other"}, {"database": "unmapped"}])
    def test_a_wrong_token_or_database_is_an_outage_with_its_reason_in_the_log(
        self, database: Database, wrong: dict[str, str], caplog: pytest.LogCaptureFixture
    ) -> None:
        fake = QueryFake()
        with running_query_fake(fake) as port:
            store = InfluxStore(InfluxClient(fake.config(port, **wrong)), "main", DatabaseStore(database))
            with pytest.raises(HistoryUnavailableError):
                store.aggregate([ONE], WINDOWS[0])
            store.close()
        assert any(word in caplog.text for word in ("Unauthorized", "no dbrp mapping"))
        assert "secret" not in caplog.text
