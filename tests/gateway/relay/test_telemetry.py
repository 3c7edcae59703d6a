"""Readings on their way to the disk."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import ValidationError

from carrel.contracts.telemetry import Quantity, Reading
from devices.events import ReadingSeen
from gateway.relay import spool as spool_module
from gateway.relay import telemetry as module
from gateway.relay.spool import INFLUX, SERVER, Spool
from gateway.relay.telemetry import TelemetryLog
from gateway.store import Store
from tests.support.clock import NOON, ManualClock
from tests.support.edge import Edge
from tests.support.edge import reading as seen
from tests.support.sim import eventually


def reading(value: float) -> Reading:
    return Reading(device="room-th", zone="room", quantity=Quantity.TEMP, value=value, at=NOON)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    opened = Store(tmp_path / "gateway.db")
    yield Spool(opened, (SERVER, INFLUX))
    opened.close()


def values(spool: Spool) -> list[float]:
    return [row.value for row in spool.waiting(SERVER, 100_000)]


class Heard:
    """What a log told."""

    def __init__(self) -> None:
        self.wakes = 0
        self.troubles: list[str] = []

    def wake(self) -> None:
        self.wakes += 1


@asynccontextmanager
async def running(spool: Spool, limit: int = 100, every_s: float = 0.01) -> AsyncIterator[tuple[TelemetryLog, Heard]]:
    heard = Heard()
    log = TelemetryLog(
        spool, heard.wake, on_trouble=lambda text, _what: heard.troubles.append(text), every_s=every_s, limit=limit
    )
    task = asyncio.create_task(log.run())
    await asyncio.sleep(0)
    try:
        yield log, heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_readings_are_written_in_order_and_the_uplink_is_woken(spool: Spool) -> None:
    async with running(spool) as (log, heard):
        for n in range(5):
            log.offer(reading(n))
        await eventually(lambda: len(values(spool)) == 5)
        assert values(spool) == [0, 1, 2, 3, 4]
        await eventually(lambda: heard.wakes == 1)


async def test_what_waits_at_the_end_is_written_too(spool: Spool) -> None:
    log = TelemetryLog(spool, lambda: None)
    task = asyncio.create_task(log.run())
    await asyncio.sleep(0)
    log.offer(reading(1))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert values(spool) == [1]


async def test_an_end_in_the_middle_of_a_write_waits_for_it(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    began, go = threading.Event(), threading.Event()
    append = spool.append

    def slowly(readings: Iterable[Reading]) -> Mapping[str, int]:
        began.set()
        assert go.wait(10)
        return append(readings)

    monkeypatch.setattr(spool, "append", slowly)
    log = TelemetryLog(spool, lambda: None, every_s=0.01)
    task = asyncio.create_task(log.run())
    log.offer(reading(1))
    await eventually(began.is_set)
    task.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert not task.done()
    go.set()
    await asyncio.gather(task, return_exceptions=True)
    assert values(spool) == [1]


async def test_a_disk_that_refuses_loses_nothing_and_is_told_once(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    append, tries = spool.append, []

    def full(readings: Iterable[Reading]) -> Mapping[str, int]:
        tries.append(list(readings))
        if len(tries) < 4:
            raise sqlite3.OperationalError("database or disk is full")
        return append(tries[-1])

    monkeypatch.setattr(spool, "append", full)
    async with running(spool) as (log, heard):
        log.offer(reading(1))
        await eventually(lambda: len(tries) == 2)
        log.offer(reading(2))
        await eventually(lambda: values(spool) == [1, 2])
        await eventually(lambda: len(heard.troubles) == 2)
    assert heard.troubles == ["telemetry is not written and waits in memory: database or disk is full", ""]
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert log.dropped == 0


async def test_beyond_the_limit_the_oldest_readings_go_and_are_counted(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, entered, go = spool.append, threading.Event(), threading.Event()

    def full_at_first(readings: Iterable[Reading]) -> Mapping[str, int]:
        if not entered.is_set():
            entered.set()
            go.wait(10)
            raise sqlite3.OperationalError("database or disk is full")
        return append(readings)

    monkeypatch.setattr(spool, "append", full_at_first)
    async with running(spool, limit=10) as (log, heard):
        for n in range(10):
            log.offer(reading(n))
        await eventually(entered.is_set)  # all ten are being written
        for n in range(10, 15):
            log.offer(reading(n))
        go.set()
        await eventually(lambda: len(values(spool)) == 10)
        assert values(spool) == list(range(5, 15))
        assert log.dropped == 5
    assert heard.troubles[0].endswith("database or disk is full; lost, at least: 4 to all")
    assert heard.troubles[-1] == ""


async def test_a_backlog_is_written_in_portions(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 3)
    portions, append = [], spool.append

    def count(readings: Iterable[Reading]) -> Mapping[str, int]:
        rows = list(readings)
        portions.append(len(rows))
        return append(rows)

    monkeypatch.setattr(spool, "append", count)
    async with running(spool) as (log, _):
        for n in range(7):
            log.offer(reading(n))
        await eventually(lambda: len(values(spool)) == 7)
    assert portions == [3, 3, 1]


async def test_many_readings_are_written_without_waiting_for_the_time(spool: Spool) -> None:
    async with running(spool, limit=1000, every_s=3600) as (log, _):
        for n in range(module.FLUSH_AT):
            log.offer(reading(n))
        await eventually(lambda: len(values(spool)) == module.FLUSH_AT)


async def test_readings_lost_to_a_consumer_that_is_away_too_long_are_told_as_they_double(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(spool_module, "ROWS_KEPT", 10)
    async with running(spool) as (log, heard):
        for n in range(30):
            log.offer(reading(n))
            await eventually(lambda n=n: values(spool)[-1:] == [n])
            spool.confirm(SERVER, spool.waiting(SERVER, 100)[-1].seq - 1)
        spool.confirm(INFLUX, spool.waiting(INFLUX, 100)[-1].seq)
        log.offer(reading(30))
        await eventually(lambda: heard.troubles[-1] == "")
    begin = "too many readings wait to be sent, the oldest are dropped; lost, at least: "
    assert heard.troubles == [f"{begin}{n} to influx" for n in (1, 2, 4, 8, 16)] + [""]
    assert [record.levelname for record in caplog.records] == ["ERROR"] * 5 + ["WARNING"]


async def test_a_full_disk_fills_memory_only_to_its_bound_and_heals(tmp_path: Path) -> None:
    store = Store(tmp_path / "small.db")
    spool = Spool(store)
    store.read("PRAGMA wal_checkpoint(TRUNCATE)")
    pages = store.read("PRAGMA page_count")[0][0]
    store.read(f"PRAGMA max_page_count = {pages}")
    async with running(spool, limit=2000) as (log, heard):
        for n in range(3000):
            log.offer(reading(n))
        await eventually(lambda: heard.troubles)
        assert "full" in heard.troubles[0]
        assert len(log._waiting) <= 2000
        store.read("PRAGMA max_page_count = 1000000")
        await eventually(lambda: heard.troubles[-1] == "")
        await eventually(lambda: values(spool) == list(range(1000, 3000)))
    store.close()


async def test_a_sensor_that_lies_is_stored_as_it_says_and_not_acted_upon(tmp_path: Path, clock: ManualClock) -> None:
    """150 degrees are no fire and no summer's day: nothing moves, but people can see what the sensor said."""
    edge = Edge(tmp_path / "gateway.db", clock)
    edge.reactor.start([])
    before = len(edge.sent.orders)
    task = asyncio.create_task(edge.telemetry.run())
    await asyncio.sleep(0)
    told = [("temp", 150.0), ("rh", -3.0), ("temp", 20.0), ("temp", 20.0), ("temp", 20.0)]
    for quantity, value in told:
        edge.reactor.handle(ReadingSeen(seen("room-th", Quantity(quantity), value, clock)))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [(r.quantity, r.value) for r in Spool(edge.store).waiting(SERVER, 10)] == told
    assert len(edge.sent.orders) == before
    edge.reactor.handle(ReadingSeen(seen("room-th", Quantity.TEMP, 27.0, clock)))
    assert len(edge.sent.orders) == before + 1, "an honest value is acted upon at once"
    edge.store.close()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_no_reading(value: float) -> None:
    """Neither the database's columns nor line protocol can hold it: a driver must tell it in another way."""
    with pytest.raises(ValidationError):
        reading(value)
