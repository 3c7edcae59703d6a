"""Under a hundred reports a second every program dies again and again: what the gateway wrote down is what all have."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing

import httpx
import pytest

from firmware_sim.control import call
from firmware_sim.settings import Port
from tests.support.influx import Influx1, require, running_influx1
from tests.support.programs import Library, settled, wait_for
from tests.support.tap import Row, Tap, moments

pytestmark = [pytest.mark.process, pytest.mark.timeout(240)]

DEMO, CROWD = 12, 5
REPORTS_PER_S = 100
UNFLUSHED_S, WRITING_S = 0.25, 2.0
"""How long a reading waits to be written, and what a slow disk may take to write it."""
BACK_WITHIN_S = 60.0
ROLLUPS = {"telemetry_five_minute": ("five", 300_000), "telemetry_hour": ("hour", 3_600_000)}

Figures = tuple[int, float, float, float]
"""Number of values, least, greatest, sum."""


class Storm:
    """A library under load whose programs are killed at random moments."""

    def __init__(self, running: Library, influx: Influx1 | None) -> None:
        self.running = running
        self.influx = influx
        self.tap = Tap(running.folder)
        self.unwritten: list[int] = []
        """Of each kill of the gateway: reports that the wire had carried and the disk had not taken."""
        self.seed = random.randrange(2**32)
        self._chance = random.Random(self.seed)

    def begin(self) -> None:
        """Every sensor has joined, and says nothing of its own accord: the building stands still."""
        self.running.start()
        settled(self.running, BACK_WITHIN_S)
        duty = self.running.client("duty", "duty-demo")
        wait_for("every device was asked everything", lambda: _online(duty) == CROWD + DEMO, BACK_WITHIN_S)
        self.running.sim("speed", "0")

    def load(self, reports_per_s: int) -> None:
        """Returns when reports are written, or when there are to be none."""
        self.running.sim("zigbee", "load", str(reports_per_s))
        before = self.tap.count()
        if reports_per_s:
            wait_for("reports are written", lambda: self.tap.count() > before + reports_per_s / 4, BACK_WITHIN_S)

    def strike(self, *names: str) -> None:
        """Some time later these die and are started again."""
        self._some_time()
        self.running.kill(*names)
        self._some_time()
        self.running.start(*names)

    def strike_gateway(self, *more: str) -> None:
        """The same; what it had heard and not written is counted."""
        before = self.gap()
        self.load(REPORTS_PER_S)
        self._some_time()
        self.running.kill("gateway")
        self.unwritten.append(self._gap() - before)
        self.running.kill(*more)
        self._some_time()
        self.running.start("gateway", *more)
        self.load(REPORTS_PER_S)
        self.load(0)

    def gap(self) -> int:
        """Reports that the wire has carried, less readings that the gateway has written; when none are under way."""
        looks = []
        for _ in range(6):  # sensors speak of their own accord too, but not all the time
            looks.append(self._gap())
            time.sleep(UNFLUSHED_S)
        return min(looks)

    def _gap(self) -> int:
        written = self.tap.count()
        host, _, port = self.running.environment["CARREL_SIM__CONTROL"].partition(":")
        seen = call(Port(host, int(port), explicit=True), {"cmd": "observe"})
        return sum(device["reports"] for device in seen["zigbee"]["devices"] if not device["fresh"]) - written

    @property
    def told(self) -> str:
        """How to see it again, as far as chance allows."""
        return f"unwritten at each kill {self.unwritten}, seed {self.seed}"

    def _some_time(self) -> None:
        time.sleep(self._chance.uniform(0.1, 1.5))


def _online(duty: httpx.Client) -> int:
    """Devices with a name that have been asked everything."""
    (network,) = duty.get("/network").json()["networks"] or [{"devices": []}]
    return sum(device["state"] == "online" and device["id"] is not None for device in network["devices"])


@pytest.fixture(scope="module")
def influx() -> Iterator[Influx1 | None]:
    """Where there is one; the tests that need none are told that there is none."""
    with ExitStack() as ending:
        if shutil.which("influxd") is None and os.environ.get("CI") != "true":
            yield None
        else:
            server = ending.enter_context(running_influx1())
            server.query("CREATE DATABASE carrel")
            yield server


@pytest.fixture(scope="module")
def storm(tmp_path_factory: pytest.TempPathFactory, influx: Influx1 | None) -> Iterator[Storm]:
    """All programs with a crowd of sensors; the tests go through it in their order."""
    extra = {f"CARREL_TELEMETRY__INFLUX__{key}": value for key, value in _settings(influx).items()}
    running = Library(tmp_path_factory.mktemp("storm"), extra=extra, crowd=CROWD)
    try:
        storm = Storm(running, influx)
        storm.begin()
        yield storm
    finally:
        running.stop()


def _settings(influx: Influx1 | None) -> dict[str, str]:
    return {"URL": influx.config.url, "API": "v1", "DATABASE": "carrel"} if influx else {}


def test_while_the_gateway_lives_it_writes_every_report_that_the_wire_carries(storm: Storm) -> None:
    before, written = storm.gap(), storm.tap.count()
    storm.load(REPORTS_PER_S)
    storm.strike("server")
    storm.strike("broker")
    if storm.influx:
        storm.influx.program.kill()
    storm.strike("broker", "server")
    storm.load(0)
    assert storm.gap() == before
    assert storm.tap.count() > written + 3 * REPORTS_PER_S, "a hundred a second for some seconds"


def test_a_killed_gateway_loses_no_more_than_what_it_had_not_written_yet(storm: Storm) -> None:
    storm.strike_gateway()
    storm.strike_gateway("server")
    if storm.influx:
        storm.influx.program.start()
    storm.strike_gateway("broker")
    most = REPORTS_PER_S * (UNFLUSHED_S + WRITING_S)
    assert all(0 <= lost <= most for lost in storm.unwritten), storm.told


def test_the_server_has_exactly_what_the_gateway_wrote(storm: Storm) -> None:
    wait_for("everything written is stored", lambda: not storm.tap.missing(), BACK_WITHIN_S)
    assert storm.tap.invented() == set()


def test_the_rollups_are_what_the_values_give(storm: Storm) -> None:
    with closing(sqlite3.connect(storm.running.folder / "var" / "server.db", timeout=10)) as db:
        db.execute("BEGIN")  # what is stored meanwhile is not seen
        for table, (head, width_ms) in ROLLUPS.items():
            assert _rolled_up(db, table, head) == _recomputed(db, width_ms), table


def _rolled_up(db: sqlite3.Connection, table: str, head: str) -> dict[tuple[int, int], Figures]:
    """What the table and the heads hold together, by series and beginning."""
    both = (
        f"SELECT series, ts, n, low, high, total FROM {table} UNION ALL "
        f"SELECT series, {head}_ts, {head}_n, {head}_low, {head}_high, {head}_total FROM telemetry_head WHERE {head}_n"
    )
    query = f"SELECT series, ts, sum(n), min(low), max(high), sum(total) FROM ({both}) GROUP BY series, ts"
    return _figures(db.execute(query))


def _recomputed(db: sqlite3.Connection, width_ms: int) -> dict[tuple[int, int], Figures]:
    query = (
        "SELECT series, ts - ts % ?, count(*), min(value), max(value), sum(value) FROM telemetry_point GROUP BY 1, 2"
    )
    return _figures(db.execute(query, (width_ms,)))


def _figures(rows: Iterable[tuple[int, int, int, float, float, float]]) -> dict[tuple[int, int], Figures]:
    """Sums to a millionth: in which order values are added decides what comes behind."""
    return {(series, ts): (n, low, high, round(total, 6)) for series, ts, n, low, high, total in rows}


def test_influxdb_that_was_away_has_exactly_the_same(storm: Storm) -> None:
    require("influxdb", "influxd")
    assert storm.influx is not None
    logged = moments(storm.tap.logged())
    wait_for("InfluxDB has all of it", lambda: logged <= moments(_in_influx(storm.influx)), BACK_WITHIN_S)
    assert _in_influx(storm.influx) <= set(storm.tap.logged()), "and nothing else"


def _in_influx(influx: Influx1) -> set[Row]:
    return {
        (series["tags"]["device"], series["name"], ms, value)
        for series in influx.query('SELECT "value" FROM /.*/ GROUP BY "device"')
        for ms, value in series["values"]
    }


def test_no_program_has_left_a_trace_of_a_bug(storm: Storm) -> None:
    for name in ("gateway", "server", "sim", "broker"):
        assert "Traceback" not in storm.running.log(name), name
