"""Files of earlier versions."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path

import pytest

from carrel.contracts.codec import encode
from carrel.contracts.telemetry import Quantity, Reading, TelemetryPoint
from gateway.instants import microseconds
from gateway.relay.spool import INFLUX, SERVER, Row, Spool
from gateway.store import Store, StoreError
from gateway.store_schema import VERSION
from tests.support.clock import NOON

VERSION_1 = """
CREATE TABLE memory (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE event (seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE telemetry (seq INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL);
CREATE TABLE answer (id TEXT PRIMARY KEY, until TEXT NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO memory VALUES ('session', '41');
INSERT INTO event (kind, body) VALUES ('alarm', '{}');
PRAGMA user_version=1;
"""


def body(value: float) -> str:
    at = NOON + timedelta(seconds=value, microseconds=7)
    point = TelemetryPoint(ts=at, device="room-th", zone="room", quantity=Quantity.TEMP, value=value)
    return encode(point).decode()


@pytest.fixture
def old(tmp_path: Path) -> Callable[[Iterable[str]], Path]:
    def make(bodies: Iterable[str]) -> Path:
        file = tmp_path / "gateway.db"
        db = sqlite3.connect(file)
        db.executescript(VERSION_1)
        db.executemany("INSERT INTO telemetry (body) VALUES (?)", ((text,) for text in bodies))
        db.execute("DELETE FROM telemetry WHERE seq <= 2")
        db.commit()
        db.close()
        return file

    return make


def test_readings_of_version_1_are_still_there_for_every_consumer(old: Callable[[Iterable[str]], Path]) -> None:
    store = Store(old(body(n) for n in range(6)))
    spool = Spool(store, (SERVER, INFLUX))
    rows = spool.waiting(SERVER, 10)
    assert rows == [
        Row(n + 1, microseconds(NOON) + n * 1_000_000 + 7, "room-th", "room", "temp", float(n)) for n in range(2, 6)
    ]
    assert spool.waiting(INFLUX, 10) == rows
    assert (store.session, len(store.events_after(0))) == (42, 1)
    store.close()


def test_numbers_that_version_1_gave_out_are_not_given_out_again(old: Callable[[Iterable[str]], Path]) -> None:
    store = Store(old([body(0), body(1)]))  # both confirmed and gone
    spool = Spool(store)
    assert spool.waiting(SERVER, 10) == []
    spool.append([Reading(device="room-th", zone="room", quantity=Quantity.TEMP, value=1, at=NOON)])
    assert [row.seq for row in spool.waiting(SERVER, 10)] == [3]
    store.close()


def test_a_reading_of_version_1_that_cannot_be_read_is_told_and_dropped(
    old: Callable[[Iterable[str]], Path], caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(old([body(0), body(1), "no json", body(3)]))
    assert [row.value for row in Spool(store).waiting(SERVER, 10)] == [3.0]
    assert [record.getMessage()[:38] for record in caplog.records] == ["reading 3 cannot be read and is droppe"]
    store.close()


def test_an_upgrade_that_fails_leaves_the_old_file_as_it_was(
    old: Callable[[Iterable[str]], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = old(body(n) for n in range(4))

    def fail(_: object) -> int:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("gateway.store_schema.microseconds", fail)
    with pytest.raises(StoreError, match="full"):
        Store(file)
    monkeypatch.undo()
    store = Store(file)
    assert [row.value for row in Spool(store).waiting(SERVER, 10)] == [2.0, 3.0]
    assert store.read("PRAGMA user_version") == [(VERSION,)]
    store.close()
