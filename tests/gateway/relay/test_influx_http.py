"""The two write APIs against real servers, and against a stand-in for the one that no package offers."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator

import pytest

from carrel.sections import InfluxConfig
from gateway.relay import influx_http as module
from gateway.relay.delivery import AwayError, RefusedError, UnwillingError, Write, deliver
from gateway.relay.influx_http import judge, make_write, said
from gateway.relay.lines import Lines
from gateway.relay.spool import Row
from tests.support.influx import Influx1, Victoria, running_influx1, running_victoria
from tests.support.influx_fake import Fault, InfluxFake, running_fake
from tests.support.ports import free_port

T0_MS = 1_772_452_800_000
TAGS = {"branch": "main", "device": "reading-th", "gateway": "gw-1", "zone": "reading-room"}


@pytest.fixture(scope="module")
def influx1() -> Iterator[Influx1]:
    with running_influx1() as server:
        yield server


@pytest.fixture(scope="module")
def victoria() -> Iterator[Victoria]:
    with running_victoria() as server:
        yield server


@pytest.fixture
def fake() -> Iterator[tuple[InfluxFake, int]]:
    made = InfluxFake()
    with running_fake(made) as port:
        yield made, port


def lines(count: int, quantity: str = "temp", first: int = 0) -> list[str]:
    maker = Lines("main", "gw-1")
    rows = (
        Row(n, (T0_MS + n * 1000) * 1000, "reading-th", "reading-room", quantity, n / 4)
        for n in range(first, first + count)
    )
    return [maker.line(row) for row in rows]


def test_influxdb_1_keeps_every_line_and_the_same_line_once(influx1: Influx1) -> None:
    write = make_write(influx1.config)
    with pytest.raises(UnwillingError, match=r"database not found.*\(404\): create database 'carrel'"):
        write(lines(1))
    influx1.query("CREATE DATABASE carrel")
    for config in (influx1.config, influx1.config.model_copy(update={"gzip": True})):
        make_write(config)(lines(5000))
    assert influx1.count("temp") == 5000
    (series,) = influx1.query("SELECT * FROM temp LIMIT 2 OFFSET 4")
    assert series["columns"] == ["time", "branch", "device", "gateway", "value", "zone"]
    assert series["values"] == [[T0_MS + n * 1000, "main", "reading-th", "gw-1", n / 4, "reading-room"] for n in (4, 5)]


def test_influxdb_1_refuses_a_bad_line_and_takes_the_others(influx1: Influx1) -> None:
    influx1.query("CREATE DATABASE carrel")
    good = lines(40, "rh")
    bad = {7: "rh,device=x value=NaN 1", 23: good[0].replace("value=0.0", 'value="wet"')}
    batch = [bad.get(n, line) for n, line in enumerate(good)]
    refused = deliver(batch, make_write(influx1.config))
    assert set(refused) == set(bad)
    assert "unable to parse" in refused[7]
    assert "field type conflict" in refused[23]
    assert influx1.count("rh") == 38


def test_influxdb_1_that_keeps_nothing_so_old_is_believed(influx1: Influx1) -> None:
    influx1.query("CREATE DATABASE short WITH DURATION 1h")
    write = make_write(influx1.config.model_copy(update={"database": "short"}))
    refused = deliver(lines(20, "lux"), write)
    assert len(refused) == 20
    assert "beyond retention policy" in refused[0]


LINES = [
    "temp value=1 1",
    "temp,zone=a value=1",
    "temp,zone=a value=1i 1",
    "temp,zone=a value=1.5e3 1",
    "temp,zone=a value=-.5 1",
    "temp,zone=a value=t 1",
    'temp,zone=a value="text, with = and space" 1',
    "temp,zone=a\\ b\\,c\\=d value=1 1",
    "te\\ mp\\,x,zone=a value=1 1",
    "temp,zone=a value=1,other=2 1",
    "temp,zone=a value=1 -5",
    "temp",
    "temp,zone=a",
    "temp,zone=a 1",
    "temp,zone= value=1 1",
    "temp,=a value=1 1",
    "temp,zone=a,zone=b value=1 1",
    ",zone=a value=1 1",
    "temp,zone=a value= 1",
    "temp,zone=a =1 1",
    "temp,zone=a value=NaN 1",
    "temp,zone=a value=+Inf 1",
    "temp,zone=a value=1,5 1",
    "temp,zone=a value=one 1",
    'temp,zone=a value="open 1',
    "temp,zone=a value=1 1.5",
    "temp,zone=a value=1 yesterday",
    "temp,zone=a value=1 1 1",
]


@pytest.mark.parametrize("line", LINES)
def test_the_stand_ins_parser_takes_and_refuses_what_influxdb_1_does(influx1: Influx1, line: str) -> None:
    """Each in a database of its own, since a measurement keeps the type of its first value."""
    name = f"line_{LINES.index(line)}"
    influx1.query(f"CREATE DATABASE {name}")
    outcomes = []
    fake = InfluxFake()
    with running_fake(fake) as port:
        for write in (make_write(influx1.config.model_copy(update={"database": name})), make_write(fake.config(port))):
            try:
                write([line])
                outcomes.append("taken")
            except RefusedError:
                outcomes.append("refused")
    assert outcomes[0] == outcomes[1]


def test_victoriametrics_takes_what_influxdb_client_sends(victoria: Victoria) -> None:
    for config in (victoria.config, victoria.config.model_copy(update={"gzip": True})):
        make_write(config)(lines(3000))
    make_write(victoria.config)([*lines(1, "rh"), *lines(1, "lux")])
    found = {series["metric"]["__name__"]: series for series in victoria.export()}
    assert set(found) == {"temp_value", "rh_value", "lux_value"}
    temp = found["temp_value"]
    assert {key: value for key, value in temp["metric"].items() if key in TAGS} == TAGS
    assert dict(zip(temp["timestamps"], temp["values"], strict=True)) == {T0_MS + n * 1000: n / 4 for n in range(3000)}


@pytest.mark.parametrize("gzip", [False, True])
def test_the_stand_in_for_influxdb_2_gets_the_same(fake: tuple[InfluxFake, int], gzip: bool) -> None:
    server, port = fake
    make_write(server.config(port, gzip=gzip))(lines(5000))
    assert server.series("temp", **TAGS) == {T0_MS + n * 1000: n / 4 for n in range(5000)}
    assert [status for _, status, _ in server.requests] == [204]


def test_the_stand_in_refuses_bad_lines_in_both_ways_of_the_documentation(fake: tuple[InfluxFake, int]) -> None:
    server, port = fake
    server.refuse = lambda point: "partial write: field type conflict" if point.fields["value"] == 3 else ""
    batch = lines(100)
    batch[50] = "temp,zone= value=1 1"
    refused = deliver(batch, make_write(server.config(port)))
    assert set(refused) == {12, 50}
    assert server.count() == 98


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"token": "wrong"}, r"unauthorized access \(401\): set a token that may write to bucket 'carrel'"),
        ({"token": ""}, r"unauthorized access \(401\): set a token"),
        ({"bucket": "none"}, r'bucket "none" not found \(404\): create bucket \'none\', or correct url, org or bucket'),
        ({"org": "none"}, r'organization name "none" not found \(404\)'),
        ({"org": ""}, r'organization name "" not found \(404\)'),
    ],
)
def test_what_a_person_must_mend_is_said(fake: tuple[InfluxFake, int], changes: dict[str, str], message: str) -> None:
    server, port = fake
    with pytest.raises(UnwillingError, match=message):
        make_write(server.config(port, **changes))(lines(1))


def test_influxdb_1_does_not_know_the_other_api(influx1: Influx1) -> None:
    config = influx1.config.model_copy(update={"api": "v2"})
    with pytest.raises(UnwillingError, match=r'\(404\): .*InfluxDB 1\.x needs api = "v1"'):
        make_write(config)(lines(1))


def both(port: int) -> list[Write]:
    url = f"http://127.0.0.1:{port}"
    return [make_write(InfluxConfig.model_validate({"url": url, "api": api, "token": "x"})) for api in ("v1", "v2")]


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429, 408])
def test_a_server_in_trouble_is_away(fake: tuple[InfluxFake, int], status: int) -> None:
    server, port = fake
    for write in both(port):
        server.faults.append(Fault(status=status, body=b"busy", headers={"Retry-After": "17"}))
        with pytest.raises(AwayError, match=rf"busy \({status}\)") as caught:
            write(lines(1))
        assert caught.value.retry_after_s == 17


@pytest.mark.parametrize("status", [301, 302, 307, 405, 410, 418])
def test_an_answer_from_somewhere_else_is_for_a_person(fake: tuple[InfluxFake, int], status: int) -> None:
    """A redirect is not followed: what is behind it may be anything."""
    server, port = fake
    for write in both(port):
        server.faults.append(Fault(status=status, body=b"", headers={"Location": f"http://127.0.0.1:{port}/elsewhere"}))
        with pytest.raises(UnwillingError, match=rf"no reason given \({status}\): correct url and api"):
            write(lines(1))
    assert len(server.requests) == 2


def test_a_connection_that_is_refused_cut_or_silent_is_away(
    fake: tuple[InfluxFake, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, port = fake
    monkeypatch.setattr(module, "TIMEOUT_S", 0.2)
    for write in both(port):
        server.faults.append(Fault(kind="hang"))
        with pytest.raises(AwayError, match=r"no answer within 0\.2 s"):
            write(lines(1))
        server.faults.append(Fault(kind="cut"))
        with pytest.raises(AwayError, match=r"(?i)disconnected|aborted|closed"):
            write(lines(1))
    for write in both(free_port()):
        with pytest.raises(AwayError, match=r"refused"):
            write(lines(1))


def test_a_server_whose_tls_cannot_be_trusted_is_away_with_the_reason(fake: tuple[InfluxFake, int]) -> None:
    """Here it speaks none at all."""
    for api in ("v1", "v2"):
        url = f"https://127.0.0.1:{fake[1]}"
        with pytest.raises(AwayError, match="SSL"):
            make_write(InfluxConfig.model_validate({"url": url, "api": api}))(lines(1))


@pytest.mark.parametrize("api", ["v1", "v2"])
def test_an_address_that_is_none_is_for_a_person(api: str) -> None:
    with pytest.raises(UnwillingError, match="correct url"):
        make_write(InfluxConfig.model_validate({"url": "http://[::1", "api": api}))(lines(1))


def test_an_answer_that_is_no_http_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for write in both(listener.getsockname()[1]):
            _answer_once(listener, b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
            with pytest.raises(AwayError):
                write(lines(1))


def _answer_once(listener: socket.socket, answer: bytes) -> None:
    def work() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(answer)

    threading.Thread(target=work, daemon=True).start()


def test_a_request_too_large_is_split_and_nothing_counts_as_refused(fake: tuple[InfluxFake, int]) -> None:
    server, port = fake
    server.max_bytes = 30_000
    assert deliver(lines(1000), make_write(server.config(port))) == {}
    assert server.count() == 1000


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ('{"code":"invalid","message":"unable to parse"}', "unable to parse"),
        ('{"error":"database not found: \\"x\\""}', 'database not found: "x"'),
        (json.dumps({"error": "partial write of line protocol occurred", "data": [{"line_number": 2}]}),
         "partial write of line protocol occurred"),
        ("<html>Bad Gateway</html>", "<html>Bad Gateway</html>"),
        ("[1]", "[1]"),
        ("", "no reason given"),
        ("x" * 1000, "x" * 300),
    ],
)  # fmt: skip
def test_the_servers_own_sentence_is_found(body: str, sentence: str) -> None:
    assert said(body) == sentence


@pytest.mark.parametrize(
    ("status", "body", "of_lines"),
    [
        (422, '{"code":"unprocessable entity","message":"failure writing points"}', True),
        (400, '{"error":"partial write of line protocol occurred"}', True),
        (400, '{"error":"database is required"}', False),
        (400, "Bad Request", False),
        (413, "too large", False),
    ],
)
def test_a_refusal_tells_whether_it_is_about_lines(status: int, body: str, of_lines: bool) -> None:
    with pytest.raises(RefusedError) as caught:
        judge(status, body, {}, InfluxConfig())
    assert caught.value.of_lines is of_lines


def test_a_server_asking_for_an_age_of_patience_gets_ten_minutes() -> None:
    with pytest.raises(AwayError) as caught:
        judge(503, "", {"retry-after": "999999"}, InfluxConfig())
    assert caught.value.retry_after_s == 600
    with pytest.raises(AwayError) as caught:
        judge(503, "", {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, InfluxConfig())
    assert caught.value.retry_after_s == 0
