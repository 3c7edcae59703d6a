"""Readings on their way to the disk."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from carrel.contracts.telemetry import Quantity, Reading, TelemetryPoint
from gateway.relay import telemetry as module
from gateway.relay.telemetry import TelemetryLog
from gateway.store import Store
from tests.support.clock import NOON
from tests.support.sim import eventually


def reading(value: float) -> Reading:
    return Reading(device="room-th", zone="room", quantity=Quantity.TEMP, value=value, at=NOON)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "gateway.db")
    yield opened
    opened.close()


def values(store: Store) -> list[float]:
    return [TelemetryPoint.model_validate_json(row.body).value for row in store.telemetry_after(0)]


@asynccontextmanager
async def running(store: Store, limit: int = 100) -> AsyncIterator[tuple[TelemetryLog, list[int]]]:
    wakes: list[int] = []
    log = TelemetryLog(store, lambda: wakes.append(1), every_s=0.01, limit=limit)
    task = asyncio.create_task(log.run())
    await asyncio.sleep(0)
    try:
        yield log, wakes
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_readings_are_written_in_order_and_the_uplink_is_woken(store: Store) -> None:
    async with running(store) as (log, wakes):
        for n in range(5):
            log.offer(reading(n))
        await eventually(lambda: len(values(store)) == 5)
        assert values(store) == [0, 1, 2, 3, 4]
        await eventually(lambda: wakes == [1])


async def test_what_waits_at_the_end_is_written_too(store: Store) -> None:
    log = TelemetryLog(store, lambda: None)
    task = asyncio.create_task(log.run())
    await asyncio.sleep(0)
    log.offer(reading(1))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert values(store) == [1]


async def test_an_end_in_the_middle_of_a_write_waits_for_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    began, go = threading.Event(), threading.Event()
    append = store.append_telemetry

    def slowly(bodies: Iterable[str]) -> None:
        began.set()
        assert go.wait(10)
        append(bodies)

    monkeypatch.setattr(store, "append_telemetry", slowly)
    log = TelemetryLog(store, lambda: None, every_s=0.01)
    task = asyncio.create_task(log.run())
    log.offer(reading(1))
    await eventually(began.is_set)
    task.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert not task.done()
    go.set()
    await asyncio.gather(task, return_exceptions=True)
    assert values(store) == [1]


async def test_a_disk_that_refuses_loses_nothing_and_is_told_once(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    append, tries = store.append_telemetry, []

    def full(bodies: Iterable[str]) -> None:
        tries.append(list(bodies))
        if len(tries) < 4:
            raise sqlite3.OperationalError("database or disk is full")
        append(tries[-1])

    monkeypatch.setattr(store, "append_telemetry", full)
    async with running(store) as (log, _):
        log.offer(reading(1))
        await eventually(lambda: len(tries) == 2)
        log.offer(reading(2))
        await eventually(lambda: values(store) == [1, 2])
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert log.dropped == 0


async def test_beyond_the_limit_the_oldest_readings_go_and_are_counted(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, entered, go = store.append_telemetry, threading.Event(), threading.Event()

    def full_at_first(bodies: Iterable[str]) -> None:
        if not entered.is_set():
            entered.set()
            go.wait(10)
            raise sqlite3.OperationalError("database or disk is full")
        append(bodies)

    monkeypatch.setattr(store, "append_telemetry", full_at_first)
    async with running(store, limit=10) as (log, _):
        for n in range(10):
            log.offer(reading(n))
        await eventually(entered.is_set)  # all ten are being written
        for n in range(10, 15):
            log.offer(reading(n))
        go.set()
        await eventually(lambda: len(values(store)) == 10)
        assert values(store) == list(range(5, 15))
        assert log.dropped == 5


async def test_a_backlog_is_written_in_portions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 3)
    portions, append = [], store.append_telemetry

    def count(bodies: Iterable[str]) -> None:
        rows = list(bodies)
        portions.append(len(rows))
        append(rows)

    monkeypatch.setattr(store, "append_telemetry", count)
    async with running(store) as (log, _):
        for n in range(7):
            log.offer(reading(n))
        await eventually(lambda: len(values(store)) == 7)
    assert portions == [3, 3, 1]
